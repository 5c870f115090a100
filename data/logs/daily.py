"""The log of the daily coach: one row for each candidate of each household's day.

An export writes it with the standard library only; training reads it as arrays. The folder holds `candidates.csv` and
`about.json`, which states the digest of the CSV file and describes the columns. Households and participants are
pseudonyms, and days count from the household's first day. The log holds no names, titles or notes.
"""

import csv
import hashlib
import io
import json
from collections.abc import Mapping
from dataclasses import dataclass, fields
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from coach_model.daily.candidates import FEATURES, SCHEMA_VERSION, Features
from coach_model.regular_files import read_regular, read_regular_text
from data.formats.csv_text import ESCAPE, escaped

FORMAT = "buddy-daily/1"
TABLE, ABOUT = "candidates.csv", "about.json"
BASE_COLUMNS = (
    "household",
    "fold",
    "day",
    "participant",
    "area",
    "slots",
    "score",
    "chosen",
    "obligatory",
    "propensity",
    "done",
)
RELEVANCE = "relevance"
LARGEST_LOG = 2**30
"""Bytes of `candidates.csv`, which is read at once: five million candidates."""
"""Column of synthetic households: the true probability that the activity is done when it is shown."""
COLUMNS = {
    "household": "pseudonym of the household, a new one in each export",
    "fold": "0, 1 or 2, the same in every export; households of fold 0 are for evaluation only, never for training",
    "day": "days since the household's first logged day",
    "participant": "number of the participant within the household",
    "area": "what the activity exercises",
    "slots": "maximum number of activities of the day",
    "score": "the acting policy's probability that the activity is done; empty when the rules acted",
    "chosen": "1 when the activity was shown, else 0",
    "obligatory": "1 when it was chosen so that each participant gets something, else 0",
    "propensity": "probability that the activity was shown",
    "done": "1 when it was completed on that day, else 0; empty when it was not shown",
    RELEVANCE: "synthetic households only: the true probability that it is done when it is shown",
} | dict.fromkeys(FEATURES, f"feature of {SCHEMA_VERSION}, in [0, 1]")

ROUNDING_TOLERANCE = 1e-5
"""Largest rounding error of a probability that is written with six digits or is a sum."""

type Column = npt.NDArray[Any]


class InvalidDailyLog(ValueError):
    """The folder is not a valid daily log; the message says where and why."""


@dataclass(frozen=True)
class DailyLog:
    """n candidates. The rows of one household's day are consecutive, in the order in which they were scored."""

    household: npt.NDArray[np.int64]  # (n,)
    fold: npt.NDArray[np.int64]  # (n,) fold 0 is for evaluation
    day: npt.NDArray[np.int64]  # (n,)
    participant: npt.NDArray[np.int64]  # (n,)
    area: npt.NDArray[np.str_]  # (n,)
    slots: npt.NDArray[np.int64]  # (n,)
    features: Features  # (n, 16)
    chosen: npt.NDArray[np.bool_]  # (n,)
    propensity: npt.NDArray[np.float64]  # (n,) in [0, 1]
    done: npt.NDArray[np.float64]  # (n,) 0 or 1, NaN where it was not shown
    relevance: npt.NDArray[np.float64]  # (n,) true probability of being done, NaN where it is unknown

    def __len__(self) -> int:
        return len(self.day)

    @property
    def synthetic(self) -> bool:
        """Whether the true probabilities are known."""
        return bool(np.isfinite(self.relevance).all())

    def where(self, rows: npt.NDArray[Any]) -> "DailyLog":
        """The rows at `rows`, an index or a mask."""
        return DailyLog(**{field.name: getattr(self, field.name)[rows] for field in fields(self)})

    def slates(self) -> list[slice]:
        """The rows of each household's day."""
        if not len(self):
            return []
        changes = np.flatnonzero((np.diff(self.household) != 0) | (np.diff(self.day) != 0)) + 1
        edges = [0, *changes.tolist(), len(self)]
        return [slice(first, last) for first, last in pairwise(edges)]


class DailyLogWriter:
    """Writes a log row by row into a new or empty folder. Raises ValueError when the folder is not empty."""

    def __init__(self, folder: Path, *, synthetic: bool = False) -> None:
        if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
            raise ValueError(f"{folder} is there already")
        folder.mkdir(parents=True, exist_ok=True)
        self.rows = 0
        self._folder, self._synthetic = folder, synthetic
        self._names = [*BASE_COLUMNS, *FEATURES, *([RELEVANCE] if synthetic else [])]
        self._file = (folder / TABLE).open("w", encoding="utf-8", newline="")
        self._writer = csv.DictWriter(self._file, self._names, lineterminator="\n")
        self._writer.writeheader()

    def add(self, row: Mapping[str, Any]) -> None:
        """Add one candidate. Add the candidates of a household's day one after the other. A missing key gives an empty
        cell."""
        self._writer.writerow({name: _cell(row.get(name)) for name in self._names})
        self.rows += 1

    def finish(self, about: Mapping[str, Any]) -> str:
        """Close the log and write `about.json`. Returns the digest of the log."""
        self._file.close()
        digest = hashlib.sha256((self._folder / TABLE).read_bytes()).hexdigest()
        columns = {name: COLUMNS[name] for name in self._names}
        content = {"format": FORMAT, "digest": digest, "synthetic": self._synthetic, "rows": self.rows} | dict(about)
        text = json.dumps(content | {"columns": columns}, indent=2, ensure_ascii=False)
        (self._folder / ABOUT).write_text(text + "\n", encoding="utf-8")
        return digest


def is_daily_log(folder: Path) -> bool:
    """Whether the `about.json` of a folder says that it is a daily log."""
    try:
        return str(json.loads(read_regular_text(folder / ABOUT)).get("format", "")).startswith("buddy-daily/")
    except (OSError, ValueError, AttributeError):
        return False


def read_daily_log(folder: Path) -> tuple[DailyLog, dict[str, Any]]:
    """The checked log in `folder` and the content of its `about.json`. Raises InvalidDailyLog."""
    try:
        about: dict[str, Any] = json.loads(read_regular_text(folder / ABOUT))
        content = read_regular(folder / TABLE, LARGEST_LOG)
    except (OSError, ValueError) as error:
        raise InvalidDailyLog(f"{folder}: {error}") from error
    if about.get("format") != FORMAT:
        raise InvalidDailyLog(f"{folder}: format {about.get('format')!r}, expected {FORMAT!r}")
    if hashlib.sha256(content).hexdigest() != about.get("digest"):
        raise InvalidDailyLog(f"{folder}: {TABLE} does not have the digest that {ABOUT} states")
    rows = _rows(content)
    missing = [name for name in (*BASE_COLUMNS, *FEATURES) if not rows or name not in rows[0]]
    if missing:
        raise InvalidDailyLog(f"{folder}: {'no rows' if not rows else 'no column ' + missing[0]}")
    try:
        log = _arrays(rows)
    except ValueError as error:
        raise InvalidDailyLog(f"{folder}: {error}") from error
    _check(log, folder)
    return log, about


def _rows(content: bytes) -> list[dict[str, str]]:
    """Raises ValueError where it is no CSV in UTF-8."""
    try:
        return list(csv.DictReader(io.StringIO(content.decode("utf-8"), newline="")))
    except csv.Error as error:
        raise ValueError(str(error)) from error


def _arrays(rows: list[dict[str, str]]) -> DailyLog:
    def column(name: str, kind: Any) -> Column:
        return np.array([kind(row[name]) for row in rows])

    def number(name: str) -> npt.NDArray[np.float64]:
        return np.array([float(row.get(name) or "nan") for row in rows])

    return DailyLog(
        household=np.unique(column("household", str), return_inverse=True)[1].astype(np.int64),
        fold=column("fold", int).astype(np.int64),
        day=column("day", int).astype(np.int64),
        participant=column("participant", int).astype(np.int64),
        area=np.array([row["area"].removeprefix(ESCAPE) for row in rows]),
        slots=column("slots", int).astype(np.int64),
        features=np.stack([number(name) for name in FEATURES], axis=1).astype(np.float32),
        chosen=number("chosen") == 1,
        propensity=number("propensity"),
        done=number("done"),
        relevance=number(RELEVANCE),
    )


def _check(log: DailyLog, folder: Path) -> None:
    for problem, bad in {
        "a feature outside of [0, 1]": ~((log.features >= 0) & (log.features <= 1)).all(axis=1),
        "a propensity outside of [0, 1]": ~(
            (log.propensity >= -ROUNDING_TOLERANCE) & (log.propensity <= 1 + ROUNDING_TOLERANCE)
        ),
        "shown with probability 0": log.chosen & ~(log.propensity > 0),
        "shown, but `done` is neither 0 nor 1": log.chosen & ~np.isin(log.done, (0.0, 1.0)),
    }.items():
        if bad.any():
            raise InvalidDailyLog(f"{folder}: {problem} in {int(bad.sum())} rows, first in row {int(bad.argmax()) + 1}")


def _cell(value: Any) -> Any:
    if value is None:
        return ""
    if isinstance(value, bool | np.bool_):
        return int(value)
    if isinstance(value, str):
        return escaped(value)
    return f"{float(value):.6g}" if isinstance(value, float | np.floating) else value
