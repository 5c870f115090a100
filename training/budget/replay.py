"""Replays a log. Every draw is repeated bit for bit from its logged probabilities and seed, and every probability is
recomputed from context, rules and artifacts."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt

from coach_model.budget.actions import LEVELS, LEVERS, eligible_levels
from coach_model.budget.coach import composite_levels
from coach_model.budget.context import FEATURES, validated
from coach_model.budget.rules import RULES_VERSION, rules_levels
from coach_model.budget.study import COIN, FAIR, Phase
from coach_model.exploration import draw, explored, joint_probability, one_hot, uniform
from coach_model.onnx_policy import OnnxPolicy
from data.packages.reader import Columns, InvalidPackage, Package
from data.schema.learning import NO_STUDY

TOLERANCE = 1e-6
"""Largest allowed difference of a recomputed probability from the logged one."""
type Rows = npt.NDArray[np.bool_]


@dataclass(frozen=True)
class Replay:
    """The result of a replay. `differences` counts the rows with a difference, by kind."""

    decisions: int
    drawn: int
    largest_gap: float
    """The largest difference between a recomputed and a logged probability."""
    differences: dict[str, int]
    without_artifact: dict[str, int] = field(default_factory=dict)
    """Policy id to the number of decisions that could not be recomputed, because the artifact was not given."""

    @property
    def identical(self) -> bool:
        return not any(self.differences.values())


def replay(package: Package, artifacts: Mapping[str, OnnxPolicy]) -> Replay:
    """Replay all decisions of a package, part by part. `artifacts` maps `policy_id` to the policy. Raises
    InvalidPackage when there are no decisions."""
    if "decisions" not in package.tables:
        raise InvalidPackage(f"{package.path}: there are no decisions to replay")
    found = [_replay(part, artifacts) for part in package.parts("decisions") if len(part["decision_id"])]
    if not found:
        raise InvalidPackage(f"{package.path}: there are no decisions to replay")
    return Replay(
        decisions=sum(part.decisions for part in found),
        drawn=sum(part.drawn for part in found),
        largest_gap=max(part.largest_gap for part in found),
        differences={name: sum(part.differences[name] for part in found) for name in found[0].differences},
        without_artifact=dict(sum((Counter(part.without_artifact) for part in found), Counter())),
    )


def _replay(decisions: Columns, artifacts: Mapping[str, OnnxPolicy]) -> Replay:
    """Replay a part of the decisions."""
    contexts = validated(np.stack([decisions[name] for name in FEATURES], axis=1))
    phase, component = decisions["phase"].astype(str), decisions["component"].astype(str)
    taken = _levels(decisions, "level")
    probabilities = [[decisions[f"prob_{lever}_{level}"] for level in range(len(LEVELS))] for lever in LEVERS]
    logged = np.array(probabilities, dtype=np.float64).transpose(2, 0, 1)
    seeds = [str(seed) for seed in decisions["seed"]]
    drawn, confirm = phase != NO_STUDY, phase == Phase.CONFIRM
    eligible, by_rules = eligible_levels(contexts), rules_levels(contexts)

    levels = np.where(drawn[:, None], draw(seeds, logged), taken)
    coin = np.array([uniform(seed, COIN) >= FAIR for seed in seeds])
    candidate = _levels(decisions, "candidate")
    base, known, absent = _base_levels(decisions, contexts, by_rules, candidate, artifacts)
    epsilon = decisions["epsilon"].astype(np.float64)[:, None, None]
    expected = explored(one_hot(base, len(LEVELS)), eligible, epsilon)
    gap = np.where(known[:, None, None], np.abs(expected - logged), 0).max(axis=(1, 2))
    propensity = joint_probability(logged, taken)
    components = [one_hot(np.maximum(policy, 0), len(LEVELS)) for policy in (by_rules, candidate)]
    component_propensities = [joint_probability(explored(policy, eligible, epsilon), taken) for policy in components]
    propensity = np.where(confirm, (component_propensities[0] + component_propensities[1]) / 2, propensity)
    propensity_gap = np.abs(propensity - decisions["propensity"].astype(np.float64))
    differences = {
        "drawn levels": levels != taken,
        "component": (confirm & (coin != (component == "candidate")))[:, None],
        "eligible levels": (_eligible(decisions) != eligible).any(axis=2),
        "levels of the rules": _levels(decisions, "rules") != by_rules,
        "levels of the candidate": _other_candidate(decisions, contexts, candidate, artifacts),
        "probabilities": gap[:, None] > TOLERANCE,
        "propensity": propensity_gap[:, None] > TOLERANCE,
    }
    counts = {name: int(rows.any(axis=1).sum()) for name, rows in differences.items()}
    largest = float(max(gap.max(), propensity_gap.max()))
    names = [name for name in decisions["candidate_id"] if name is not None and name not in artifacts]
    absent = dict(Counter(absent) + Counter(names))
    return Replay(len(seeds), int(drawn.sum()), largest, counts, absent)


def _base_levels(
    decisions: Mapping[str, Any],
    contexts: npt.NDArray[np.float32],
    by_rules: npt.NDArray[np.int64],
    candidate: npt.NDArray[np.int64],
    artifacts: Mapping[str, OnnxPolicy],
) -> tuple[npt.NDArray[np.int64], Rows, dict[str, int]]:
    """(n, 3) the base levels of each draw, (n,) whether they are known, and the policies without an artifact with their
    numbers of decisions."""
    component, policy = decisions["component"].astype(str), decisions["policy_id"].astype(str)
    base = np.where((component == "candidate")[:, None], candidate, by_rules)
    known, absent = np.ones(len(base), dtype=bool), {}
    by_fallback = decisions["fallback_reason"] != None  # noqa: E711 - an array of objects
    for policy_id in sorted(set(policy[(component == "coach") & ~by_fallback]) - {RULES_VERSION}):
        rows = (component == "coach") & (policy == policy_id) & ~by_fallback
        if policy_id in artifacts:
            base[rows] = composite_levels(artifacts[policy_id], contexts[rows])
        else:
            known[rows] = False
            absent[policy_id] = int(rows.sum())
    return base, known, absent


def _other_candidate(
    decisions: Mapping[str, Any],
    contexts: npt.NDArray[np.float32],
    candidate: npt.NDArray[np.int64],
    artifacts: Mapping[str, OnnxPolicy],
) -> Rows:
    """(n, 3): True where the candidate's artifact takes another level than the log states."""
    differs = np.zeros(candidate.shape, dtype=bool)
    names = np.array(["" if name is None else name for name in decisions["candidate_id"]], dtype=str)
    for policy_id in sorted(set(names) & set(artifacts)):
        rows = names == policy_id
        differs[rows] = composite_levels(artifacts[policy_id], contexts[rows]) != candidate[rows]
    return differs


def _levels(decisions: Mapping[str, Any], prefix: str) -> npt.NDArray[np.int64]:
    columns = [decisions[f"{prefix}_{lever}"].astype(np.float64) for lever in LEVERS]
    return np.nan_to_num(np.stack(columns, axis=1), nan=-1).astype(np.int64)


def _eligible(decisions: Mapping[str, Any]) -> Rows:
    return np.array(
        [[[digit == "1" for digit in row] for row in decisions[f"eligible_{lever}"]] for lever in LEVERS]
    ).transpose(1, 0, 2)
