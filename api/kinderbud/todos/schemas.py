"""Request and response schemas of todos."""

from datetime import date
from typing import Annotated

from pydantic import Field

from api.http.types import WHOLE, StrictModel, example
from api.kinderbud.action_types import ActionType
from api.kinderbud.envelope import ClientTime, Description, Id, Notes, Reason, Title
from api.kinderbud.todos.queries import Seen
from api.kinderbud.todos.rules import Status
from data.catalog.guides import Category, Frequency


class TodoOut(StrictModel):
    """A todo in a list."""

    id: int
    title: str
    description: str | None
    category: Category
    frequency: Frequency
    participant_id: int
    participant_name: str
    status: Status
    guide_item_id: int | None
    guide_title: str | None
    achieved: bool | None


class ItemOut(StrictModel):
    """The guide's item of a todo: how to do it, and why."""

    id: int
    title: str
    description: str
    evidence_summary: str
    guide_title: str


class TodoDetail(TodoOut):
    """A todo with all fields."""

    source_type: str
    guide_item: ItemOut | None


class TodoPage(StrictModel):
    """A page of todos, out of `total`."""

    todos: list[TodoOut]
    total: int
    limit: int
    offset: int


class CustomTodoOut(StrictModel):
    """A todo of the family's own, as the answer to an edit."""

    id: int
    title: str
    description: str | None
    frequency: Frequency
    participant_id: int
    source_type: str


class CustomTodoCreated(CustomTodoOut):
    """A new one."""

    category: Category


class TodoCreate(StrictModel):
    """Without a participant it is for the youngest child."""

    model_config = example({"title": "Practice counting to 10", "frequency": "daily", "participant_id": 2})

    title: Title
    description: Description | None = None
    frequency: Annotated[Frequency, Field(strict=False)] = Frequency.ONCE
    participant_id: Id | None = None


class TodoUpdate(StrictModel):
    """Fields that are left out stay as they are. A null description is cleared."""

    model_config = example({"title": "Read two bedtime stories", "frequency": "daily"})

    title: Title
    description: Description | None = None
    frequency: Annotated[Frequency | None, Field(strict=False)] = None
    participant_id: Id | None = None


class Deleted(StrictModel):
    todo_id: int
    active: bool


class Complete(StrictModel):
    """With a `client_timestamp` it was done at that time, on that day of the household, up to 7 days ago."""

    model_config = example({"notes": "She loved it today!"})

    notes: Notes | None = None
    client_timestamp: ClientTime | None = None


class Completed(StrictModel):
    todo_id: int
    action: ActionType
    action_date: date
    notes: str | None


class Snooze(StrictModel):
    """Without `days` an activity is snoozed for a day, a milestone for a week. With a `client_timestamp` it was snoozed
    at that time, up to 7 days ago, and the days count from there.
    """

    model_config = example({"days": 3, "reason": "Sick day"})

    days: Annotated[int, Field(ge=1, le=90), WHOLE] | None = None
    reason: Reason | None = None
    permanent: bool = False
    client_timestamp: ClientTime | None = None


class Dismissed(StrictModel):
    todo_id: int
    action: ActionType
    action_date: date
    reason: str | None


class Snoozed(Dismissed):
    snoozed_to: date


class Undo(StrictModel):
    model_config = example({"action_id": 123})

    action_id: Id


class Undone(StrictModel):
    todo_id: int
    undone_action_id: int
    undone_action_type: ActionType


def shown(seen: Seen, today: date) -> TodoOut:
    """A todo as an entry of today's list."""
    return TodoOut(
        id=seen.todo.id,
        title=seen.title,
        description=seen.description,
        category=seen.category,
        frequency=seen.frequency,
        participant_id=seen.participant.id,
        participant_name=seen.participant.name,
        status=seen.status(today),
        guide_item_id=seen.todo.guide_item_id,
        guide_title=seen.guide.short_title if seen.guide else None,
        achieved=seen.achieved,
    )


def in_full(seen: Seen, today: date) -> TodoDetail:
    """A todo with its guide item."""
    item = None
    if seen.item is not None and seen.guide is not None:
        item = ItemOut(
            id=seen.item.id,
            title=seen.item.title,
            description=seen.item.how_to,
            evidence_summary=seen.item.evidence_summary,
            guide_title=seen.guide.short_title,
        )
    return TodoDetail(**shown(seen, today).model_dump(), source_type=seen.todo.source_type, guide_item=item)
