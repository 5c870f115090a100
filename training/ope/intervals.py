"""Confidence intervals of the mean of per-round values, clustered by participant.

Rounds of one participant are not independent, so the participant is the unit of every interval. docs/science.md reports
the simulated coverage of each.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from joblib import Parallel, delayed
from scipy import stats

from data.logs.bandit import Column, Index

type Matrix = npt.NDArray[np.float64]

RESAMPLES = 1000
RESAMPLES_AT_ONCE = 100
FEWEST_CLUSTERS = 2


@dataclass(frozen=True)
class Interval:
    """A mean with its standard error and a two-sided confidence interval, clustered by participant."""

    estimate: float
    error: float
    low: float
    high: float
    clusters: int


@dataclass(frozen=True)
class Sums:
    """The sum of the values and the number of rounds of each participant. All intervals are computed from them."""

    total: Column  # (g,)
    rounds: Column  # (g,)

    @property
    def estimate(self) -> float:
        """The mean over rounds."""
        return float(self.total.sum() / self.rounds.sum())

    @property
    def error(self) -> float:
        """The cluster-robust standard error, √(G/(G-1) · Σ_g (Σ_{i in g} (x_i - x̄))²) / n."""
        count = len(self.total)
        centred = self.total - self.rounds * self.estimate
        return float(np.sqrt(count / (count - 1) * (centred**2).sum()) / self.rounds.sum())


def by_participant(per_round: Column, participant: Index) -> Sums:
    """The sums of `per_round` (n,) by `participant` (n,). Raises ValueError with fewer than two participants or a value
    that is not finite."""
    if not np.isfinite(per_round).all():
        raise ValueError("an interval needs values that are finite")
    rounds = np.bincount(participant)
    present = rounds > 0
    sums = Sums(np.bincount(participant, per_round)[present], rounds[present].astype(np.float64))
    if len(sums.total) < FEWEST_CLUSTERS:
        raise ValueError("an interval needs at least two participants")
    return sums


def clustered_t(per_round: Column, participant: Index, confidence: float = 0.95) -> Interval:
    """The default interval: t with the cluster-robust standard error and G - 1 degrees of freedom.

    Cameron and Miller (2015), Journal of Human Resources 50(2).
    """
    sums = by_participant(per_round, participant)
    reach = float(stats.t.ppf((1 + confidence) / 2, len(sums.total) - 1)) * sums.error
    return _around(sums, reach)


def clustered_bootstrap(
    per_round: Column,
    participant: Index,
    confidence: float = 0.95,
    *,
    resamples: int = RESAMPLES,
    seed: int = 0,
    jobs: int = 1,
) -> Interval:
    """Percentile bootstrap: the mean over resampled participants.

    q̂ is not fitted again in each resample, so the interval does not include the uncertainty of q̂. `jobs` is the number
    of threads; it does not change the result.
    """
    (found,) = clustered_bootstraps([per_round], participant, confidence, resamples=resamples, seed=seed, jobs=jobs)
    return found


def clustered_bootstraps(
    columns: Sequence[Column],
    participant: Index,
    confidence: float = 0.95,
    *,
    resamples: int = RESAMPLES,
    seed: int = 0,
    jobs: int = 1,
) -> list[Interval]:
    """The same for several columns of values of the same rounds. Participants are drawn once for all of them, because
    the draws of a million decisions take longer than the sums over them."""
    sums = [by_participant(per_round, participant) for per_round in columns]
    totals, rounds = np.column_stack([one.total for one in sums]), sums[0].rounds
    parts = range(0, resamples, RESAMPLES_AT_ONCE)
    means = Parallel(n_jobs=jobs, prefer="threads")(  # numpy draws and multiplies without the interpreter's lock
        delayed(_resampled)(totals, rounds, min(RESAMPLES_AT_ONCE, resamples - start), [seed, start]) for start in parts
    )
    drawn = np.concatenate(list(means))
    low, high = np.quantile(drawn, [(1 - confidence) / 2, (1 + confidence) / 2], axis=0)
    errors = drawn.std(axis=0, ddof=1)
    return [
        Interval(one.estimate, float(errors[place]), float(low[place]), float(high[place]), len(one.total))
        for place, one in enumerate(sums)
    ]


def confidence_sequence(
    per_round: Column, participant: Index, confidence: float = 0.95, *, planned_rounds: int
) -> Interval:
    """An interval that holds simultaneously for all looks at a growing log. It is tightest at `planned_rounds`:

        x̄ ± SE √( 2 (n ρ² + 1) / (n ρ²) · log(√(n ρ² + 1) / α) )

    with the cluster-robust SE and ρ² chosen for the planned number of rounds. Asymptotic, two-sided; Waudby-Smith,
    Arbour, Sinha, Kennedy, Ramdas (2024), Annals of Statistics 52(6), eqs. (14) and (B.2).
    """
    sums = by_participant(per_round, participant)
    alpha = 1 - confidence
    rho_squared = (-2 * np.log(alpha) + np.log(-2 * np.log(alpha) + 1)) / planned_rounds
    scaled = sums.rounds.sum() * rho_squared
    width = np.sqrt(2 * (scaled + 1) / scaled * np.log(np.sqrt(scaled + 1) / alpha))
    return _around(sums, float(width) * sums.error)


def empirical_bernstein(
    per_round: Column, participant: Index, confidence: float = 0.95, *, bounds: tuple[float, float]
) -> Interval:
    """An interval that holds for every sample size without approximation, for values within `bounds`:

        ȳ ± √(2 V log(4/α) / G) + 7 R log(4/α) / (3 (G - 1))

    over participants' scaled sums y. Their range R grows with the largest number of rounds, so the interval is very
    wide when weights are large. Maurer and Pontil (2009), COLT, theorem 4, for both sides. Raises ValueError for a
    value outside `bounds`.
    """
    low, high = bounds
    if per_round.min() < low or per_round.max() > high:
        raise ValueError(f"values lie in {per_round.min():.4g} … {per_round.max():.4g}, outside of {low} … {high}")
    sums = by_participant(per_round, participant)
    count = len(sums.total)
    scaled = sums.total * count / sums.rounds.sum()
    largest = (high - low) * sums.rounds.max() * count / sums.rounds.sum()
    log_term = np.log(4 / (1 - confidence))
    reach = np.sqrt(2 * scaled.var(ddof=1) * log_term / count) + 7 * largest * log_term / (3 * (count - 1))
    return _around(sums, float(reach))


def holm(p_values: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    """Holm-adjusted p-values, in the order of `p_values`. Holm (1979), Scandinavian Journal of Statistics 6(2)."""
    order = np.argsort(p_values)
    steps = p_values[order] * np.arange(len(p_values), 0, -1)
    adjusted = np.empty(len(p_values))
    adjusted[order] = np.minimum(np.maximum.accumulate(steps), 1)
    return adjusted


def _around(sums: Sums, reach: float) -> Interval:
    return Interval(sums.estimate, sums.error, sums.estimate - reach, sums.estimate + reach, len(sums.total))


def _resampled(totals: Matrix, rounds: Column, count: int, seed: list[int]) -> Matrix:
    """(count, m): the means of `totals` (g, m) over `count` samples of participants, drawn with replacement.

    A sample is the number of times that each participant was drawn, one row at a time: a row of a million participants
    is 8 MB.
    """
    rng, groups = np.random.default_rng(seed), len(rounds)
    shares = np.full(groups, 1 / groups)
    means = np.empty((count, totals.shape[1]))
    for row in range(count):
        times = rng.multinomial(groups, shares).astype(np.float64)
        means[row] = (times @ totals) / (times @ rounds)
    return means
