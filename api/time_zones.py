"""Time zones: which ones people may choose, and which day it is there. For both apps."""

from datetime import date, datetime
from functools import cache
from importlib import resources
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

NO_PLACE = frozenset({"Factory", "localtime", "posixrules"})
"""Names that stand for no place: each machine means another zone by them, or none."""


@cache
def known_time_zones() -> frozenset[str]:
    """The names of the IANA database, as the package `tzdata` lists them: the same on every machine. The folders of an
    operating system hold more names, such as `localtime` and `posix/Europe/Paris`."""
    listed = resources.files("tzdata").joinpath("zones").read_text(encoding="utf-8").split()
    return frozenset(listed) - NO_PLACE


def is_time_zone(name: str) -> bool:
    """Whether `name` is an IANA time zone, spelled as the database spells it."""
    return name in known_time_zones()


@cache
def zone_of(name: str | None) -> ZoneInfo:
    """The time zone. UTC without a name, and for a zone that this machine does not know."""
    try:
        return ZoneInfo(name or "UTC")
    except (ZoneInfoNotFoundError, ValueError):
        return ZoneInfo("UTC")


def local_date(moment: datetime, time_zone: str | None) -> date:
    """The day of `moment` in a time zone; in UTC where no zone is known."""
    return moment.astimezone(zone_of(time_zone)).date()
