"""Time zones of both apps: the allowed names, and the local date."""

from datetime import date, datetime
from functools import cache
from importlib import resources
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

NO_PLACE = frozenset({"Factory", "localtime", "posixrules"})
"""Names without a fixed meaning: they differ between machines, or name no zone."""


@cache
def known_time_zones() -> frozenset[str]:
    """The names of the IANA database in the package `tzdata`, which are the same on every machine. Operating systems
    have more names, such as `localtime` and `posix/Europe/Paris`."""
    listed = resources.files("tzdata").joinpath("zones").read_text(encoding="utf-8").split()
    return frozenset(listed) - NO_PLACE


def is_time_zone(name: str) -> bool:
    """Whether `name` is an IANA time zone, spelled as the database spells it."""
    return name in known_time_zones()


@cache
def zone_of(name: str | None) -> ZoneInfo:
    """The time zone; UTC without a name, or if this machine does not know the zone."""
    try:
        return ZoneInfo(name or "UTC")
    except (ZoneInfoNotFoundError, ValueError):
        return ZoneInfo("UTC")


def local_date(moment: datetime, time_zone: str | None) -> date:
    """The day of `moment` in a time zone; in UTC without a known zone."""
    return moment.astimezone(zone_of(time_zone)).date()
