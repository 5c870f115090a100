"""Reads any logged-bandit table as arrays, so that the estimators work on logs from elsewhere."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.csv as pa_csv
import pyarrow.parquet as pq
from joblib import Parallel, delayed
from sklearn.ensemble import HistGradientBoostingRegressor
from sklearn.model_selection import GroupKFold

from coach_model.regular_files import check_regular
from data.logs.bandit import Column, InvalidLog, LoggedBanditData, bandit_rounds
from training.ope.estimators import CROSSFIT_FOLDS, Distribution, Matrix, checked


@dataclass(frozen=True)
class ForeignLog:
    """A log from elsewhere with its target policy, and with q̂ from the table or fitted."""

    log: LoggedBanditData
    target: Distribution
    expected_reward: Matrix


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
    table = read_table(file)
    named = [action, propensity, reward, *([participant] if participant else [])]
    for name in named:
        if name not in table.column_names:
            raise InvalidLog(f"{file}: there is no column {name!r}; there are {', '.join(table.column_names[:20])}")
    for prefix, what in ((target, "the target's probabilities"), (expected, "q̂"), (context, "the context")):
        if prefix is not None and not _prefixed(table, prefix):
            raise InvalidLog(f"{file}: no column begins with {prefix!r}, the prefix of the columns of {what}")
    target_columns = _prefixed(table, target)
    _counted(file, target_columns, target)
    inputs = numbers(table, _prefixed(table, context)) if context else None
    log = bandit_rounds(
        numbers(table, [action])[:, 0],
        numbers(table, [propensity])[:, 0],
        numbers(table, [reward])[:, 0],
        context=inputs,
        participant=np.array(table[participant].to_pylist(), dtype=str) if participant else None,
    )
    distribution = checked(log, numbers(table, target_columns))
    if expected:
        q = numbers(table, _prefixed(table, expected))
        if q.shape != distribution.shape:
            raise InvalidLog(
                f"{file}: {q.shape[1]} columns begin with {expected!r}, {distribution.shape[1]} with {target!r}"
            )
    else:
        q = fitted_reward(log, distribution.shape[1], jobs=jobs)
    return ForeignLog(log, distribution, q)


def fitted_reward(log: LoggedBanditData, actions: int, *, jobs: int = 1) -> Matrix:
    """(n, k): q̂ for a joint action space, cross-fitted by participant. Raises InvalidLog with too few participants."""
    people = len(np.unique(log.participant))
    if people < CROSSFIT_FOLDS:
        raise InvalidLog(f"q̂ needs at least {CROSSFIT_FOLDS} participants to be cross-fitted, and there are {people}")
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


def read_table(file: Path) -> pa.Table:
    """Read a CSV or Parquet file. Raises InvalidLog when it is neither."""
    try:
        check_regular(file)
        return pq.read_table(file) if file.suffix == ".parquet" else pa_csv.read_csv(file)
    except (OSError, pa.ArrowException) as error:
        raise InvalidLog(f"{file}: {error}") from error


def _prefixed(table: pa.Table, prefix: str) -> list[str]:
    """The columns that begin with `prefix`. Those that end in a number are sorted by it."""
    endings = [name.removeprefix(prefix) for name in table.column_names if name.startswith(prefix)]
    return [prefix + ending for ending in sorted(endings, key=lambda end: (not end.isdigit(), end.zfill(9)))]


def _counted(file: Path, columns: list[str], prefix: str) -> None:
    """Raises InvalidLog when the columns end in numbers that are not 0, 1, 2, …"""
    endings = [name.removeprefix(prefix) for name in columns]
    if all(ending.isdigit() for ending in endings) and [int(end) for end in endings] != list(range(len(endings))):
        raise InvalidLog(f"{file}: the columns {columns[0]} … {columns[-1]} do not count the actions from 0")


def numbers(table: pa.Table, names: list[str]) -> Matrix:
    """(n, c): the columns as float64, NaN for empty cells. Raises InvalidLog for a column of text."""
    columns: list[Column] = []
    for name in names:
        try:
            columns.append(table[name].cast(pa.float64()).to_numpy(zero_copy_only=False))
        except pa.ArrowException as error:
            raise InvalidLog(f"{name}: {error}") from error
    return np.stack(columns, axis=1).astype(np.float64)
