"""The prompt data for choosing a day."""

from collections.abc import Sequence
from datetime import date
from typing import Any

from api.kinderbud.claude.prompt_data import Entry, Told
from api.kinderbud.today.actions import Offer


def day_to_choose(today: date, slots: int, told: Told, offer: Offer, recent: Sequence[Entry]) -> dict[str, Any]:
    """The data for a curation. Candidates are numbered from 1, in the order of the offer."""
    candidates = [
        {
            "id": number,
            "for": told.number(seen.participant.id),
            "title": told.title(seen),
            "area": candidate.area,
            "frequency": candidate.frequency,
            "minutes": candidate.minutes,
            "overdue": round(candidate.overdue, 1),
            "shown_28_days": candidate.showings.shown,
            "done_28_days": candidate.showings.done,
        }
        for number, (seen, candidate) in enumerate(zip(offer.eligible, offer.candidates, strict=True), 1)
    ]
    return {
        "today": f"{today:%A, %Y-%m-%d}",
        "slots": slots,
        "people": told.members(today),
        "candidates": candidates,
        "recent": told.recent(recent),
    }
