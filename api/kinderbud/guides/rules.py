"""Ages, and which stage of a guide is current: pure."""

from collections.abc import Iterable
from datetime import date, datetime
from typing import Protocol
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

MONTHS_IN_YEAR = 12
DAYS_IN_WEEK = 7
MONTHS_UNTIL_YEARS = 24
"""Until the second birthday people count in months."""


class Staged(Protocol):
    """A stage: a row of the database, or of the catalog."""

    @property
    def age_start_months(self) -> int | None: ...
    @property
    def age_end_months(self) -> int | None: ...


def zone_of(name: str) -> ZoneInfo:
    """A time zone; UTC for one that this machine does not know, such as after a backup from another."""
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError):
        return ZoneInfo("UTC")


def household_day(now: datetime, time_zone: str) -> date:
    """The day where the household is."""
    return now.astimezone(zone_of(time_zone)).date()


def age_months(birthday: date, today: date) -> int:
    """Completed months. Somebody born on the 31st completes one on the last day that is not before it: on the first
    of the next month where a month is shorter."""
    months = (today.year - birthday.year) * MONTHS_IN_YEAR + today.month - birthday.month
    return months - (today.day < birthday.day)


def age_display(birthday: date, today: date) -> str:
    """An age as one says it: days, weeks, months, years and months."""
    months = age_months(birthday, today)
    if months < 1:
        days = max(0, (today - birthday).days)  # a newborn may fly over the date line
        return _count(days // DAYS_IN_WEEK, "week") if days >= DAYS_IN_WEEK else _count(days, "day")
    if months < MONTHS_UNTIL_YEARS:
        return _count(months, "month")
    years, rest = divmod(months, MONTHS_IN_YEAR)
    return _count(years, "year") + (f" {_count(rest, 'month')}" if rest else "")


def is_current(stage: Staged, months: int | None) -> bool:
    """Whether a stage is current at an age; `months` is None for adults."""
    if stage.age_start_months is None or stage.age_end_months is None:
        return months is None
    return months is not None and stage.age_start_months <= months < stage.age_end_months


def current_stage[S: Staged](stages: Iterable[S], months: int | None) -> S | None:
    """The stage of a guide that is current, if one is."""
    return next((stage for stage in stages if is_current(stage, months)), None)


def _count(number: int, unit: str) -> str:
    return f"{number} {unit}" + ("" if number == 1 else "s")
