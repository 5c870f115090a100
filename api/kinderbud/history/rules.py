"""Counts of a week by weekday. Pure."""

from collections.abc import Mapping
from datetime import date, timedelta

WEEKDAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")


def by_weekday(counts: Mapping[date, int], monday: date) -> dict[str, int]:
    """Turns counts by day into counts by weekday, Monday first."""
    return {name: counts.get(monday + timedelta(days=place), 0) for place, name in enumerate(WEEKDAYS)}
