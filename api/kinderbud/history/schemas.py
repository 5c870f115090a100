"""Response schemas of history, statistics, milestones and summaries."""

from datetime import date

from api.http.types import StrictModel
from api.kinderbud.action_types import ActionType
from api.kinderbud.envelope import LocalTime
from api.kinderbud.todos.schemas import TodoOut


class ActionOut(StrictModel):
    """`id` is the `action_id` that undoes the action."""

    id: int
    todo_id: int
    todo_title: str
    action_type: ActionType
    performed_by: str
    notes: str | None
    created_at: LocalTime


class DayOut(StrictModel):
    date: date
    actions: list[ActionOut]


class History(StrictModel):
    days: int
    total_actions: int
    entries: list[DayOut]


class Week(StrictModel):
    """`total` counts the todos shown from Monday to today, and those completed without being shown."""

    completed: int
    total: int
    by_day: dict[str, int]


class ParticipantStats(StrictModel):
    participant_id: int
    participant_name: str
    completed_7d: int
    completed_30d: int


class Stats(StrictModel):
    streak: int
    week: Week
    by_participant: list[ParticipantStats]


class MilestoneOut(TodoOut):
    """`by_months` is the age by which most children do it."""

    stage_name: str
    by_months: int | None
    achieved_on: date | None


class Milestones(StrictModel):
    milestones: list[MilestoneOut]
    achieved: int
    total: int


class ParticipantSummary(StrictModel):
    participant_id: int
    participant_name: str
    completed: int


class Summary(StrictModel):
    """What was done from `first_day` to `last_day`, both included. The areas are those of the guides; the family's own
    todos count as `custom`.
    """

    period: str
    first_day: date
    last_day: date
    completed: int
    active_days: int
    snoozed: int
    skipped: int
    milestones_achieved: list[str]
    by_area: dict[str, int]
    by_participant: list[ParticipantSummary]
