"""The data about a family that Claude gets: first names (rule in `names.py`), ages, stages, candidates, and recent
actions. No notes, addresses, birthdays, keys or database ids. Numbers stand for people and candidates. The data is
fenced.
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from sqlalchemy.ext.asyncio import AsyncSession

from api.kinderbud.ages import age_display
from api.kinderbud.claude.names import Names, Person
from api.kinderbud.households.queries import participants_of, users_of
from api.kinderbud.todos.queries import Seen
from api.models import GuideItem, Household, HouseholdParticipant, HouseholdUser, Todo, TodoAction

RECENT_DAYS = 7

type Entry = tuple[TodoAction, Todo, GuideItem | None, HouseholdUser | None]


def fenced(data: dict[str, Any]) -> str:
    """The data between <family> and </family>. Typed text cannot close the fence."""
    text = json.dumps(data, ensure_ascii=False, indent=1).replace("<", "\\u003c").replace(">", "\\u003e")
    return f"<family>\n{text}\n</family>"


@dataclass(frozen=True)
class Told:
    """A household in a prompt: people by number and first name."""

    names: Names
    people: tuple[HouseholdParticipant, ...]

    def number(self, participant_id: int) -> int:
        """The number of a participant in the prompt; database ids are not sent. 0 for a participant who has left."""
        return next((place for place, one in enumerate(self.people, 1) if one.id == participant_id), 0)

    def members(self, today: date) -> list[dict[str, Any]]:
        """The members of the household, by first name and age."""
        return [
            {
                "id": place + 1,
                "name": self.names.shown(place),
                "age": age_display(one.birthday, today) if one.birthday else "adult",
            }
            for place, one in enumerate(self.people)
        ]

    def title(self, seen: Seen) -> str:
        """A todo's title. The family's own titles are typed text, so names are removed from them."""
        return seen.title if seen.item else self.names.removed_from(seen.title)

    def recent(self, entries: Sequence[Entry]) -> list[dict[str, Any]]:
        """What was done, snoozed and dismissed recently, with the reasons."""
        return [
            {
                "day": action.action_date.isoformat(),
                "what": item.title if item else self.names.removed_from(todo.title or ""),
                "for": self.number(todo.participant_id),
                "action": action.action_type,
            }
            | ({"reason": self.names.removed_from(action.reason)} if action.reason else {})
            for action, todo, item, _ in entries
        ]


async def told_of(session: AsyncSession, household: Household) -> Told:
    """The people of a household, and which of their names may be sent."""
    participants = tuple(await participants_of(session, household.id))
    logins = {user.participant_id: (user.display_name,) for user in await users_of(session, household.id)}
    people = tuple(Person((one.name, *logins.get(one.id, ())), one.is_adult, one.birthday) for one in participants)
    return Told(Names(household.name, people), participants)
