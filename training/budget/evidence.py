"""Gathers the evidence of a log about a candidate: the paired difference to the rules, overlap, guardrails, segments
and missing outcomes."""

from dataclasses import dataclass, replace

import numpy as np
from scipy import stats

from coach_model.exploration import Distributions
from data.logs.bandit import Column
from data.logs.budget import BudgetLog
from training.budget.guardrails import GUARDRAILS, MINIMUM_RELEVANT_DIFFERENCE, GuardrailResult, guardrail_of
from training.budget.missingness import missing_difference, observation_probability
from training.budget.segments import LEVEL, SegmentResult, segments_of
from training.budget.selection import STATED_ODDS_RATIO, Selection, selection
from training.ope.estimators import Matrix, dr
from training.ope.intervals import Interval, clustered_t, confidence_sequence
from training.ope.overlap import Overlap, calibration, overlap

PLANNED_POWER = 0.9


@dataclass(frozen=True)
class Evidence:
    """The evidence about a candidate compared with the reference. Without enough overlap, the fields after `overlap`
    keep their defaults."""

    participants: int
    rounds: int
    observed_share: float
    phase: str
    level: float
    """One-sided error level of the intervals."""
    method: str
    overlap: Overlap
    candidate: Interval | None = None
    reference: Interval | None = None
    difference: Interval | None = None
    missing: Interval | None = None
    selection: Selection | None = None
    """What missing outcomes could hide."""
    guardrails: tuple[GuardrailResult, ...] = ()
    segments: tuple[SegmentResult, ...] = ()
    participants_needed: int | None = None
    """Total number of participants needed to detect the minimum relevant difference."""


def gather(
    log: BudgetLog,
    candidate: Distributions,
    reference: Distributions,
    expected_reward: Matrix,
    *,
    level: float = LEVEL,
    planned_rounds: int | None = None,
    observation: Column | None = None,
    odds_ratio: float = STATED_ODDS_RATIO,
    few_people: bool = False,
) -> Evidence:
    """The evidence in `log` about `candidate` compared with `reference`, both (n, 3, 5), with cross-fitted q̂ (n, 3, 5).
    `observation` (n,) is the probability that the reward is observed; it is fitted when it is not given.

    With `planned_rounds` the intervals hold over repeated looks (a confidence sequence), else for one look.
    `odds_ratio` is the stated limit of selection by missing outcomes (`training.budget.selection`). `few_people`
    allows one participant a larger share of the weight than 5 %.
    """
    support = overlap(log, candidate, reference, calibration(log), few_people=few_people)
    evidence = Evidence(
        participants=len(np.unique(log.participant)),
        rounds=len(log),
        observed_share=float(log.observed.mean()),
        phase=" and ".join(sorted(set(log.phase))),
        level=level,
        method="cluster-robust t" if planned_rounds is None else "asymptotic confidence sequence",
        overlap=support,
    )
    if not support.sufficient:
        return evidence

    confidence = 1 - 2 * level

    def interval(per_round: Column) -> Interval:
        if planned_rounds is None:
            return clustered_t(per_round, log.participant, confidence)
        return confidence_sequence(per_round, log.participant, confidence, planned_rounds=planned_rounds)

    seen = observation_probability(log) if observation is None else observation
    ours, theirs = (dr(log, policy, expected_reward, observation=seen) for policy in (candidate, reference))
    difference = interval(ours - theirs)
    return replace(
        evidence,
        candidate=interval(ours),
        reference=interval(theirs),
        difference=difference,
        missing=missing_difference(log, candidate, reference),
        selection=selection(log, (candidate, reference), expected_reward, seen, interval, odds_ratio),
        guardrails=tuple(guardrail_of(log, rail, candidate, reference, confidence) for rail in GUARDRAILS),
        segments=segments_of(log, ours - theirs),
        participants_needed=participants_needed(difference, level),
    )


def participants_needed(difference: Interval, level: float) -> int:
    """The number of participants that detects the minimum relevant difference with `PLANNED_POWER`, for the spread and
    the number of weeks in the log.

    It does not depend on the observed difference. Otherwise more and more data would be requested until a chance result
    is positive.
    """
    spread = difference.error * np.sqrt(difference.clusters)
    reach = stats.norm.ppf(1 - level) + stats.norm.ppf(PLANNED_POWER)
    return int(np.ceil((reach * spread / MINIMUM_RELEVANT_DIFFERENCE) ** 2))
