"""The value of a policy by every estimator, with intervals. Without enough overlap there are no values."""

from dataclasses import dataclass

from data.logs.bandit import Column, LoggedBanditData
from training.ope.estimators import ESTIMATORS, Distribution, Matrix
from training.ope.intervals import Interval, clustered_bootstrap, clustered_t
from training.ope.overlap import Calibration, Overlap, overlap

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
) -> Valuation:
    """The value of the target policy over `log` by each estimator. With `resamples` there is also a clustered bootstrap
    interval."""
    support = overlap(log, target, reference, calibration)
    if not support.sufficient:
        return Valuation(support, ())
    found = []
    for name, estimator in ESTIMATORS.items():
        rounds = estimator(log, target, expected_reward, observation=observation)
        paired = None
        if reference is not None:
            paired = rounds - estimator(log, reference, expected_reward, observation=observation)
        judged = rounds if paired is None else paired
        drawn = clustered_bootstrap(judged, log.participant, resamples=resamples, jobs=jobs) if resamples else None
        difference = None if paired is None else clustered_t(paired, log.participant)
        found.append(Value(name, clustered_t(rounds, log.participant), difference, drawn))
    return Valuation(support, tuple(found))
