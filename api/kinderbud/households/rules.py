"""Validation of a household's values. Pure."""

import re
from datetime import date

from api.kinderbud.ages import MONTHS_IN_YEAR, age_months
from api.time_zones import is_time_zone

OLDEST_CHILD_YEARS = 18
OF_ADDRESS = r"[^@\s<>()\[\],:;\"\\.]"
"""Not a dot, and none of the characters that separate several addresses (RFC 5322)."""
EMAIL = re.compile(rf"(?=[^@]{{1,64}}@){OF_ADDRESS}+(\.{OF_ADDRESS}+)*@({OF_ADDRESS}+\.)+{OF_ADDRESS}{{2,}}")
"""A dot stands between two other characters: a mail to any other address cannot be composed."""
LONGEST_EMAIL = 254
LONGEST_NAME = 80
JOINERS = {0x200C: None, 0x200D: None}
"""Invisible characters that occur in Persian and Sinhala names."""
DAILY_TASKS = range(3, 16)
DEFAULT_DAILY_TASKS = 8
MOST_CHILDREN = 20
"""A daycare group; each child costs its own todos."""


class InvalidHousehold(ValueError):
    """A value of a household is invalid; the message says why."""


def checked_name(name: str) -> str:
    """The name without surrounding blanks. Raises InvalidHousehold."""
    name = " ".join(name.split())
    if not 1 <= len(name) <= LONGEST_NAME or not name.translate(JOINERS).isprintable():
        raise InvalidHousehold(f"a name has 1 to {LONGEST_NAME} characters, none of them invisible")
    return name


def checked_email(email: str) -> str:
    """The normalised address. Raises InvalidHousehold."""
    email = email.strip().lower()
    # The length first: the pattern takes quadratic time.
    if len(email) > LONGEST_EMAIL or not EMAIL.fullmatch(email) or not email.isprintable():
        raise InvalidHousehold("an e-mail address looks like sarah@example.com")
    return email


def checked_time_zone(name: str) -> str:
    """An IANA time zone. Raises InvalidHousehold."""
    if not is_time_zone(name):
        raise InvalidHousehold(f"{name!r} is no time zone; one is America/New_York")
    return name


def checked_birthday(birthday: date, today: date) -> date:
    """A child's birthday. Raises InvalidHousehold for one in the future or too long ago."""
    if birthday > today:
        raise InvalidHousehold("a birthday is a date in the past")
    if age_months(birthday, today) // MONTHS_IN_YEAR > OLDEST_CHILD_YEARS:
        raise InvalidHousehold(f"a child is at most {OLDEST_CHILD_YEARS}; add an adult instead")
    return birthday


def checked_count(count: int) -> int:
    """The number of activities a day. Raises InvalidHousehold."""
    if count not in DAILY_TASKS:
        raise InvalidHousehold(f"{DAILY_TASKS.start} to {DAILY_TASKS.stop - 1} activities a day")
    return count
