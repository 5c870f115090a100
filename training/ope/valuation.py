"""The value of a policy by every estimator, with intervals. Without enough overlap there are no values."""

from dataclasses import dataclass

from data.logs.bandit import Column, LoggedBanditData
from training.ope.estimators import ESTIMATORS, Distribution, Matrix
from training.ope.intervals import Interval, clustered_bootstraps, clustered_t
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
    found = [
        Value(
            name,
            clustered_t(values[name], log.participant),
            clustered_t(differences[name], log.participant) if name in differences else None,
            drawn.get(name),
        )
        for name in ESTIMATORS
    ]
    return Valuation(support, tuple(found))
