"""The features of a candidate of the daily coach: a todo that is due today, and its history of the last four weeks.

Every feature lies in [0, 1]. Rates are smoothed with two pseudo-observations, one of them done, so that a single
showing does not give a rate of 0 or 1.
"""

from dataclasses import dataclass
from datetime import date

import numpy as np
import numpy.typing as npt

SCHEMA_VERSION = "daily-candidate/1"
WINDOW_DAYS = 28
"""Length of the history in days: four weeks, so that each weekday has the same weight."""
LONGEST_OVERDUE = 4.0
"""In periods of the todo; a todo that is more overdue counts as this much."""
LONGEST_MINUTES = 30
MOST_SNOOZES = 4
LONGEST_UNSEEN_DAYS = 14
SATURDAY = 5
SMOOTHING = 2

FEATURES = (
    "overdue",
    "never_done",
    "done_rate",
    "shown_days",
    "unseen_days",
    "participant_rate",
    "area_rate",
    "household_rate",
    "snoozes",
    "minutes",
    "daily",
    "weekly",
    "weekend",
    "weekend_minutes",
    "stage_progress",
    "is_adult",
)
COLUMN = {name: place for place, name in enumerate(FEATURES)}

type Features = npt.NDArray[np.float32]
"""(n, 16) float32 in [0, 1], columns as `FEATURES`."""


@dataclass(frozen=True, slots=True)
class Showings:
    """How often a todo (or a group of todos) was shown within the window, and how often it was done on the same day."""

    shown: int = 0
    done: int = 0

    @property
    def rate(self) -> float:
        """The smoothed share of showings that were done, in (0, 1)."""
        return (self.done + SMOOTHING / 2) / (self.shown + SMOOTHING)


@dataclass(frozen=True, slots=True)
class Candidate:
    """A todo that is due and may be shown today."""

    todo_id: int
    participant: int
    area: str
    frequency: str
    minutes: int
    overdue: float
    """In periods of the todo; 1 on the day on which it becomes due."""
    never_done: bool
    showings: Showings
    unseen_days: int | None
    """Days since it was last shown; None when it was not shown within the window."""
    snoozes: int
    stage_progress: float
    """Elapsed share of the child's stage, in [0, 1]; 0.5 for adults."""
    is_adult: bool


@dataclass(frozen=True, slots=True)
class History:
    """The showings of the household in the last four weeks: in total, by participant and by area."""

    household: Showings
    participants: dict[int, Showings]
    areas: dict[str, Showings]


def features(candidates: list[Candidate], history: History, today: date) -> Features:
    """(n, 16): the features of the candidates, as the policy sees them."""
    weekend = float(today.weekday() >= SATURDAY)
    rows = [
        (
            min(one.overdue, LONGEST_OVERDUE) / LONGEST_OVERDUE,
            float(one.never_done),
            one.showings.rate,
            min(one.showings.shown, WINDOW_DAYS) / WINDOW_DAYS,
            unseen(one) / LONGEST_UNSEEN_DAYS,
            history.participants.get(one.participant, Showings()).rate,
            history.areas.get(one.area, Showings()).rate,
            history.household.rate,
            min(one.snoozes, MOST_SNOOZES) / MOST_SNOOZES,
            min(one.minutes, LONGEST_MINUTES) / LONGEST_MINUTES,
            float(one.frequency == "daily"),
            float(one.frequency == "weekly"),
            weekend,
            weekend * min(one.minutes, LONGEST_MINUTES) / LONGEST_MINUTES,
            one.stage_progress,
            float(one.is_adult),
        )
        for one in candidates
    ]
    return np.array(rows, dtype=np.float32).reshape(-1, len(FEATURES))


def unseen(candidate: Candidate) -> int:
    """Days since it was last shown, at most LONGEST_UNSEEN_DAYS."""
    if candidate.unseen_days is None:
        return LONGEST_UNSEEN_DAYS
    return min(candidate.unseen_days, LONGEST_UNSEEN_DAYS)
