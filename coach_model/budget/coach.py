"""Decisions of the budget coach: the policy decides where it can be trusted, the rules decide everywhere else.

Every output of the graph is checked against the eligible levels before it is served. A broken artifact can therefore
not lead to a reckless suggestion.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from coach_model.budget.actions import (
    LEVELS,
    LEVERS,
    PREVIOUS,
    Eligible,
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
MANY = 8
"""Rows from which numpy over all of them is faster than Python for each."""
PLACES = np.arange(len(LEVELS))
ONES = np.ones(len(LEVELS), dtype=np.int64)
REASON_BASE = len(FEATURES) + 1
REASON_DIGITS = REASON_BASE ** np.arange(REASONS)[::-1]
"""The reasons of a lever in one number: a digit for each, 0 for none, else the index of the feature plus one."""
ONLY_LEVEL = -1
"""In place of such a number, where only one level was eligible."""
CONSTRAINING_FEATURES = (("budget_used_ratio",), ("budget_used_ratio",), ("needs_share", "unexpected_share"))
"""For each lever: the features that, together with the previous level, can leave a single eligible level."""


class Decision(NamedTuple):
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
    rows, valid = (_few if len(contexts) < MANY else _many)(policy.policy_id, contexts, answers)
    supported: list[bool] = answers[2][:, 0].tolist()
    if all(valid) and all(supported):
        return Decisions(rows)
    invalid = [place for place, is_valid in enumerate(valid) if not is_valid]
    unknown = [place for place, is_valid in enumerate(valid) if is_valid and not supported[place]]
    for reason, places in ((FallbackReason.INVALID_OUTPUT, invalid), (FallbackReason.OUT_OF_SUPPORT, unknown)):
        for place, decision in zip(places, decide_by_rules(contexts[places], reason), strict=True):
            rows[place] = decision
    return Decisions(rows, f"{policy.policy_id}: {len(invalid)} answers were no valid decision" if invalid else None)


type Valid = list[bool]
"""For each row, whether the graph's answer is a valid decision."""


def _few(policy_id: str, contexts: Contexts, answers: Sequence[npt.NDArray[Any]]) -> tuple[list[Decision], Valid]:
    """What the graph decided, and what is valid of it, row by row."""
    rows, valid = [], []
    essentials = essential_shares(contexts).tolist()
    for context, essential, distribution, levels, _, because, contribution in zip(
        contexts.tolist(), essentials, *(answer.tolist() for answer in answers), strict=True
    ):
        eligible = eligible_levels_of(context, essential)
        named = all(min(lever) >= 0 and max(lever) < len(FEATURES) for lever in because)
        valid.append(named and is_decision(distribution, levels, eligible))
        reasons = policy_because(because, contribution, eligible) if named else []
        rows.append(Decision(levels, Source.POLICY, None, policy_id, reasons))
    return rows, valid


def _many(policy_id: str, contexts: Contexts, answers: Sequence[npt.NDArray[Any]]) -> tuple[list[Decision], Valid]:
    """The same for all rows at once: numpy takes as long for one row as for some hundred. A test compares both."""
    distribution, levels, _, because, contribution = answers
    eligible = eligible_levels(contexts)
    named = (because >= 0) & (because < len(FEATURES))
    reasons = np.where((contribution > 0) & named, because + 1, 0) @ REASON_DIGITS
    reasons[eligible @ ONES == 1] = ONLY_LEVEL
    rows = [
        Decision(row, Source.POLICY, None, policy_id, [_reasons(0, wants), _reasons(1, culture), _reasons(2, savings)])
        for row, (wants, culture, savings) in zip(levels.tolist(), reasons.tolist(), strict=True)
    ]
    valid: Valid = (are_decisions(distribution, levels, eligible) & named.all(axis=(1, 2))).tolist()
    return rows, valid


@cache  # there are at most 3 × (11³ + 1)
def _reasons(lever: int, digits: int) -> list[str]:
    """The features behind a lever, from their digits."""
    if digits == ONLY_LEVEL:
        return [*CONSTRAINING_FEATURES[lever], FEATURES[PREVIOUS.start + lever]]
    places = [digits // int(digit) % REASON_BASE for digit in REASON_DIGITS]
    return [FEATURES[place - 1] for place in places if place > 0]


def composite_levels(policy: OnnxPolicy, contexts: Contexts) -> Levels:
    """(n, 3): the levels that are served for contexts (n, 10): the policy's where it is supported, else the rules'.

    Used to evaluate an artifact. Unlike `decide`, it does not replace an invalid output by the rules' decision. Raises
    ValueError when the graph returns no valid decision.
    """
    distribution, level, supported, *_ = policy({"context": contexts})
    if not are_decisions(distribution, level, eligible_levels(contexts)).all():
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


def are_decisions(distribution: npt.NDArray[np.float32], levels: Levels, eligible: Eligible) -> npt.NDArray[np.bool_]:
    """(n,): `is_decision` for n outputs of the graph, (n, 3, 5) and (n, 3), with the eligible levels (n, 3, 5)."""
    possible = (distribution >= 0) & (eligible | (distribution == 0))  # NaN fails both comparisons
    sums = np.abs(distribution.sum(axis=2, dtype=np.float64) - 1) <= SUM_TOLERANCE
    chosen = eligible & (levels[:, :, None] == PLACES)
    valid: npt.NDArray[np.bool_] = (possible.all(axis=2) & sums & chosen.any(axis=2)).all(axis=1)
    return valid


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
