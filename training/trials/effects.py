"""Causal excursion effects of a micro-randomised trial: the effect of an action on the outcome soon after it.

The estimator is weighted and centred least squares (Boruvka, Almirall, Witkiewitz, Murphy 2018, JASA 113(523)), with
the small-sample correction of Mancl and DeRouen (2001) and a t distribution, as in Liao, Klasnja, Tewari, Murphy
(2016), Statistics in Medicine 35(12). `mrt_power` and `mrt_participants` are the sample-size calculator of that paper.
"""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy import stats

from coach_model.budget.actions import HOLD, LEVELS, LEVERS
from data.logs.bandit import Column, Index
from data.logs.budget import BudgetLog
from training.budget.reward_model import Standardisation, baseline_columns

FEWEST_ROUNDS = 50
"""Minimum number of rounds with the level, and with hold; below it the effect is not estimated."""
INTERCEPT = "effect"
LARGEST_TRIAL = 1_000_000


@dataclass(frozen=True)
class Coefficient:
    """A part of an effect: `effect` is the effect at moderators of zero; a moderator's name is the change of the effect
    for one unit of it."""

    name: str
    estimate: float
    error: float
    low: float
    high: float
    p_value: float


@dataclass(frozen=True)
class Excursion:
    """The effect of one action against the control, over the rounds in which both were possible."""

    action: str
    rounds: int
    participants: int
    coefficients: tuple[Coefficient, ...]


def wcls(
    outcome: Column,
    treated: npt.NDArray[np.bool_],
    probability: Column,
    participant: Index,
    *,
    moderators: Mapping[str, Column] | None = None,
    controls: npt.NDArray[np.float64] | None = None,
    weight: Column | None = None,
    confidence: float = 0.95,
) -> tuple[Coefficient, ...]:
    """The effect of treatment on the outcome (n,), in rounds in which treatment was possible with `probability` (n,).

        Σ W (Y - g(H)·α - (A - p̃) f(S)·β) (g(H), (A - p̃) f(S)) = 0,   W = (p̃/p)^A ((1 - p̃)/(1 - p))^(1 - A)

    with p̃ the mean probability. `moderators` are f(S) without the intercept, `controls` (n, c) are g(H) without the
    intercept and the moderators, `weight` multiplies W. Raises ValueError when a value is not finite, a probability is
    0 or 1, there are too few participants, or the effects cannot be told apart.
    """
    if not all(np.isfinite(column).all() for column in (outcome, *(moderators or {}).values())):
        raise ValueError("outcome and moderators must be finite numbers in every row")
    if not ((probability > 0) & (probability < 1)).all():
        raise ValueError("every round needs a probability of treatment between 0 and 1, neither included")
    count = len(outcome)
    given = moderators or {}
    f = np.column_stack([np.ones(count), *given.values()])
    g = f if controls is None else np.column_stack([f, controls])
    fixed = float(probability.mean())
    inverse = np.where(treated, fixed / probability, (1 - fixed) / (1 - probability))
    weights = inverse if weight is None else inverse * weight
    design = np.column_stack([g, (treated - fixed)[:, None] * f])
    groups, index = np.unique(participant, return_inverse=True)
    freedom = len(groups) - design.shape[1]
    if freedom < 1:
        raise ValueError(f"{len(groups)} participants are too few for {design.shape[1]} coefficients")
    if np.linalg.matrix_rank(design) - np.linalg.matrix_rank(g) < f.shape[1]:
        raise ValueError("the effects cannot be told apart: treatment or a moderator has the same value in every row")
    bread = np.linalg.pinv(design.T @ (weights[:, None] * design))  # controls may repeat moderators
    solution = bread @ (design.T @ (weights * outcome))
    residual = outcome - design @ solution
    meat = np.zeros_like(bread)
    for rows in np.split(np.argsort(index, kind="stable"), np.cumsum(np.bincount(index))[:-1]):
        # (I - X A)⁻¹ e = e + X (I - A X)⁻¹ A e with A = bread Xᵀ W: linear in the participant's rows.
        own, weighted = design[rows], (design[rows] * weights[rows][:, None]).T
        shrunk = np.eye(len(bread)) - bread @ weighted @ own
        corrected = residual[rows] + own @ np.linalg.solve(shrunk, bread @ (weighted @ residual[rows]))
        score = weighted @ corrected
        meat += np.outer(score, score)
    covariance = bread @ meat @ bread
    reach = stats.t.ppf((1 + confidence) / 2, freedom)
    found = []
    for place, name in enumerate([INTERCEPT, *given], start=g.shape[1]):
        estimate, error = float(solution[place]), float(np.sqrt(covariance[place, place]))
        p_value = float(2 * stats.t.sf(abs(estimate) / error, freedom)) if error > 0 else float("nan")
        low, high = estimate - reach * error, estimate + reach * error
        found.append(Coefficient(name, estimate, error, float(low), float(high), p_value))
    return tuple(found)


def lever_effects(log: BudgetLog, moderators: Mapping[str, Column] | None = None) -> list[Excursion]:
    """The effect of each level of each lever against hold, over the rounds in which both could be drawn.

    The rounds that drew one of the two are compared. Each is weighted by the inverse of the probability of drawing one
    of the two, so that they represent all rounds in which both could be drawn. The history g(H) is the input of the
    reward model's baseline.
    """
    found = []
    spread = np.maximum(log.context.std(axis=0, dtype=float), 0.01)
    standardise = Standardisation(log.context.mean(axis=0, dtype=float), spread)
    history = baseline_columns(log, standardise(log.context))
    for lever, name in enumerate(LEVERS):
        for level in range(len(LEVELS)):
            if level == HOLD:
                continue
            probabilities = log.behavior[:, lever, [level, HOLD]]
            drawn = np.isin(log.action[:, lever], [level, HOLD])
            rows = log.observed & drawn & (probabilities > 0).all(axis=1)
            some = log.where(rows)
            treated = some.action[:, lever] == level
            action = f"{name} {(LEVELS[level] - LEVELS[HOLD]) * 40:+.0f} %"
            people = len(np.unique(some.participant))
            if min(treated.sum(), (~treated).sum()) < FEWEST_ROUNDS:
                found.append(Excursion(action, int(rows.sum()), people, ()))
                continue
            either_probability = probabilities[rows].sum(axis=1)
            coefficients = wcls(
                some.reward,
                treated,
                probabilities[rows, 0] / either_probability,
                some.participant,
                moderators={key: values[rows] for key, values in (moderators or {}).items()},
                controls=history[rows],
                weight=1 / either_probability,
            )
            found.append(Excursion(action, int(rows.sum()), people, coefficients))
    return found


def mrt_power(
    participants: int,
    rounds: int,
    *,
    effect: float,
    probability: float = 0.5,
    availability: float = 1.0,
    level: float = 0.05,
    controls: int = 1,
) -> float:
    """The power to detect a constant standardised effect (in standard deviations of the outcome's residual) in a
    micro-randomised trial. Each participant has `rounds` rounds; treatment is possible in the share `availability`.

    The test is Hotelling's with the small-sample correction; its noncentrality is N T τ p (1 - p) d² (Liao et al. 2016,
    section 4, with one coefficient).
    """
    freedom = participants - controls - 1
    if freedom < 1:
        return 0.0
    noncentrality = participants * rounds * availability * probability * (1 - probability) * effect**2
    return float(stats.ncf.sf(stats.f.ppf(1 - level, 1, freedom), 1, freedom, noncentrality))


def mrt_participants(rounds: int, *, power: float = 0.8, **trial: float) -> int:
    """The smallest number of participants with at least this power; `trial` holds arguments of `mrt_power`. Raises
    ValueError when `LARGEST_TRIAL` participants are not enough."""
    low, high = 2, LARGEST_TRIAL
    if mrt_power(high, rounds, **trial) < power:  # type: ignore[arg-type]
        raise ValueError(f"{LARGEST_TRIAL:,} participants are not enough")
    while low < high:
        middle = (low + high) // 2
        low, high = (low, middle) if mrt_power(middle, rounds, **trial) >= power else (middle + 1, high)  # type: ignore[arg-type]
    return low
