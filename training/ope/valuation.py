"""The value of a policy by every estimator, with intervals. Without enough overlap there are no values."""

from dataclasses import dataclass

from data.logs.bandit import Column, LoggedBanditData
from training.ope.estimators import ESTIMATORS, Distribution, Matrix, probability_ratio
from training.ope.intervals import Interval, clustered_bootstraps, clustered_t
from training.ope.overlap import Calibration, Overlap, overlap

ROUNDING = 1e-9
UNSEEN_LEVEL = 0.025
"""One-sided error level of what was never seen."""
UNBIASED = ("ipw", "snipw", "dr", "sndr")
"""Estimators without bias or with a vanishing one, for gates. The intervals of the others do not include their bias."""


@dataclass(frozen=True)
class Value:
    """By one estimator: the value of the target policy and, with a reference policy, the difference to it."""

    estimator: str
    value: Interval
    difference: Interval | None
    bootstrap: Interval | None
    """The bootstrap interval of the difference, or of the value without a reference; q̂ is not fitted again."""


@dataclass(frozen=True)
class Valuation:
    """The values by all estimators; none without enough overlap."""

    overlap: Overlap
    values: tuple[Value, ...]


def value_of(
    log: LoggedBanditData,
    target: Distribution,
    expected_reward: Matrix,
    *,
    reference: Distribution | None = None,
    calibration: list[Calibration] | None = None,
    observation: Column | None = None,
    resamples: int = 0,
    jobs: int = 1,
    few_people: bool = False,
) -> Valuation:
    """The value of the target policy over `log` by each estimator. With `resamples` there is also a clustered bootstrap
    interval."""
    support = overlap(log, target, reference, calibration, few_people=few_people)
    if not support.sufficient:
        return Valuation(support, ())
    values = {
        name: estimator(log, target, expected_reward, observation=observation) for name, estimator in ESTIMATORS.items()
    }
    differences: dict[str, Column] = {}
    if reference is not None:
        differences = {
            name: values[name] - estimator(log, reference, expected_reward, observation=observation)
            for name, estimator in ESTIMATORS.items()
        }
    drawn: dict[str, Interval] = {}
    if resamples:
        judged = differences or values
        bootstraps = clustered_bootstraps(list(judged.values()), log.participant, resamples=resamples, jobs=jobs)
        drawn = dict(zip(judged, bootstraps, strict=True))
    largest = max(float(probability_ratio(log, policy).max()) for policy in (target, reference) if policy is not None)
    found = [
        Value(
            name,
            _uncertain(clustered_t(values[name], log.participant), log, largest),
            _uncertain(clustered_t(differences[name], log.participant), log, largest) if name in differences else None,
            drawn[name] if name in drawn and not _is_certain(drawn[name]) else None,
        )
        for name in ESTIMATORS
    ]
    return Valuation(support, tuple(found))


def _uncertain(found: Interval, log: LoggedBanditData, largest_weight: float) -> Interval:
    """The interval, also where every participant has the same value: that no other reward was seen does not mean that
    there is none. With G participants, a share of up to 1 - (α/2)^(1/G) may have another one (Clopper and Pearson
    1934), with the largest weight, anywhere in [0, 1] or in the range of the rewards if that is larger."""
    if not _is_certain(found):
        return found
    seen = log.reward[log.observed]
    low, high = min(0.0, float(seen.min())), max(1.0, float(seen.max()))
    reach = (1 - UNSEEN_LEVEL ** (1 / found.clusters)) * max(1.0, largest_weight) * (high - low)
    return Interval(found.estimate, found.error, found.estimate - reach, found.estimate + reach, found.clusters)


def _is_certain(found: Interval) -> bool:
    """Whether all values are the same, but for rounding."""
    return found.error <= ROUNDING * max(1.0, abs(found.estimate))
