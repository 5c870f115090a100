"""The learning export: days of the households that take part, as the daily coach logged them, with what was done. Each
export has new pseudonyms, so that two exports cannot be joined. It has no names, titles or notes.

"""

import secrets
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import Any

from sqlalchemy.ext.asyncio import AsyncSession

from api.kinderbud.households import queries
from api.models import Household
from api.time_zones import local_date
from coach_model.daily.candidates import FEATURES, SCHEMA_VERSION
from data.logs.daily import DailyLogWriter

_shuffle = secrets.SystemRandom().shuffle


async def export_learning(
    session: AsyncSession, folder: Path, now: datetime, progress: Callable[[str], None] = lambda _: None
) -> dict[str, Any]:
    """Write the daily log of current participants into `folder`: complete days since they agreed. Returns the log's
    description. Offline phones may still add completions for the last 7 days; a later export includes those. Raises
    ValueError if the folder is not empty.
    """
    taking_part = list(await queries.taking_part(session))
    _shuffle(taking_part)
    writer = DailyLogWriter(folder)
    days = 0
    for number, household in enumerate(taking_part):
        progress(f"household {number + 1} of {len(taking_part)}")
        days += await _write_household(session, writer, household, f"h{number:06d}", now)
    about = {"households": len(taking_part), "days": days, "candidate_schema": SCHEMA_VERSION}
    return about | {"digest": writer.finish(about), "rows": writer.rows}


async def _write_household(
    session: AsyncSession, writer: DailyLogWriter, household: Household, pseudonym: str, now: datetime
) -> int:
    today = local_date(now, household.time_zone)
    since = local_date(household.learning_since or now, household.time_zone)
    days = await queries.logged_days(session, household.id, since, today)  # today is not over
    done = await queries.completed_between(session, household.id, since, today)
    numbers: dict[int, int] = {}
    for selection in days:
        for row in selection.logged["candidates"]:
            participant = numbers.setdefault(row["participant_id"], len(numbers))
            shown = bool(row["chosen"])
            told = {
                "household": pseudonym,
                "fold": household.learning_fold,
                "day": (selection.day - days[0].day).days,
                "participant": participant,
                "slots": selection.logged["slots"],
                "done": (selection.day, row["todo_id"]) in done if shown else None,
            }
            copied = {name: row[name] for name in ("area", "score", "chosen", "obligatory", "propensity")}
            writer.add(told | copied | dict(zip(FEATURES, row["features"], strict=True)))
    return len(days)
