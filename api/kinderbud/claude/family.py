"""What Claude is told of a family: first names, ages, stages, candidates, and what was done lately; no notes, no
addresses, no birthdays. Fenced, as data."""

import json
from collections.abc import Iterable, Sequence
from datetime import date
from typing import Any

from api.kinderbud.guides.rules import age_display
from api.kinderbud.today.actions import Offer
from api.models import GuideItem, HouseholdParticipant, HouseholdUser, Todo, TodoAction

RECENT_DAYS = 7

type Entry = tuple[TodoAction, Todo, GuideItem | None, HouseholdUser | None]


def fenced(data: dict[str, Any]) -> str:
    """As text between <family> and </family>; whatever somebody typed cannot close the fence."""
    text = json.dumps(data, ensure_ascii=False, indent=1).replace("<", "\\u003c").replace(">", "\\u003e")
    return f"<family>\n{text}\n</family>"


def people_of(participants: Iterable[HouseholdParticipant], today: date) -> list[dict[str, Any]]:
    """Who lives there, by first name and age."""
    return [
        {"id": one.id, "name": one.name, "age": age_display(one.birthday, today) if one.birthday else "adult"}
        for one in participants
    ]


def recent_of(entries: Sequence[Entry]) -> list[dict[str, Any]]:
    """What was done, put off and dismissed lately, with the reasons."""
    return [
        {
            "day": action.action_date.isoformat(),
            "what": item.title if item else todo.title,
            "for": todo.participant_id,
            "action": action.action_type,
        }
        | ({"reason": action.reason} if action.reason else {})
        for action, todo, item, _ in entries
    ]


def day_to_choose(
    today: date, slots: int, people: list[dict[str, Any]], offer: Offer, recent: list[dict[str, Any]]
) -> dict[str, Any]:
    """All that a curation is made from."""
    candidates = [
        {
            "id": seen.todo.id,
            "for": seen.participant.id,
            "title": seen.title,
            "area": candidate.area,
            "frequency": candidate.frequency,
            "minutes": candidate.minutes,
            "overdue": round(candidate.overdue, 1),
            "shown_28_days": candidate.showings.shown,
            "done_28_days": candidate.showings.done,
        }
        for seen, candidate in zip(offer.eligible, offer.candidates, strict=True)
    ]
    return {
        "today": f"{today:%A, %Y-%m-%d}",
        "slots": slots,
        "people": people,
        "candidates": candidates,
        "recent": recent,
    }
