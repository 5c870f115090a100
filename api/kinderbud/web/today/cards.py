"""How a day is laid out on its page: cards by person, and what each says."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date

from api.kinderbud.todos.queries import Seen
from api.kinderbud.todos.rules import Status
from api.models import HouseholdParticipant, TodoAction
from data.catalog.guides import Area, Frequency

MORNING, AFTERNOON, EVENING = 5, 12, 18
"""Hours from which one greets so."""
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
"""Stands where an area would, for what is the family's own."""
EVERY = {
    Frequency.ONCE: "once",
    Frequency.DAILY: "every day",
    Frequency.WEEKLY: "every week",
    Frequency.MONTHLY: "every month",
    Frequency.QUARTERLY: "every three months",
}


@dataclass(frozen=True)
class Card:
    """A todo as its page shows it. `action_id` is what undoing takes back, None where there is nothing of today."""

    seen: Seen
    status: Status
    area: str
    area_name: str
    every: str
    action_id: int | None
    snoozed_to: date | None

    @property
    def is_open(self) -> bool:
        """Whether there is something to do yet."""
        return self.status is Status.PENDING


@dataclass(frozen=True)
class Group:
    """Somebody's cards."""

    person: HouseholdParticipant
    cards: list[Card]


def cards(
    todos: Sequence[Seen], done: Mapping[int, TodoAction], today: date, people: Sequence[HouseholdParticipant]
) -> list[Group]:
    """By person, in the order of `people`; whoever has nothing is left out. `done` is by todo the last action of
    today."""
    groups = []
    for person in people:
        mine = [_card(seen, done.get(seen.todo.id), today) for seen in todos if seen.participant.id == person.id]
        if mine:
            groups.append(Group(person, mine))
    return groups


def greeting(hour: int, name: str) -> str:
    """As one says it at that hour."""
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
