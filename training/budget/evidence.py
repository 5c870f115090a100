"""Gathers the evidence of a log about a candidate: the paired difference to the rules, overlap, guardrails, segments
and missing outcomes."""

from dataclasses import dataclass, replace
from typing import Literal

import numpy as np
from scipy import stats
from sklearn.linear_model import Ridge
from sklearn.model_selection import GroupKFold
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from coach_model.budget.actions import LEVELS, LEVERS
from coach_model.budget.context import COLUMN
from coach_model.exploration import Distributions
from data.logs.bandit import Column
from data.logs.budget import BudgetLog
from training.budget.missingness import WorstCase, missing_difference, observation_probability, worst_case
from training.budget.reward_model import BASELINE_PENALTY, Standardisation, baseline_columns
from training.ope.estimators import CROSSFIT_FOLDS, Matrix, dr, sndr
from training.ope.intervals import Interval, clustered_t, confidence_sequence, holm
from training.ope.overlap import SMALLEST_EFFECTIVE_SAMPLE, Overlap, calibration, overlap

LEVEL = 0.025
"""One-sided error level of the first look at a study. Harm to segments is tested at this level at every look, so that
further looks do not make harm harder to find."""
MINIMUM_RELEVANT_DIFFERENCE = 0.03
"""In reward per week. A smaller difference is not worth a change of the policy."""
PLANNED_POWER = 0.9
SMALLEST_SEGMENT = 20
"""Participants. A smaller segment is reported as undetermined."""

type Standing = Literal["kept", "broken", "undetermined"]


@dataclass(frozen=True)
class Guardrail:
    """An outcome that a promotion must not harm: its difference must not be below minus the margin. Higher values are
    better for every guardrail."""

    name: str
    label: str
    margin: float


GUARDRAILS = (
    Guardrail("logging_days", "days with an entry, of seven", 0.35),  # a twentieth of a week
    Guardrail("needs_share", "share of needs in the next context", 0.01),  # a hundredth of the money available
    Guardrail("stays", "share who stay in the study", 0.025),  # one in forty, each week
)


@dataclass(frozen=True)
class GuardrailResult:
    """The difference of a guardrail's outcome. "broken" means that the whole interval is below minus the margin, "kept"
    that it is above, "undetermined" everything else."""

    name: str
    label: str
    margin: float
    difference: Interval | None
    standing: Standing


@dataclass(frozen=True)
class SegmentResult:
    """The difference in a segment of the participants; None when the segment is too small."""

    by: str
    name: str
    participants: int
    difference: Interval | None
    harm_p_value: float | None
    """One-sided p-value of no harm, Holm-adjusted over all segments."""
    harmed: bool


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
    worst: WorstCase | None = None
    worst_low: float | None = None
    """Lower bound of the worst case."""
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
) -> Evidence:
    """The evidence in `log` about `candidate` compared with `reference`, both (n, 3, 5), with cross-fitted q̂ (n, 3, 5).
    `observation` (n,) is the probability that the reward is observed; it is fitted when it is not given.

    With `planned_rounds` the intervals hold over repeated looks (a confidence sequence), else for one look.
    """
    support = overlap(log, candidate, reference, calibration(log))
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
    taken = np.take_along_axis(expected_reward, log.action[:, :, None], axis=2).sum(axis=(1, 2))
    modelled = float(((candidate - reference) * expected_reward).sum(axis=(1, 2)).mean())
    worst = worst_case(log, candidate, reference, log.reward - taken, modelled)
    return replace(
        evidence,
        candidate=interval(ours),
        reference=interval(theirs),
        difference=difference,
        missing=missing_difference(log, candidate, reference),
        worst=worst,
        worst_low=worst.estimate - (difference.estimate - difference.low),
        guardrails=tuple(_guardrail(log, rail, candidate, reference, confidence) for rail in GUARDRAILS),
        segments=_segments(log, ours - theirs),
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


def _guardrail(
    log: BudgetLog, rail: Guardrail, candidate: Distributions, reference: Distributions, confidence: float
) -> GuardrailResult:
    outcome = {"logging_days": log.logging_days, "needs_share": log.next_needs_share, "stays": log.stays}[rail.name]
    side = replace(log, reward=outcome)
    if not side.observed.any():
        return GuardrailResult(rail.name, rail.label, rail.margin, None, "undetermined")
    level_alone = np.repeat(_baseline(side)[:, None, None] / len(LEVERS), len(LEVERS), axis=1)
    q = np.repeat(level_alone, len(LEVELS), axis=2)
    per_round = sndr(side, candidate, q) - sndr(side, reference, q)
    difference = clustered_t(per_round, side.participant, confidence)
    standing: Standing = "undetermined"
    if difference.error == 0 and side.observed.sum() < SMALLEST_EFFECTIVE_SAMPLE:
        return GuardrailResult(rail.name, rail.label, rail.margin, None, standing)
    if difference.low >= -rail.margin:
        standing = "kept"
    elif difference.high < -rail.margin:
        standing = "broken"
    return GuardrailResult(rail.name, rail.label, rail.margin, difference, standing)


def _baseline(log: BudgetLog) -> Column:
    """(n,): the expected outcome without the levers' effects, by a ridge regression that is cross-fitted by
    participant."""
    z = Standardisation(log.context.mean(axis=0, dtype=float), np.maximum(log.context.std(axis=0, dtype=float), 0.01))
    columns = baseline_columns(log, z(log.context))
    expected = np.empty(len(log))
    for learn, judge in GroupKFold(CROSSFIT_FOLDS).split(columns, groups=log.participant):
        rows = learn[log.observed[learn]]
        model = make_pipeline(StandardScaler(), Ridge(BASELINE_PENALTY)).fit(columns[rows], log.reward[rows])
        expected[judge] = model.predict(columns[judge])
    return expected


def _segments(log: BudgetLog, per_round: Column) -> tuple[SegmentResult, ...]:
    """The difference of each segment, and whether it is harmed: the Holm-adjusted p-value is below `LEVEL`."""
    groups = [(by, name, rows) for by, names in _memberships(log).items() for name, rows in _by_name(names)]
    found: list[SegmentResult] = []
    for by, name, rows in groups:
        people = len(np.unique(log.participant[rows]))
        if people < SMALLEST_SEGMENT or rows.sum() < SMALLEST_EFFECTIVE_SAMPLE:
            found.append(SegmentResult(by, name, people, None, None, harmed=False))
            continue
        difference = clustered_t(per_round[rows], log.participant[rows], 1 - 2 * LEVEL)
        p_value = 1.0
        if difference.error > 0:
            p_value = float(stats.t.cdf(difference.estimate / difference.error, difference.clusters - 1))
        found.append(SegmentResult(by, name, people, difference, p_value, harmed=False))
    tested = [index for index, one in enumerate(found) if one.harm_p_value is not None]
    adjusted = holm(np.array([found[index].harm_p_value for index in tested], dtype=float))
    for index, p_value in zip(tested, adjusted.tolist(), strict=True):
        found[index] = replace(found[index], harm_p_value=p_value, harmed=p_value < LEVEL)
    return tuple(found)


def _memberships(log: BudgetLog) -> dict[str, list[str]]:
    """Name of a division into segments to the segment of each round; "" where it is not known."""
    risk = log.context[:, COLUMN["risk_profile"]]
    edges = np.quantile(risk, [1 / 3, 2 / 3])
    return {
        "income range": ["" if np.isnan(value) else f"{value:.0f}" for value in log.income_range],
        "profile": list(log.user_profile),
        "attitude to risk": [("cautious", "middling", "daring")[int(place)] for place in np.digitize(risk, edges)],
    }


def _by_name(names: list[str]) -> list[tuple[str, np.ndarray]]:
    array = np.array(names, dtype=str)
    return [(name, array == name) for name in sorted(set(names) - {""})]
