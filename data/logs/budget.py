"""The decision points of the budget coach's studies as arrays, for training and evaluation. Validated once."""

from collections import Counter
from dataclasses import dataclass, fields, replace
from typing import Any

import numpy as np
import numpy.typing as npt

from coach_model.budget.actions import LEVELS, LEVERS, Eligible, Levels, eligible_levels
from coach_model.budget.actions import SCHEMA_VERSION as ACTION_SCHEMA
from coach_model.budget.context import FEATURES, validated
from coach_model.budget.context import SCHEMA_VERSION as CONTEXT_SCHEMA
from coach_model.exploration import Distributions, explored, joint_probability, one_hot
from data.logs.bandit import Column, Index, LoggedBanditData
from data.packages.reader import Columns, InvalidPackage, Package
from data.schema.learning import NO_STUDY

PROBABILITY_TOLERANCE = 1e-9
PROPENSITY_TOLERANCE = 1e-6
"""In a confirm phase the propensity is the mean of two components' joint probabilities, so it is at least half of each
of them."""
PENDING = "pending"
OUTCOME_COLUMNS = ("reward", "logging_days", "next_needs_share")
DROPOUT_WEEKS = 3
"""A participant without a decision for longer than this counts as having left the study."""


@dataclass(frozen=True)
class BudgetLog(LoggedBanditData):
    """`context` is (n, 10), `action` (n, 3). Rows are sorted by participant, then by week."""

    eligible: Eligible  # (n, 3, 5)
    distributions: Distributions  # (n, 3, 5) of the component that acted
    behavior: Distributions  # (n, 3, 5) each lever's marginal distribution under the mixture that acted
    rules: Levels  # (n, 3) the levels that the rules would take
    candidate: Levels  # (n, 3) the levels that the frozen candidate of a confirm phase would take, -1 in other phases
    epsilon: Column  # (n,) share of uniform noise in each lever
    study: npt.NDArray[Any]  # (n,) version of the study that the participant consented to
    week: Index  # (n,) week of the study, from 0
    learns: npt.NDArray[np.bool_]  # (n,) True in the training split, False in the evaluation split
    phase: npt.NDArray[Any]  # (n,) "explore" or "confirm"
    component: npt.NDArray[Any]  # (n,) "rules", "candidate" or "coach"
    candidate_id: npt.NDArray[Any]  # (n,) the candidate of a confirm phase, "" in other phases
    logging_days: Column  # (n,) 0 to 7, NaN where not observed
    next_needs_share: Column  # (n,) in [0, 1], NaN where not observed
    stays: Column  # (n,) 1 where the participant has a decision again within three weeks, else 0; NaN: not known yet
    income_range: Column  # (n,) NaN where not known
    user_profile: npt.NDArray[Any]  # (n,) "" where not known


def budget_log(package: Package) -> BudgetLog:
    """The decision points of a package, joined with their outcomes.

    Decisions outside a study are left out, because they are deterministic; so are decisions whose outcome is pending.
    Raises InvalidPackage when the log contradicts itself: another schema version, a level that was not eligible,
    probabilities that do not sum to one, eligible levels that do not follow from the context.
    """
    for name in ("participants", "decisions", "outcomes"):
        if name not in package.tables:
            raise InvalidPackage(f"{package.path}: table {name!r} is missing")
    participants, outcomes = package.tables["participants"], _outcomes(package)
    counts: Counter[str] = Counter()
    parts = [_part(part, participants, outcomes, counts) for part in package.parts("decisions")]
    parts = [part for part in parts if len(part)]
    if not parts:
        outside = f" ({counts['outside']} decisions were made outside a study)" if counts["outside"] else ""
        pending = f" (the outcomes of {counts['pending']} decisions are pending)" if counts["pending"] else ""
        raise InvalidPackage(f"{package.path}: there are no decision points of a study{outside}{pending}")
    columns = {f.name: np.concatenate([getattr(part, f.name) for part in parts]) for f in fields(BudgetLog)}
    log = BudgetLog(**columns)
    log = log.where(np.lexsort((log.week, log.participant)))
    _check(log)
    return replace(log, behavior=_behavior(log), stays=_stays(log))


@dataclass(frozen=True)
class _Outcomes:
    """The outcomes of decisions. The last row stands for a decision without an outcome."""

    place: dict[str, int]  # decision id to row
    pending: npt.NDArray[np.bool_]
    columns: dict[str, Column]


def _outcomes(package: Package) -> _Outcomes:
    place: dict[str, int] = {}
    pending, columns = [], {name: [] for name in OUTCOME_COLUMNS}  # type: ignore[var-annotated]
    for part in package.parts("outcomes"):
        place |= {name: row for row, name in enumerate(part["decision_id"].tolist(), start=len(place))}
        pending.append(part["status"] == PENDING)
        for name in OUTCOME_COLUMNS:
            columns[name].append(part[name].astype(np.float64))
    with_none = {name: np.append(np.concatenate(found), np.nan) for name, found in columns.items()}
    return _Outcomes(place, np.append(np.concatenate(pending), False).astype(bool), with_none)


def _part(part: Columns, participants: Columns, outcomes: _Outcomes, counts: Counter[str]) -> BudgetLog:
    """The decision points of a part of the decisions table. `counts` gets the numbers of rows that were left out."""
    for column, version in (("context_schema", CONTEXT_SCHEMA), ("action_schema", ACTION_SCHEMA)):
        if set(part[column]) - {version}:
            raise InvalidPackage(f"decisions.{column}: {sorted(set(part[column]))}, this code knows {version!r}")
    found = np.array([outcomes.place.get(name, -1) for name in part["decision_id"]], dtype=np.int64)
    drawn, pending = part["phase"] != NO_STUDY, outcomes.pending[found]
    counts["outside"] += int((~drawn).sum())
    counts["pending"] += int((drawn & pending).sum())
    rows = drawn & ~pending
    decisions, found = {name: column[rows] for name, column in part.items()}, found[rows]
    number = {name: index for index, name in enumerate(participants["participant_id"])}
    participant = np.array([number[name] for name in decisions["participant_id"]], dtype=np.int64)

    def levels(prefix: str) -> Levels:
        taken = np.stack([decisions[f"{prefix}_{lever}"].astype(np.float64) for lever in LEVERS], axis=1)
        return np.nan_to_num(taken, nan=-1).astype(np.int64)

    probabilities = [[decisions[f"prob_{lever}_{level}"] for level in range(len(LEVELS))] for lever in LEVERS]
    return BudgetLog(
        context=validated(np.stack([decisions[name] for name in FEATURES], axis=1)),
        action=levels("level"),
        propensity=decisions["propensity"].astype(np.float64),
        reward=outcomes.columns["reward"][found],
        participant=participant,
        eligible=_eligible(decisions),
        distributions=np.array(probabilities, dtype=np.float64).transpose(2, 0, 1),
        behavior=np.empty((len(found), len(LEVERS), len(LEVELS))),
        rules=levels("rules"),
        candidate=levels("candidate"),
        epsilon=decisions["epsilon"].astype(np.float64),
        study=participants["study_version"].astype(str)[participant],
        week=decisions["study_week"].astype(np.int64),
        learns=(participants["split"] == "learn")[participant],
        phase=decisions["phase"].astype(str),
        component=decisions["component"].astype(str),
        candidate_id=_texts(decisions["candidate_id"]),
        logging_days=outcomes.columns["logging_days"][found],
        next_needs_share=outcomes.columns["next_needs_share"][found],
        stays=np.empty(len(found)),
        income_range=participants["income_range_id"].astype(np.float64)[participant],
        user_profile=_texts(participants["user_profile"])[participant],
    )


def _behavior(log: BudgetLog) -> Distributions:
    """(n, 3, 5): in a confirm phase the mean of rules and candidate, each with its noise; else `distributions`."""
    confirm = log.phase == "confirm"
    components = [
        explored(one_hot(np.maximum(levels, 0), len(LEVELS)), log.eligible, log.epsilon[:, None, None])
        for levels in (log.rules, log.candidate)
    ]
    return np.where(confirm[:, None, None], (components[0] + components[1]) / 2, log.distributions)


def _stays(log: BudgetLog) -> Column:
    """(n,): 1 where the participant has another decision within `DROPOUT_WEEKS`, else 0.

    It is NaN in the last weeks of a study for all: there the participants who will not return are not known yet.
    """
    last = {study: log.week[log.study == study].max() for study in set(log.study)}
    has_next = np.r_[log.participant[1:] == log.participant[:-1], False]
    left = np.where(has_next, np.r_[np.diff(log.week), 0], DROPOUT_WEEKS + 1) > DROPOUT_WEEKS
    unknown = log.week > np.array([last[study] for study in log.study]) - DROPOUT_WEEKS
    return np.where(unknown, np.nan, ~left)


def _texts(column: npt.NDArray[Any]) -> npt.NDArray[Any]:
    return np.array(["" if word is None else word for word in column.tolist()], dtype=str)


def _eligible(decisions: Columns) -> Eligible:
    rows = [[[digit == "1" for digit in row] for row in decisions[f"eligible_{lever}"]] for lever in LEVERS]
    return np.array(rows, dtype=bool).reshape(len(LEVERS), -1, len(LEVELS)).transpose(1, 0, 2)


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
