"""Logged bandit data: the arrays that learning and judging need, one row a decision point, validated once."""

from dataclasses import dataclass, fields
from typing import Any

import numpy as np
import numpy.typing as npt

from coach_model.budget.actions import LEVELS, LEVERS, Eligible, Levels, eligible_levels
from coach_model.budget.actions import SCHEMA_VERSION as ACTION_SCHEMA
from coach_model.budget.context import FEATURES, Contexts, validated
from coach_model.budget.context import SCHEMA_VERSION as CONTEXT_SCHEMA
from coach_model.exploration import Distributions, joint_probability
from data.package import InvalidPackage, Package
from data.schema.learning import NO_STUDY

type Column = npt.NDArray[np.float64]

PROBABILITY_TOLERANCE = 1e-9
PROPENSITY_TOLERANCE = 1e-6
"""In a confirm phase the propensity is a mean of two components' joint probabilities, so at least half of either."""


@dataclass(frozen=True)
class LoggedBanditData:
    """Rows are in the order (participant, week)."""

    contexts: Contexts  # (n, 10) float32
    eligible: Eligible  # (n, 3, 5)
    levels: Levels  # (n, 3) the action that was taken
    distributions: Distributions  # (n, 3, 5) of the component that acted
    propensity: Column  # (n,) in (0, 1], of the joint action under the mixture that acted
    reward: Column  # (n,) in [0, 1], NaN where not observed
    participant: npt.NDArray[np.int64]  # (n,) index into the package's participants
    week: npt.NDArray[np.int64]  # (n,) of the study
    learns: npt.NDArray[np.bool_]  # (n,) split: True where policies may be learned from the row
    phase: npt.NDArray[Any]  # (n,) "explore" or "confirm"

    def __len__(self) -> int:
        return len(self.reward)

    @property
    def observed(self) -> npt.NDArray[np.bool_]:
        """(n,): where there is a reward."""
        return ~np.isnan(self.reward)

    def where(self, rows: npt.NDArray[Any]) -> "LoggedBanditData":
        """The same at `rows`."""
        return LoggedBanditData(**{f.name: getattr(self, f.name)[rows] for f in fields(self)})


def logged_bandit_data(package: Package) -> LoggedBanditData:
    """The decision points of a package joined with their outcomes; what the coach decided outside of a study, where
    it is deterministic, is none.

    Raises InvalidPackage where the log contradicts itself: another schema version, a level that was not eligible,
    probabilities that do not sum to one, an eligible set that the context does not imply.
    """
    try:
        participants, decisions, outcomes = (package.tables[name] for name in ("participants", "decisions", "outcomes"))
    except KeyError as missing:
        raise InvalidPackage(f"{package.path}: table {missing} is missing") from missing
    for column, version in (("context_schema", CONTEXT_SCHEMA), ("action_schema", ACTION_SCHEMA)):
        if set(decisions[column]) - {version}:
            raise InvalidPackage(f"decisions.{column}: {sorted(set(decisions[column]))}, this code knows {version!r}")
    drawn = decisions["phase"] != NO_STUDY
    if not drawn.any():
        outside = f" ({len(drawn)} decisions were taken outside of one)" if len(drawn) else ""
        raise InvalidPackage(f"{package.path}: there are no decision points of a study{outside}")
    decisions = {name: column[drawn] for name, column in decisions.items()}

    number = {name: index for index, name in enumerate(participants["participant_id"])}
    participant = np.array([number[name] for name in decisions["participant_id"]])
    rewards = dict(zip(outcomes["decision_id"], outcomes["reward"].astype(np.float64), strict=True))
    order = np.lexsort((decisions["study_week"], participant))
    levels = np.stack([decisions[f"level_{lever}"] for lever in LEVERS], axis=1).astype(np.int64)
    probabilities = [[decisions[f"prob_{lever}_{level}"] for level in range(len(LEVELS))] for lever in LEVERS]
    log = LoggedBanditData(
        contexts=validated(np.stack([decisions[name] for name in FEATURES], axis=1)),
        eligible=_digits(decisions),
        levels=levels,
        distributions=np.array(probabilities).transpose(2, 0, 1),
        propensity=decisions["propensity"],
        reward=np.array([rewards.get(name, np.nan) for name in decisions["decision_id"]]),
        participant=participant,
        week=decisions["study_week"].astype(np.int64),
        learns=(participants["split"] == "learn")[participant],
        phase=decisions["phase"],
    ).where(order)
    _check(log)
    return log


def _digits(decisions: dict[str, npt.NDArray[Any]]) -> Eligible:
    return np.array(
        [[[digit == "1" for digit in row] for row in decisions[f"eligible_{lever}"]] for lever in LEVERS]
    ).transpose(1, 0, 2)


def _check(log: LoggedBanditData) -> None:
    joint = joint_probability(log.distributions, log.levels)
    same_person = np.diff(log.participant) == 0
    sums = log.distributions.sum(axis=2)
    taken = np.take_along_axis(log.eligible, log.levels[:, :, None], axis=2)
    problems = {
        "probabilities of a lever do not sum to one": np.abs(sums - 1).max(axis=1) > PROBABILITY_TOLERANCE,
        "an ineligible level has a probability": (log.distributions * ~log.eligible).max(axis=(1, 2)) > 0,
        "a level was taken that was not eligible": ~taken.all(axis=(1, 2)),
        "the propensity is zero": log.propensity <= 0,
        "the probabilities do not give the propensity": (log.propensity < joint / 2 - PROPENSITY_TOLERANCE)
        | (joint <= 0)
        | ((log.phase == "explore") & (np.abs(log.propensity - joint) > PROPENSITY_TOLERANCE)),
        "a participant has two decisions": np.r_[False, same_person & (np.diff(log.week) == 0)],
        "the eligible levels are not those of the context": (log.eligible != eligible_levels(log.contexts)).any(
            axis=(1, 2)
        ),
    }
    for problem, rows in problems.items():
        if rows.any():
            raise InvalidPackage(f"decisions: {problem} in {int(rows.sum())} rows")
