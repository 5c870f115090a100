"""What a policy is worth by every estimator, with its interval; nothing where the log says too little about it."""

from dataclasses import dataclass

from data.logged import Column, LoggedBanditData
from training.estimators import ESTIMATORS, Distribution
from training.intervals import Interval, clustered_bootstrap, clustered_t
from training.overlap import Calibration, Overlap, overlap
from training.reward_model import Matrix

UNBIASED = ("ipw", "snipw", "dr", "sndr")
"""For gates; the others trade bias for variance, and their intervals do not know it."""


@dataclass(frozen=True)
class Value:
    """By one estimator: what the target is worth, and how much more than the reference, where there is one."""

    estimator: str
    value: Interval
    difference: Interval | None
    bootstrap: Interval | None
    """Of the difference, else of the value; q̂ is fixed within it."""


@dataclass(frozen=True)
class Valuation:
    """All of them; none without overlap."""

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
    """The target's value over `log` by each estimator; with `resamples` a clustered bootstrap beside the t interval."""
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
