"""Decisions of the budget coach: the policy decides where it can be trusted, the rules decide everywhere else.

Every output of the graph is checked against the eligible levels before it is served. A broken artifact can therefore
not lead to a reckless suggestion.
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
"""Number of features that the graph returns for each lever as the reasons of its choice."""

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
"""Largest difference between one and the sum of a float32 distribution."""
CONSTRAINING_FEATURES = (("budget_used_ratio",), ("budget_used_ratio",), ("needs_share", "unexpected_share"))
"""For each lever: the features that, together with the previous level, can leave a single eligible level."""


@dataclass(frozen=True, slots=True)
class Decision:
    """One decision: the level of each lever (index into LEVELS), the source, and the features behind each lever."""

    levels: list[int]
    source: Source
    fallback_reason: FallbackReason | None
    policy_id: str
    because: list[list[str]]


@dataclass(frozen=True, slots=True)
class Decisions:
    """The decisions for n contexts, in their order. `problem` says for the log what was wrong with the policy."""

    rows: list[Decision]
    problem: str | None = None


def decide(policy: OnnxPolicy | FallbackReason, contexts: Contexts) -> Decisions:
    """Decide for valid contexts (n, 10). When there is no policy, pass the reason as `policy`."""
    if not isinstance(policy, OnnxPolicy):
        return Decisions(decide_by_rules(contexts, policy))
    try:
        answers = policy({"context": contexts})
    except Exception as error:  # noqa: BLE001 - the request needs an answer for every error of the graph
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
    """(n, 3): the levels that are served for contexts (n, 10): the policy's where it is supported, else the rules'.

    Used to evaluate an artifact. Unlike `decide`, it does not replace an invalid output by the rules' decision. Raises
    ValueError when the graph returns no valid decision.
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
    """The rules' decisions for contexts (n, 10), with `reason` as their fallback reason."""
    levels, because = rules_levels(contexts).tolist(), rules_because(contexts)
    return [
        Decision(chosen, Source.RULES, reason, RULES_VERSION, behind)
        for chosen, behind in zip(levels, because, strict=True)
    ]


def is_decision(
    distribution: list[list[float]], levels: list[int], eligible: tuple[list[bool], list[bool], list[bool]]
) -> bool:
    """Whether an output of the graph is valid: for each lever, a distribution over eligible levels and one of them."""
    for lever, allowed in enumerate(eligible):
        total = 0.0
        for probability, is_allowed in zip(distribution[lever], allowed, strict=True):
            if not (probability >= 0 if is_allowed else probability == 0):  # NaN fails both comparisons
                return False
            total += probability
        level = levels[lever]
        if not (abs(total - 1) <= SUM_TOLERANCE and 0 <= level < len(allowed) and allowed[level]):
            return False
    return True


def policy_because(
    because: list[list[int]], contribution: list[list[float]], eligible: tuple[list[bool], list[bool], list[bool]]
) -> list[list[str]]:
    """For each lever, the features that changed the choice most, strongest first. Where only one level was eligible:
    the features that made it the only one."""
    return [
        [*CONSTRAINING_FEATURES[lever], FEATURES[PREVIOUS.start + lever]]
        if sum(allowed) == 1
        else [FEATURES[i] for i, part in zip(because[lever], contribution[lever], strict=True) if part > 0]
        for lever, allowed in enumerate(eligible)
    ]
