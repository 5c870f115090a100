"""Overlap of a log and a policy. Without enough overlap no value is reported."""

from dataclasses import dataclass, field

import numpy as np
from scipy import stats

from coach_model.budget.actions import LEVELS, LEVERS
from coach_model.exploration import one_hot
from data.logs.bandit import Column, LoggedBanditData
from data.logs.budget import BudgetLog
from training.ope.estimators import Distribution, importance_weight, probability_ratio
from training.ope.intervals import clustered_t, holm

SMALLEST_EFFECTIVE_SAMPLE = 100
"""In rounds. With fewer, the coverage of intervals is too low: SNIPW covered 85 % at 21 and 95 % at 93
(docs/science.md)."""
LARGEST_PARTICIPANT_SHARE = 0.05
"""Largest share of the total weight that one participant may have."""
WEIGHT_CONFIDENCE = 0.999
"""Confidence of the interval of the mean weight over all rounds, which must contain 1. With right propensities one log
in a thousand fails this check."""
CALIBRATION_LEVEL = 0.001
"""Family-wise error level of the test that a level was drawn with its logged probability."""
FEWEST_EXPECTED = 10
"""Minimum number of expected draws of a level for the test; with fewer the normal approximation is too rough."""
SAME = 1e-9
"""Two policies whose probabilities differ by less than this are the same in a round."""


@dataclass(frozen=True)
class Weights:
    """A summary of a policy's importance weights over some rounds."""

    effective_sample_size: float
    """(Σw)² / Σw², in rounds."""
    mean: float
    largest: float
    largest_participant_share: float


@dataclass(frozen=True)
class Calibration:
    """The share of draws of a level, and the expected share by the logged probabilities."""

    lever: str
    level: int
    drawn: float
    expected: float
    p_value: float
    """Two-sided, not adjusted."""


@dataclass(frozen=True)
class Overlap:
    """The overlap for a comparison. `problems` is empty when a value may be reported."""

    differ_share: float
    """Share of rounds in which the two policies differ."""
    overall: Weights
    """The candidate's weights over all rounds."""
    differing: Weights
    """The weights over the rounds in which the policies differ, of the policy with the smaller effective sample
    size."""
    calibration: list[Calibration] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)

    @property
    def sufficient(self) -> bool:
        """Whether a value may be reported."""
        return not self.problems


def weights_over(log: LoggedBanditData, weight: Column) -> Weights:
    """The summary of `weight` (n,). When all weights are zero, the effective sample size is 0."""
    total = float(weight.sum())
    if total == 0:
        return Weights(0.0, 0.0, 0.0, 1.0)
    largest = float(np.bincount(log.participant, weight).max() / total)
    return Weights(float(total**2 / (weight**2).sum()), float(weight.mean()), float(weight.max()), largest)


def overlap(
    log: LoggedBanditData,
    candidate: Distribution,
    reference: Distribution | None = None,
    calibration: list[Calibration] | None = None,
    *,
    few_people: bool = False,
) -> Overlap:
    """Check whether `log` supports the candidate's value, or its difference to the `reference` policy.

    The checks are the effective sample size where they differ, the largest share of one participant, the mean weight,
    and the calibration of the logged propensities if it is given. `few_people` leaves the share of one participant
    out, for trials of fewer than twenty people that are known to be so; it widens nothing.
    """
    weight = importance_weight(log, candidate)
    policies = [candidate]
    differ = np.ones(len(log), dtype=bool)
    if reference is not None:
        policies.append(reference)
        axes = tuple(range(1, candidate.ndim))
        differ = np.abs(candidate - reference).max(axis=axes) > SAME
    over = [weights_over(log, np.where(differ, importance_weight(log, policy), 0)) for policy in policies]
    weakest = min(over, key=lambda found: found.effective_sample_size)
    share = max(found.largest_participant_share for found in over)
    weakest = Weights(weakest.effective_sample_size, weakest.mean, weakest.largest, share)
    problems = []
    if not differ.any():
        problems.append("the policies take the same decisions everywhere")
    else:
        if weakest.effective_sample_size < SMALLEST_EFFECTIVE_SAMPLE:
            size, least = weakest.effective_sample_size, SMALLEST_EFFECTIVE_SAMPLE
            problems.append(f"effective sample size {size:.0f} where the policies differ, at least {least} are needed")
        if share > LARGEST_PARTICIPANT_SHARE and not few_people:
            problems.append(
                f"one participant carries {share:.0%} of the weight, {LARGEST_PARTICIPANT_SHARE:.0%} at most"
            )
        problems += _mean_weight_problem(log, probability_ratio(log, candidate))
    problems += _calibration_problems(calibration or [])
    return Overlap(float(differ.mean()), weights_over(log, weight), weakest, calibration or [], problems)


def calibration(log: BudgetLog) -> list[Calibration]:
    """For each lever and level, test whether it was drawn as often as its logged probabilities imply.

    It is the score test of Σ 1{A = a} - p(a) with the known variance Σ p (1 - p): given the past, draws are
    independent, also those of one participant. Levels with too few expected draws are not tested (p-value 1).
    """
    drawn = one_hot(log.action, len(LEVELS))
    found = []
    for lever, name in enumerate(LEVERS):
        for level in range(len(LEVELS)):
            expected = log.distributions[:, lever, level]
            variance, p_value = float((expected * (1 - expected)).sum()), 1.0
            if min(expected.sum(), (1 - expected).sum(), variance) >= FEWEST_EXPECTED:
                gap = float((drawn[:, lever, level] - expected).sum())
                p_value = float(2 * stats.norm.sf(abs(gap) / np.sqrt(variance)))
            found.append(
                Calibration(name, level, float(drawn[:, lever, level].mean()), float(expected.mean()), p_value)
            )
    return found


def _mean_weight_problem(log: LoggedBanditData, weight: Column) -> list[str]:
    """`weight` is that of all rounds: over the observed ones alone the mean is not 1 if one policy's weeks are observed
    more often, and a million rounds show a difference of one in a hundred."""
    if len(np.unique(log.participant)) == 1:
        return ["there is one participant"]
    around = clustered_t(weight, log.participant, WEIGHT_CONFIDENCE)
    if around.low <= 1 <= around.high:
        return []
    return [f"the mean weight is {around.estimate:.3f} ({around.low:.3f} to {around.high:.3f}) and should be 1"]


def _calibration_problems(found: list[Calibration]) -> list[str]:
    adjusted = holm(np.array([one.p_value for one in found]))
    return [
        f"{one.lever} level {one.level} was drawn in {one.drawn:.1%}, its probabilities say {one.expected:.1%}"
        for one, p_value in zip(found, adjusted, strict=True)
        if p_value < CALIBRATION_LEVEL
    ]
