"""The budget coach decides: the policy where it can be trusted, the rules everywhere else.

Whatever the graph answers is checked against eligibility before anyone hears it, so that no artifact, however
broken, can make the coach say something reckless.
"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from coach_model.budget.actions import LEVELS, LEVERS, PREVIOUS, Eligible, Levels, eligible_levels
from coach_model.budget.actions import SCHEMA_VERSION as ACTION_SCHEMA
from coach_model.budget.context import FEATURES, Contexts
from coach_model.budget.context import SCHEMA_VERSION as CONTEXT_SCHEMA
from coach_model.budget.rules import RULES_VERSION, rules_because, rules_levels
from coach_model.onnx_policy import Contract, OnnxPolicy
from coach_model.policy import FallbackReason, Source

REASONS = 3
"""How many features the graph names for each lever."""

CONTRACT = Contract(
    coach="budget",
    context_schema=CONTEXT_SCHEMA,
    action_schema=ACTION_SCHEMA,
    inputs={"context": ("tensor(float)", (None, len(FEATURES)))},
    outputs={
        "distribution": ("tensor(float)", (None, len(LEVERS), len(LEVELS))),
        "level": ("tensor(int64)", (None, len(LEVERS))),
        "supported": ("tensor(bool)", (None,)),
        "because": ("tensor(int64)", (None, len(LEVERS), REASONS)),
        "contribution": ("tensor(float)", (None, len(LEVERS), REASONS)),
    },
)

SUM_TOLERANCE = 1e-3
"""How far a float32 distribution may be from summing to one."""
HELD_BY = (("budget_used_ratio",), ("budget_used_ratio",), ("needs_share", "unexpected_share"))
"""By lever, the features that can leave a single eligible level, together with the previous one."""


@dataclass(frozen=True, slots=True)
class Decision:
    """One decision: the level of each lever (index into LEVELS), who decided, and the features behind each lever."""

    levels: tuple[int, int, int]
    source: Source
    fallback_reason: FallbackReason | None
    policy_id: str
    because: tuple[list[str], list[str], list[str]]


@dataclass(frozen=True, slots=True)
class Decisions:
    """The decisions for some contexts, in their order, and what went wrong on the way, for the log."""

    rows: list[Decision]
    problem: str | None = None


def decide(policy: OnnxPolicy | FallbackReason, contexts: Contexts) -> Decisions:
    """Decide for valid contexts (n, 10). Without a policy, `policy` says why there is none."""
    if not isinstance(policy, OnnxPolicy):
        return Decisions(decide_by_rules(contexts, policy))
    try:
        distribution, level, supported, because, contribution = policy({"context": contexts})
    except Exception as error:  # noqa: BLE001 - whatever fails inside the graph, a person waits for an answer
        problem = f"{policy.policy_id}: {type(error).__name__}: {str(error)[:200]}"
        return Decisions(decide_by_rules(contexts, FallbackReason.MODEL_ERROR), problem)
    eligible = eligible_levels(contexts)
    valid = are_valid(distribution, level, eligible)
    if valid.all() and supported.all():
        return Decisions(_by_policy(policy.policy_id, level, because, contribution, eligible))
    return _mixed(policy.policy_id, contexts, valid, supported, (level, because, contribution, eligible))


def decide_by_rules(contexts: Contexts, reason: FallbackReason) -> list[Decision]:
    """The rules' decisions for contexts (n, 10)."""
    levels, because = rules_levels(contexts).tolist(), rules_because(contexts)
    return [
        Decision(tuple(chosen), Source.RULES, reason, RULES_VERSION, tuple(behind))
        for chosen, behind in zip(levels, because, strict=True)
    ]


def are_valid(distribution: npt.NDArray[np.float32], level: Levels, eligible: Eligible) -> npt.NDArray[np.bool_]:
    """(n,): whether the graph's answer is a decision at all: a distribution over eligible levels, and one of them."""
    possible = distribution * eligible
    sums = possible.sum(axis=2)
    proper = (np.abs(sums - 1) <= SUM_TOLERANCE) & (distribution.min(axis=2) >= 0)  # NaN fails both
    in_range = (level >= 0) & (level < len(LEVELS))
    taken = np.take_along_axis(eligible, np.where(in_range, level, 0)[:, :, None], axis=2)[:, :, 0]
    valid: npt.NDArray[np.bool_] = (proper & in_range & taken).all(axis=1)
    return valid


def _by_policy(
    policy_id: str,
    level: Levels,
    because: npt.NDArray[np.int64],
    contribution: npt.NDArray[np.float32],
    eligible: Eligible,
) -> list[Decision]:
    single = (eligible.sum(axis=2) == 1).tolist()
    return [
        Decision(
            tuple(chosen),
            Source.POLICY,
            None,
            policy_id,
            tuple(
                [*HELD_BY[lever], FEATURES[PREVIOUS.start + lever]]
                if alone[lever]
                else [FEATURES[i] for i, part in zip(features[lever], parts[lever], strict=True) if part > 0]
                for lever in range(len(LEVERS))
            ),
        )
        for chosen, features, parts, alone in zip(
            level.tolist(), because.tolist(), contribution.tolist(), single, strict=True
        )
    ]


def _mixed(
    policy_id: str,
    contexts: Contexts,
    valid: npt.NDArray[np.bool_],
    supported: npt.NDArray[np.bool_],
    answer: tuple[Levels, npt.NDArray[np.int64], npt.NDArray[np.float32], Eligible],
) -> Decisions:
    """Row by row: the policy where its answer is valid and supported, the rules elsewhere."""
    trusted = valid & supported
    rows: list[Decision | None] = [None] * len(contexts)
    groups = (
        (trusted, _by_policy(policy_id, *(part[trusted] for part in answer))),
        (~valid, decide_by_rules(contexts[~valid], FallbackReason.INVALID_OUTPUT)),
        (valid & ~supported, decide_by_rules(contexts[valid & ~supported], FallbackReason.OUT_OF_SUPPORT)),
    )
    for where, decisions in groups:
        for row, decision in zip(np.flatnonzero(where).tolist(), decisions, strict=True):
            rows[row] = decision
    problem = None if valid.all() else f"{policy_id}: {int((~valid).sum())} answers were no valid decision"
    return Decisions([row for row in rows if row is not None], problem)
