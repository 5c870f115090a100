"""The layout of a day's page: cards by person, and their texts."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date

from api.kinderbud.todos.queries import Seen
from api.kinderbud.todos.rules import Status
from api.models import HouseholdParticipant, TodoAction
from data.catalog.guides import Area, Frequency

MORNING, AFTERNOON, EVENING = 5, 12, 18
"""The first hour of each greeting."""
AREAS = {
    Area.MOTOR: "Moving",
    Area.SENSORY: "Senses",
    Area.COGNITIVE: "Thinking",
    Area.SELF_REGULATION: "Calm",
    Area.LANGUAGE: "Talking",
    Area.LITERACY: "Books",
    Area.MATH: "Numbers",
    Area.SOCIAL: "Together",
    Area.REST: "Rest",
    Area.RELATIONSHIP: "Closeness",
}
OWN = "own"
"""The area of the family's own todos."""
EVERY = {
    Frequency.ONCE: "once",
    Frequency.DAILY: "every day",
    Frequency.WEEKLY: "every week",
    Frequency.MONTHLY: "every month",
    Frequency.QUARTERLY: "every three months",
}


@dataclass(frozen=True)
class Card:
    """A todo on a page. `action_id` is today's action that can be undone, None if there is none."""

    seen: Seen
    status: Status
    area: str
    area_name: str
    every: str
    action_id: int | None
    snoozed_to: date | None

    @property
    def is_open(self) -> bool:
        """Whether there is still something to do."""
        return self.status is Status.PENDING


@dataclass(frozen=True)
class Group:
    """One person's cards."""

    person: HouseholdParticipant
    cards: list[Card]


def cards(
    todos: Sequence[Seen], done: Mapping[int, TodoAction], today: date, people: Sequence[HouseholdParticipant]
) -> list[Group]:
    """Cards by person, in the order of `people`, without empty groups. `done` is the last action of today by todo."""
    groups = []
    for person in people:
        mine = [_card(seen, done.get(seen.todo.id), today) for seen in todos if seen.participant.id == person.id]
        if mine:
            groups.append(Group(person, mine))
    return groups


def greeting(hour: int, name: str) -> str:
    """The greeting of that hour."""
    if MORNING <= hour < AFTERNOON:
        return f"Good morning, {name}"
    return f"Good afternoon, {name}" if AFTERNOON <= hour < EVENING else f"Good evening, {name}"


def _card(seen: Seen, action: TodoAction | None, today: date) -> Card:
    status = seen.status(today)
    area = seen.item.area if seen.item else OWN
    return Card(
        seen=seen,
        status=status,
        area=area,
        area_name=AREAS[Area(area)] if seen.item else "Your own",
        every=EVERY[seen.frequency],
        action_id=action.id if action is not None and status is not Status.PENDING else None,
        snoozed_to=seen.todo.snoozed_until,
    )
