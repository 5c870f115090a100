"""The decision points of the budget coach's studies as arrays, for training and evaluation. Validated once."""

import sys
from collections import Counter
from dataclasses import dataclass, fields, replace
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from coach_model.budget.actions import LEVELS, LEVERS, Eligible, Levels, eligible_levels
from coach_model.budget.actions import SCHEMA_VERSION as ACTION_SCHEMA
from coach_model.budget.context import FEATURES, validated
from coach_model.budget.context import SCHEMA_VERSION as CONTEXT_SCHEMA
from coach_model.exploration import Distributions, explored, joint_probability, one_hot
from data.logs.bandit import Column, Index, LoggedBanditData
from data.packages.reader import InvalidPackage, Package
from data.schema.learning import NO_STUDY

PROBABILITY_TOLERANCE = 1e-9
PROPENSITY_TOLERANCE = 1e-6
"""In a confirm phase the propensity is the mean of two components' joint probabilities, so it is at least half of each
of them."""
PENDING = "pending"
OUTCOME_COLUMNS = ("reward", "logging_days", "next_needs_share")
DROPOUT_WEEKS = 3
"""A participant without a decision for longer than this counts as having left the study."""
PERSON_COLUMNS = ("participant_id", "study_version", "split", "income_range_id", "user_profile")
DECISION_COLUMNS = (
    *("decision_id", "participant_id", "context_schema", "action_schema", "study_week", "phase", "component"),
    *("candidate_id", "epsilon", "propensity", *FEATURES),
    *(f"{kind}_{lever}" for kind in ("level", "rules", "candidate", "eligible") for lever in LEVERS),
    *(f"prob_{lever}_{level}" for lever in LEVERS for level in range(len(LEVELS))),
)

type Words = npt.NDArray[np.object_]


@dataclass(frozen=True)
class BudgetRounds(LoggedBanditData):
    """What the reward model needs of a `BudgetLog`: a fifth of its bytes, for the copies of cross-fitting."""

    behavior: Distributions  # (n, 3, 5) each lever's marginal distribution under the mixture that acted
    week: Index  # (n,) week of the study, from 0

    @property
    def rounds(self) -> "BudgetRounds":
        """These columns only."""
        return BudgetRounds(**{f.name: getattr(self, f.name) for f in fields(BudgetRounds)})


@dataclass(frozen=True)
class BudgetLog(BudgetRounds):
    """`context` is (n, 10), `action` (n, 3). Rows are sorted by participant, then by week."""

    eligible: Eligible  # (n, 3, 5)
    distributions: Distributions  # (n, 3, 5) of the component that acted
    rules: Levels  # (n, 3) the levels that the rules would take
    candidate: Levels  # (n, 3) the levels that the frozen candidate of a confirm phase would take, -1 in other phases
    epsilon: Column  # (n,) share of uniform noise in each lever
    study: Words  # (n,) version of the study that the participant consented to
    learns: npt.NDArray[np.bool_]  # (n,) True in the training split, False in the evaluation split
    phase: Words  # (n,) "explore" or "confirm"
    component: Words  # (n,) "rules", "candidate" or "coach"
    candidate_id: Words  # (n,) the candidate of a confirm phase, "" in other phases
    logging_days: Column  # (n,) 0 to 7, NaN where not observed
    next_needs_share: Column  # (n,) in [0, 1], NaN where not observed
    stays: Column  # (n,) 1 where the participant has a decision again within three weeks, else 0; NaN: not known yet
    income_range: Column  # (n,) NaN where not known
    user_profile: Words  # (n,) "" where not known


def budget_log(package: Package) -> BudgetLog:
    """The decision points of a package, joined with their outcomes.

    Decisions outside a study are left out, because they are deterministic; so are decisions whose outcome is pending.
    Raises InvalidPackage when the log contradicts itself: another schema version, a level that was not eligible,
    probabilities that do not sum to one, eligible levels that do not follow from the context.
    """
    for name in ("participants", "decisions", "outcomes"):
        if name not in package.tables:
            raise InvalidPackage(f"{package.path}: table {name!r} is missing")
    people = pa.concat_tables(package.arrow_parts("participants", *PERSON_COLUMNS))
    outcomes = pa.concat_tables(package.arrow_parts("outcomes", "decision_id", "status", *OUTCOME_COLUMNS))
    counts: Counter[str] = Counter()
    parts = [_part(part, counts) for part in package.arrow_parts("decisions", *DECISION_COLUMNS)]
    participant = _places(parts, "participant_id", people["participant_id"])
    outcome = _places(parts, "decision_id", outcomes["decision_id"])  # -1, the last row: there is none
    pending = np.append(_numbers(pc.equal(outcomes["status"], PENDING), np.bool_), False)[outcome]
    if (participant < 0).any():
        raise InvalidPackage(f"{package.path}: some decisions are of participants that are not in the package")
    if pending.all():
        outside = f" ({counts['outside']} decisions were made outside a study)" if counts["outside"] else ""
        waiting = f" (the outcomes of {int(pending.sum())} decisions are pending)" if pending.any() else ""
        raise InvalidPackage(f"{package.path}: there are no decision points of a study{outside}{waiting}")
    week = np.concatenate([part["week"] for part in parts])
    kept = np.flatnonzero(~pending)
    order = kept[np.lexsort((week[kept], participant[kept]))]
    participant, outcome = participant[order], outcome[order]
    columns = {name: _joined(parts, name)[order] for name in list(parts[0])}
    columns["context"] = validated(columns["context"])
    for name in OUTCOME_COLUMNS:
        columns[name] = np.append(_numbers(outcomes[name]), np.nan)[outcome]
    log = BudgetLog(
        participant=participant,
        study=_words(people["study_version"])[participant],
        learns=_numbers(pc.equal(people["split"], "learn"), np.bool_)[participant],
        income_range=_numbers(people["income_range_id"])[participant],
        user_profile=_words(people["user_profile"])[participant],
        behavior=columns["distributions"],
        stays=columns["epsilon"],
        **columns,
    )
    _check(log)
    return replace(log, behavior=_behavior(log), stays=stays(log))


def _part(part: pa.Table, counts: Counter[str]) -> dict[str, Any]:
    """The decision points of a part of the decisions table by column, and their ids. `counts` gets the number of rows
    that were left out."""
    for column, version in (("context_schema", CONTEXT_SCHEMA), ("action_schema", ACTION_SCHEMA)):
        found = set(part[column].unique().to_pylist())
        if found - {version}:
            raise InvalidPackage(f"decisions.{column}: {sorted(found)}, this code knows {version!r}")
    drawn = part.filter(pc.not_equal(part["phase"], NO_STUDY))
    counts["outside"] += part.num_rows - drawn.num_rows

    def numbers(*names: str, dtype: Any = np.float64) -> npt.NDArray[Any]:
        return np.stack([_numbers(drawn[name], dtype) for name in names], axis=1)

    def levels(prefix: str) -> Levels:
        return np.nan_to_num(numbers(*(f"{prefix}_{lever}" for lever in LEVERS)), nan=-1).astype(np.int64)

    probabilities = numbers(*(f"prob_{lever}_{level}" for lever in LEVERS for level in range(len(LEVELS))))
    return {
        "participant_id": drawn["participant_id"],
        "decision_id": drawn["decision_id"],
        "context": numbers(*FEATURES, dtype=np.float32),
        "action": levels("level"),
        "propensity": _numbers(drawn["propensity"]),
        "eligible": np.stack([_eligible(drawn[f"eligible_{lever}"]) for lever in LEVERS], axis=1),
        "distributions": probabilities.reshape(-1, len(LEVERS), len(LEVELS)),
        "rules": levels("rules"),
        "candidate": levels("candidate"),
        "epsilon": _numbers(drawn["epsilon"]),
        "week": _numbers(drawn["study_week"], np.int64),
        "phase": _words(drawn["phase"]),
        "component": _words(drawn["component"]),
        "candidate_id": _words(drawn["candidate_id"]),
    }


def _places(parts: list[dict[str, Any]], name: str, ids: pa.ChunkedArray) -> Index:
    """The row of each part's ids in `ids`, -1 where there is none. The ids leave the parts."""
    wanted = pa.chunked_array([chunk for part in parts for chunk in part.pop(name).chunks], ids.type)
    return _numbers(pc.fill_null(pc.index_in(wanted, value_set=ids), -1), np.int64)


def _joined(parts: list[dict[str, Any]], name: str) -> npt.NDArray[Any]:
    """A column of all parts. It leaves the parts, so that it is in memory once."""
    return np.concatenate([part.pop(name) for part in parts])


def _numbers(column: pa.ChunkedArray, dtype: Any = np.float64) -> npt.NDArray[Any]:
    """NaN where a cell is missing; a column with missing cells must be of floats."""
    return np.asarray(column.to_numpy(zero_copy_only=False), dtype=dtype)


def _words(column: pa.ChunkedArray) -> Words:
    """Texts, "" where a cell is missing. Equal ones are one object, so that a row costs eight bytes."""
    codes, words = _encoded(column)
    return np.array([*(sys.intern(word) for word in words), ""], dtype=object)[codes]


def _eligible(column: pa.ChunkedArray) -> npt.NDArray[np.bool_]:
    """(n, 5): texts such as "01110" as booleans."""
    codes, words = _encoded(column)
    return np.array([[digit == "1" for digit in word] for word in words], dtype=bool).reshape(-1, len(LEVELS))[codes]


def _encoded(column: pa.ChunkedArray) -> tuple[Index, list[str]]:
    """The place of each text among the different ones, -1 where a cell is missing; and these."""
    different = column.drop_null().unique()
    return _numbers(pc.fill_null(pc.index_in(column, value_set=different), -1), np.int64), different.to_pylist()


def _behavior(log: BudgetLog) -> Distributions:
    """(n, 3, 5): in a confirm phase the mean of rules and candidate, each with its noise; else `distributions`."""
    confirm = log.phase == "confirm"
    components = [
        explored(one_hot(np.maximum(levels, 0), len(LEVELS)), log.eligible, log.epsilon[:, None, None])
        for levels in (log.rules, log.candidate)
    ]
    return np.where(confirm[:, None, None], (components[0] + components[1]) / 2, log.distributions)


def stays(log: BudgetLog) -> Column:
    """(n,): 1 where the participant has another decision within `DROPOUT_WEEKS`, else 0.

    It is NaN in the last weeks of a study for all: there the participants who will not return are not known yet.
    """
    last = {study: log.week[log.study == study].max() for study in set(log.study)}
    has_next = np.r_[log.participant[1:] == log.participant[:-1], False]
    left = np.where(has_next, np.r_[np.diff(log.week), 0], DROPOUT_WEEKS + 1) > DROPOUT_WEEKS
    unknown = log.week > np.array([last[study] for study in log.study]) - DROPOUT_WEEKS
    return np.where(unknown, np.nan, ~left)


def _check(log: BudgetLog) -> None:
    joint = joint_probability(log.distributions, log.action)
    same_person = np.diff(log.participant) == 0
    sums = log.distributions.sum(axis=2)
    taken = np.take_along_axis(log.eligible, log.action[:, :, None], axis=2)
    problems = {
        "probabilities of a lever do not sum to one": np.abs(sums - 1).max(axis=1) > PROBABILITY_TOLERANCE,
        "an ineligible level has a probability": (log.distributions * ~log.eligible).max(axis=(1, 2)) > 0,
        "a level was taken that was not eligible": ~taken.all(axis=(1, 2)),
        "the propensity is zero": log.propensity <= 0,
        "the probabilities do not give the propensity": (log.propensity < joint / 2 - PROPENSITY_TOLERANCE)
        | (joint <= 0)
        | ((log.phase == "explore") & (np.abs(log.propensity - joint) > PROPENSITY_TOLERANCE)),
        "a participant has two decisions": np.r_[False, same_person & (np.diff(log.week) == 0)],
        "the eligible levels are not those of the context": (log.eligible != eligible_levels(log.context)).any(
            axis=(1, 2)
        ),
        "a confirm phase lacks the candidate's id or its levels": (log.phase == "confirm")
        & ((log.candidate_id == "") | (log.candidate < 0).any(axis=1)),
    }
    for problem, rows in problems.items():
        if rows.any():
            raise InvalidPackage(f"decisions: {problem} in {int(rows.sum())} rows")
