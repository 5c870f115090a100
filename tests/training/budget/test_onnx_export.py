import numpy as np
import onnxruntime as ort
import pytest

from coach_model.budget.actions import previous_levels
from coach_model.budget.context import Contexts
from coach_model.budget.rules import rules_levels
from data.logs.budget import BudgetLog
from tests.support.contexts import random_contexts
from training.budget.onnx_export import policy_graph
from training.budget.reward_model import RewardModel
from training.budget.target_policy import TEMPERATURE, TargetPolicy

MILLION = 1_000_000
CHUNK = 100_000


def run(graph: bytes, contexts: Contexts) -> dict[str, np.ndarray]:
    session = ort.InferenceSession(graph, providers=["CPUExecutionProvider"])
    names = [output.name for output in session.get_outputs()]
    return dict(zip(names, session.run(names, {"context": contexts}), strict=True))


@pytest.fixture(scope="module")
def policy(learned: tuple[RewardModel, TargetPolicy]) -> TargetPolicy:
    return learned[1]


@pytest.mark.long
def test_graph_and_policy_agree_over_a_million_contexts(policy: TargetPolicy, log: BudgetLog) -> None:
    graph = policy_graph(policy)
    rows = random_contexts(MILLION, seed=21, around=log.context)
    supported = 0
    for start in range(0, MILLION, CHUNK):
        contexts = rows[start : start + CHUNK]
        answer = run(graph, contexts)
        distance = policy.distances(contexts)
        near_the_border = np.abs(distance - policy.support_threshold) < 1e-3 * policy.support_threshold
        assert ((answer["supported"][:, 0] == policy.supported(contexts)) | near_the_border).all()
        assert np.abs(answer["distribution"] - policy.distributions(contexts)).max() < 1e-5
        ranked = np.sort(policy.scores(contexts), axis=2)
        clear = (ranked[:, :, -1] - ranked[:, :, -2] > 1e-5).all(axis=1) & ~near_the_border
        assert (answer["level"] == policy.levels(contexts))[clear].all()
        outside = ~answer["supported"][:, 0]
        assert (answer["level"] == rules_levels(contexts))[outside].all()
        supported += int(answer["supported"].sum())
    assert MILLION * 0.2 < supported < MILLION * 0.9  # both sides were met


def test_reasons_are_the_largest_contributions(policy: TargetPolicy, log: BudgetLog) -> None:
    contexts = log.context[:500]
    answer = run(policy_graph(policy), contexts)
    scores = policy.scores(contexts)
    order = np.argsort(-scores, axis=2, kind="stable")
    previous = previous_levels(contexts)
    for row in range(len(contexts)):
        for lever in range(3):
            best, second = order[row, lever, :2]
            parts = (policy.weights[lever, best] - policy.weights[lever, second]) * (contexts[row] - policy.centre)
            parts[6 + lever] += policy.stay[lever] * (
                float(best == previous[row, lever]) - float(second == previous[row, lever])
            )
            strongest = np.argsort(-parts, kind="stable")[:3]
            np.testing.assert_allclose(answer["contribution"][row, lever], parts[strongest], atol=1e-5)
            np.testing.assert_allclose(parts[answer["because"][row, lever]], parts[strongest], atol=1e-5)
            if scores[row, lever, second] > -1e8:  # two levels were eligible: the parts add up to the lead
                lead = np.log(answer["distribution"][row, lever, best] / answer["distribution"][row, lever, second])
                constant = policy.bias[lever, best] - policy.bias[lever, second]
                rules = rules_levels(contexts[row : row + 1])[0, lever]
                margin = policy.rules_margin * (float(best == rules) - float(second == rules))
                assert lead * TEMPERATURE == pytest.approx(parts.sum() + constant + margin, abs=1e-4)


def test_the_same_policy_gives_the_same_bytes_and_no_training_row_is_in_them(
    policy: TargetPolicy, log: BudgetLog
) -> None:
    graph = policy_graph(policy)
    assert graph == policy_graph(policy)
    assert len(graph) < 64 * 1024
    for row in log.context[:200]:
        assert row[:6].tobytes() not in graph


def test_most_people_are_within_the_support_and_strange_contexts_are_not(policy: TargetPolicy, log: BudgetLog) -> None:
    assert policy.supported(log.context).mean() > 0.98
    assert not policy.supported(np.ones((1, 10), dtype=np.float32)).any()
