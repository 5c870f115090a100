from pathlib import Path

import numpy as np
import pytest
from hypothesis import given

from coach_model.budget.actions import eligible_levels
from coach_model.budget.coach import CONTRACT, MANY, decide, is_decision
from coach_model.budget.context import FEATURES, Contexts
from coach_model.budget.rules import rules_because, rules_levels
from coach_model.onnx_policy import OnnxPolicy, load_policy
from coach_model.policy import FallbackReason, Source
from tests.support import artifacts
from tests.support.contexts import contexts, random_contexts

EXAMPLE = np.array([[0.72, 0.45, 0.28, 0.12, 0.05, 0.4, 0.5, 0.5, 0.5, 0.5]], dtype=np.float32)
PACKAGED = load_policy(artifacts.PACKAGED, CONTRACT)


def loaded(folder: Path, graph: bytes) -> OnnxPolicy:
    artifacts.write(folder, graph)
    return load_policy(folder / "budget", CONTRACT)


@given(contexts())
def test_no_level_is_ever_ineligible_and_the_same_context_gets_the_same_answer(row: Contexts) -> None:
    for policy in (PACKAGED, FallbackReason.MODEL_UNAVAILABLE):
        first, second = decide(policy, row).rows[0], decide(policy, row.copy()).rows[0]
        assert first == second
        assert all(eligible_levels(row)[0, lever, level] for lever, level in enumerate(first.levels))


def test_a_context_gets_the_same_decision_alone_and_in_a_batch() -> None:
    rows = random_contexts(2_000, seed=3)
    batch = decide(PACKAGED, rows).rows
    assert [decide(PACKAGED, rows[i : i + 1]).rows[0] for i in range(len(rows))] == batch


def test_the_reference_example_is_answered_by_the_policy() -> None:
    decision = decide(PACKAGED, EXAMPLE).rows[0]
    assert (decision.source, decision.fallback_reason) == (Source.POLICY, None)
    assert decision.policy_id == PACKAGED.policy_id
    for reasons in decision.because:
        assert set(reasons) <= set(FEATURES)


def test_outside_of_the_support_the_rules_decide_and_say_why() -> None:
    strange = np.ones((1, 10), dtype=np.float32)
    decision = decide(PACKAGED, strange).rows[0]
    assert (decision.source, decision.fallback_reason) == (Source.RULES, FallbackReason.OUT_OF_SUPPORT)
    assert decision.levels == rules_levels(strange)[0].tolist()
    assert decision.because == rules_because(strange)[0]


@pytest.mark.parametrize(
    "tampering",
    [
        artifacts.after("distribution", "Mul", np.nan, np.float32),
        artifacts.after("distribution", "Mul", 1.5, np.float32),
        artifacts.after("distribution", "Add", 0.2, np.float32),
        artifacts.after("distribution", "Sub", 0.2, np.float32),
        artifacts.after("level", "Add", 10, np.int64),
        artifacts.after("level", "Sub", 10, np.int64),
        artifacts.after("level", "Mul", 4, np.int64),
        artifacts.after("because", "Add", 10, np.int64),
        artifacts.after("because", "Sub", 10, np.int64),
    ],
    ids=[
        *(
            "nan",
            "sum above one",
            "ineligible mass",
            "negative",
            "level too high",
            "level negative",
            "ineligible level",
        ),
        *("no such feature", "negative feature"),
    ],
)
@pytest.mark.parametrize("number", [1, MANY - 1, MANY])
def test_an_answer_that_is_no_decision_is_not_passed_on(tampering: artifacts.Edit, number: int, tmp_path: Path) -> None:
    decisions = decide(loaded(tmp_path, artifacts.edited(tampering)), np.repeat(EXAMPLE, number, axis=0))
    assert [row.source for row in decisions.rows] == [Source.RULES] * number
    assert {row.fallback_reason for row in decisions.rows} == {FallbackReason.INVALID_OUTPUT}
    assert decisions.problem is not None


def test_an_exception_inside_the_session_is_not_passed_on(tmp_path: Path) -> None:
    policy = loaded(tmp_path, artifacts.edited(artifacts.failing_on_anything_but_zero))
    decisions = decide(policy, EXAMPLE)
    assert decisions.rows[0].fallback_reason is FallbackReason.MODEL_ERROR
    assert decisions.problem is not None
    assert policy.policy_id in decisions.problem


def test_one_bad_row_does_not_spoil_the_others() -> None:
    rows = np.concatenate([EXAMPLE, np.ones((1, 10), dtype=np.float32), EXAMPLE])
    sources = [decision.source for decision in decide(PACKAGED, rows).rows]
    assert sources == [Source.POLICY, Source.RULES, Source.POLICY]


def test_a_distribution_must_be_one() -> None:
    eligible = ([True, True, False, False, False],) * 3
    good = [[0.25, 0.75, 0.0, 0.0, 0.0]] * 3
    assert is_decision(good, [1, 0, 1], eligible)
    for bad in ([0.25, 0.7, 0, 0, 0], [0.5, 0.4, 0.1, 0, 0], [1.5, -0.5, 0, 0, 0], [float("nan"), 1, 0, 0, 0]):
        assert not is_decision([*good[:2], bad], [1, 0, 1], eligible)
