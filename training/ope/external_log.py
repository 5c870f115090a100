"""Reads any logged-bandit table as arrays, so that the estimators work on logs from elsewhere."""

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
from joblib import Parallel, delayed
from sklearn.ensemble import HistGradientBoostingRegressor
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GroupKFold
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from data.logs.bandit import Column, InvalidLog, LoggedBanditData, bandit_rounds
from training.ope.estimators import CROSSFIT_FOLDS, Distribution, Matrix, checked
from training.ope.tables import check_columns, check_rows, identities, numbers, read_table

LARGEST_ROUNDING = 1e-3
"""Of a sum of probabilities around 1, which is taken for rounding in the file. With six decimals and 80 actions it is
at most 4e-5."""
EXACT = 1e-9
"""A sum of probabilities that differs from 1 by less is not told."""
TWO = 2
ABOVE_ONE = 1e-9
"""A propensity that is larger than 1 by less is 1, as in 1.0000000000000002."""
SMALLEST_OBSERVATION = 0.05
"""Lower limit of probabilities of being observed."""
STANDARD_ERRORS = 4.0
"""How far the mean of weights must be from 1 for a warning."""


@dataclass(frozen=True)
class ForeignLog:
    """A log from elsewhere with its target policy, and with q̂ from the table or fitted."""

    log: LoggedBanditData
    target: Distribution
    expected_reward: Matrix
    observation: Column | None = None
    """(n,): the probability that the reward is observed, if some are missing and there is a context."""
    notes: list[str] = field(default_factory=list)
    """What was assumed or corrected, and what looks wrong."""


def read_foreign_log(
    file: Path,
    *,
    action: str,
    propensity: str,
    reward: str,
    target: str,
    participant: str | None = None,
    context: str | None = None,
    expected: str | None = None,
    jobs: int = 1,
) -> ForeignLog:
    """Read a logged-bandit CSV or Parquet file. `action`, `propensity`, `reward` and `participant` are names of
    columns; `target`, `expected` and `context` are prefixes of columns, in the order of the actions: `pi_0, pi_1, …`.

    Without `expected`, q̂ is fitted: boosted trees over context and action, cross-fitted by participant. Raises
    InvalidLog with the column that is missing or invalid.
    """
    table, notes = read_table(file, [participant] if participant else []), list[str]()
    check_columns(file, table, [action, propensity, reward, *([participant] if participant else [])])
    for prefix, what in ((target, "the target's probabilities"), (expected, "q̂"), (context, "the context")):
        if prefix is not None and not _prefixed(table, prefix):
            raise InvalidLog(f"{file}: no column begins with {prefix!r}, the prefix of the columns of {what}")
    target_columns = _prefixed(table, target)
    _counted(file, target_columns, target)
    inputs = numbers(table, _prefixed(table, context)) if context else None
    log = bandit_rounds(
        numbers(table, [action])[:, 0],
        _at_most_one(numbers(table, [propensity])[:, 0]),
        numbers(table, [reward])[:, 0],
        context=inputs,
        participant=identities(table, participant) if participant else None,
    )
    if participant is None:
        notes.append(
            "no --participant: each row counts as a person of its own, and the intervals are too narrow if not"
        )
    distribution = checked(log, _normalised(numbers(table, target_columns), target, notes))
    if distribution.shape[1] == TWO:
        _warn_of_treatment(log, propensity, notes)
    if expected:
        q = numbers(table, _prefixed(table, expected))
        if q.shape != distribution.shape:
            raise InvalidLog(
                f"{file}: {q.shape[1]} columns begin with {expected!r}, {distribution.shape[1]} with {target!r}"
            )
    else:
        q = fitted_reward(log, distribution.shape[1], jobs=jobs)
    return ForeignLog(log, distribution, q, _observation(log, notes), notes)


def _at_most_one(propensity: Column) -> Column:
    return np.where((propensity > 1) & (propensity <= 1 + ABOVE_ONE), 1.0, propensity)


def _normalised(distribution: Matrix, prefix: str, notes: list[str]) -> Matrix:
    """The distribution with sums of 1, where they differ from it by the file's rounding. Raises InvalidLog for a cell
    that is empty or no probability, and for another sum."""
    check_rows(~(np.isfinite(distribution) & (distribution >= 0)).all(axis=1), f"{prefix}…: no probability")
    sums = distribution.sum(axis=1)
    off = np.abs(sums - 1)
    check_rows(off > LARGEST_ROUNDING, f"{prefix}…: probabilities that do not sum to 1")
    if off.max() > EXACT:
        notes.append(
            f"the probabilities {prefix}… sum to {sums.min():.6f} … {sums.max():.6f}, by the file's rounding; they "
            "were divided by their sum"
        )
    return np.asarray(distribution / sums[:, None])


def _warn_of_treatment(log: LoggedBanditData, name: str, notes: list[str]) -> None:
    """With two actions: whether the propensities look like those of action 1 in every row, and not of what was done.
    Then the weights of action 0 have no mean of 1, and those by 1 - p have."""
    second = log.action == 1
    if second.all() or not second.any() or (log.propensity == 1).any():
        return
    as_given, as_chance = (
        _distance_from_one(np.where(second, 0, 1 / chance)) for chance in (log.propensity, 1 - log.propensity)
    )
    if as_given > STANDARD_ERRORS > as_chance:
        notes.append(f"{name!r} looks like the probability of action 1 in every row; that of what was done is expected")


def _distance_from_one(weight: Column) -> float:
    """In standard errors."""
    error = float(weight.std(ddof=1) / np.sqrt(len(weight)))
    return abs(float(weight.mean()) - 1) / error if error else float("inf")


def _observation(log: LoggedBanditData, notes: list[str]) -> Column | None:
    """(n,): the probability that a reward is observed, by a logistic regression on context and action that is
    cross-fitted by participant; None where nothing is missing, or nothing is known to explain it."""
    missing = int((~log.observed).sum())
    if not missing:
        return None
    people = len(np.unique(log.participant))
    if not log.context.shape[1] or people < CROSSFIT_FOLDS:
        why = f"of {people} participants" if log.context.shape[1] else "without --context"
        notes.append(
            f"{missing} rewards are missing, and {why} they count as missing at random: if they are "
            "missing more often where rewards are low, the values are wrong"
        )
        return None
    notes.append(f"{missing} rewards are missing; the others are weighted by how likely they were observed by context")
    columns = np.column_stack([log.context, log.context**2, np.eye(int(log.action.max()) + 1)[log.action]])
    found = np.ones(len(log))
    for learn, judge in GroupKFold(CROSSFIT_FOLDS).split(columns, groups=log.participant):
        if not log.observed[learn].all():
            model = make_pipeline(StandardScaler(), LogisticRegression(max_iter=200))
            found[judge] = model.fit(columns[learn], log.observed[learn]).predict_proba(columns[judge])[:, 1]
    return np.maximum(found, SMALLEST_OBSERVATION)


def fitted_reward(log: LoggedBanditData, actions: int, *, jobs: int = 1) -> Matrix:
    """(n, k): q̂ for a joint action space, cross-fitted by participant. Raises InvalidLog with too few participants."""
    people = len(np.unique(log.participant[log.observed]))
    if people < CROSSFIT_FOLDS:
        raise InvalidLog(f"q̂ needs rewards of at least {CROSSFIT_FOLDS} participants, and there are {people}")
    parts = list(GroupKFold(CROSSFIT_FOLDS).split(log.action, groups=log.participant))
    predicted = Parallel(n_jobs=jobs)(delayed(_predict)(log, actions, learn, judge) for learn, judge in parts)
    expected = np.empty((len(log), actions))
    for (_, judge), values in zip(parts, predicted, strict=True):
        expected[judge] = values
    return expected


def _predict(log: LoggedBanditData, actions: int, learn: Any, judge: Any) -> Matrix:
    rows = learn[log.observed[learn]]
    model = HistGradientBoostingRegressor(max_iter=100, learning_rate=0.05, min_samples_leaf=40, random_state=0)
    model.fit(np.column_stack([log.context[rows], log.action[rows]]), log.reward[rows])
    taken = [np.column_stack([log.context[judge], np.full(len(judge), action)]) for action in range(actions)]
    return np.stack([model.predict(columns) for columns in taken], axis=1)


def _prefixed(table: pa.Table, prefix: str) -> list[str]:
    """The columns that begin with `prefix`. Those that end in a number are sorted by it."""
    endings = [name.removeprefix(prefix) for name in table.column_names if name.startswith(prefix)]
    return [prefix + ending for ending in sorted(endings, key=lambda end: (not end.isdigit(), end.zfill(9)))]


def _counted(file: Path, columns: list[str], prefix: str) -> None:
    """Raises InvalidLog when the columns end in numbers that are not 0, 1, 2, …"""
    endings = [name.removeprefix(prefix) for name in columns]
    if all(ending.isdigit() for ending in endings) and [int(end) for end in endings] != list(range(len(endings))):
        raise InvalidLog(f"{file}: the columns {columns[0]} … {columns[-1]} do not count the actions from 0")
