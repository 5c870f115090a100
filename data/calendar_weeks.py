"""Calendar weeks, Monday to Sunday, and the weeks of a month that `week_key` names."""

from datetime import date, timedelta


def week_of(month_key: int, week_key: int) -> tuple[date, date] | None:
    """The first and last day of week `week_key` (from 1) of a month YYYYMM; None when the month has no such week."""
    first = date(month_key // 100, month_key % 100, 1)
    next_month = (first + timedelta(days=31)).replace(day=1)
    monday = first - timedelta(days=first.weekday()) + timedelta(weeks=week_key - 1)
    if monday >= next_month:
        return None
    return max(monday, first), min(monday + timedelta(days=6), next_month - timedelta(days=1))


def summaries_of(monday: date) -> list[tuple[int, int]]:
    """The keys (month_key, week_key) of the one or two summaries of the calendar week that begins on `monday`."""
    keys = []
    for day in (monday, monday + timedelta(days=6)):
        first = day.replace(day=1)
        key = (day.year * 100 + day.month, (day.day - 1 + first.weekday()) // 7 + 1)
        if key not in keys:
            keys.append(key)
    return keys


def monday_of(day: date) -> date:
    """The Monday of the ISO week of a day."""
    return day - timedelta(days=day.weekday())


def week_that_ends_after(day: date) -> date:
    """The Monday of the calendar week whose Sunday is 1 to 7 days after `day`."""
    return monday_of(day + timedelta(days=1))
