"""The time zones that people may choose, in both apps."""

from functools import cache
from importlib import resources

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
