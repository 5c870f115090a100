"""The budget coach decides: the policy where it can be trusted, the rules everywhere else.

Whatever the graph answers is checked against eligibility before anyone hears it, so that no artifact, however
broken, can make the coach say something reckless.
"""

from dataclasses import dataclass

import numpy as np

from coach_model.budget.actions import (
    LEVELS,
    LEVERS,
    PREVIOUS,
    Levels,
    eligible_levels,
    eligible_levels_of,
    essential_shares,
)
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
        "supported": ("tensor(bool)", (None, 1)),
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

    levels: list[int]
    source: Source
    fallback_reason: FallbackReason | None
    policy_id: str
    because: list[list[str]]


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
        answers = policy({"context": contexts})
    except Exception as error:  # noqa: BLE001 - whatever fails inside the graph, a person waits for an answer
        problem = f"{policy.policy_id}: {type(error).__name__}: {str(error)[:200]}"
        return Decisions(decide_by_rules(contexts, FallbackReason.MODEL_ERROR), problem)
    rows: list[Decision] = []
    untrusted: dict[FallbackReason, list[int]] = {}
    essentials = essential_shares(contexts).tolist()
    for row, (context, essential, distribution, levels, supported, because, contribution) in enumerate(
        zip(contexts.tolist(), essentials, *(answer.tolist() for answer in answers), strict=True)
    ):
        eligible = eligible_levels_of(context, essential)
        if not is_decision(distribution, levels, eligible):
            untrusted.setdefault(FallbackReason.INVALID_OUTPUT, []).append(row)
        elif not supported[0]:
            untrusted.setdefault(FallbackReason.OUT_OF_SUPPORT, []).append(row)
        reasons = policy_because(because, contribution, eligible)
        rows.append(Decision(levels, Source.POLICY, None, policy.policy_id, reasons))
    for reason, places in untrusted.items():
        for place, decision in zip(places, decide_by_rules(contexts[places], reason), strict=True):
            rows[place] = decision
    invalid = len(untrusted.get(FallbackReason.INVALID_OUTPUT, ()))
    return Decisions(rows, f"{policy.policy_id}: {invalid} answers were no valid decision" if invalid else None)


def composite_levels(policy: OnnxPolicy, contexts: Contexts) -> Levels:
    """(n, 3): what would be served for contexts (n, 10): the policy where it may speak, the rules elsewhere.

    Unlike `decide` it trusts the graph: for judging an artifact, which is refused where its graph answers nonsense.
    Raises ValueError where it does.
    """
    distribution, level, supported, *_ = policy({"context": contexts})
    eligible = eligible_levels(contexts)
    taken = np.take_along_axis(eligible, np.clip(level, 0, len(LEVELS) - 1)[:, :, None], axis=2)
    sums = np.abs(distribution.sum(axis=2) - 1)
    if not (taken.all() and ((level >= 0) & (level < len(LEVELS))).all() and (sums <= SUM_TOLERANCE).all()):
        raise ValueError(f"{policy.policy_id} answers with what is no decision")
    levels: Levels = np.where(supported, level, rules_levels(contexts))
    return levels


def decide_by_rules(contexts: Contexts, reason: FallbackReason) -> list[Decision]:
    """The rules' decisions for contexts (n, 10)."""
    levels, because = rules_levels(contexts).tolist(), rules_because(contexts)
    return [
        Decision(chosen, Source.RULES, reason, RULES_VERSION, behind)
        for chosen, behind in zip(levels, because, strict=True)
    ]


def is_decision(
    distribution: list[list[float]], levels: list[int], eligible: tuple[list[bool], list[bool], list[bool]]
) -> bool:
    """Whether a graph's answer is a decision at all: by lever a distribution over eligible levels, and one of them."""
    for lever, allowed in enumerate(eligible):
        total = 0.0
        for probability, may in zip(distribution[lever], allowed, strict=True):
            if not (probability >= 0 if may else probability == 0):  # NaN is neither
                return False
            total += probability
        level = levels[lever]
        if not (abs(total - 1) <= SUM_TOLERANCE and 0 <= level < len(allowed) and allowed[level]):
            return False
    return True


def policy_because(
    because: list[list[int]], contribution: list[list[float]], eligible: tuple[list[bool], list[bool], list[bool]]
) -> list[list[str]]:
    """By lever, the features that moved the choice most, strongest first; where only one level was eligible, the
    features that left no other."""
    return [
        [*HELD_BY[lever], FEATURES[PREVIOUS.start + lever]]
        if sum(allowed) == 1
        else [FEATURES[i] for i, part in zip(because[lever], contribution[lever], strict=True) if part > 0]
        for lever, allowed in enumerate(eligible)
    ]
