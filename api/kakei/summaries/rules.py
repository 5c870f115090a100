"""The days that a summary covers, and its amounts in the person's currency. Pure."""

from calendar import monthrange
from collections.abc import Mapping
from typing import Any

from api.kakei.accounts.currencies import in_currency
from data.calendar_weeks import week_of

AMOUNTS = ("total_spent", "spent_wants", "spent_needs", "spent_culture", "spent_unexpected")


def days_of_month(month_key: int) -> int:
    """The number of days of a month YYYYMM."""
    return monthrange(month_key // 100, month_key % 100)[1]


def days_of_week(month_key: int, week_key: int) -> int:
    """The number of days of the month in its week `week_key`, 1 to 7; 0 if the month has no such week."""
    covered = week_of(month_key, week_key)
    return (covered[1] - covered[0]).days + 1 if covered else 0


def week_problem(month_key: int, week_key: int) -> str | None:
    """The error of a week of a month, or None."""
    if week_of(month_key, week_key) is not None:
        return None
    weeks = max(week for week in range(1, 7) if week_of(month_key, week) is not None)
    return f"{month_key} has {weeks} Monday-to-Sunday weeks"


def amounts_in_currency(values: Mapping[str, Any], currency: str | None) -> dict[str, Any]:
    """`values` with each amount rounded separately to the currency's decimals."""
    return {name: in_currency(value, currency) if name in AMOUNTS else value for name, value in values.items()}
