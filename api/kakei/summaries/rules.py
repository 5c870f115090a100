"""Which days a summary covers, and what its amounts are in the person's currency. Pure."""

from calendar import monthrange
from collections.abc import Mapping
from typing import Any

from api.kakei.accounts.currencies import in_currency
from data.calendar_weeks import week_of

AMOUNTS = ("total_spent", "spent_wants", "spent_needs", "spent_culture", "spent_unexpected")


def days_of_month(month_key: int) -> int:
    """How many days a month YYYYMM has."""
    return monthrange(month_key // 100, month_key % 100)[1]


def days_of_week(month_key: int, week_key: int) -> int:
    """How many days of a month its week `week_key` covers, 1 to 7; 0 where the month has no such week."""
    covered = week_of(month_key, week_key)
    return (covered[1] - covered[0]).days + 1 if covered else 0


def week_problem(month_key: int, week_key: int) -> str | None:
    """What is wrong with a week of a month, or None."""
    if week_of(month_key, week_key) is not None:
        return None
    weeks = max(week for week in range(1, 7) if week_of(month_key, week) is not None)
    return f"{month_key} has {weeks} Monday-to-Sunday weeks"


def amounts_in_currency(values: Mapping[str, Any], currency: str | None) -> dict[str, Any]:
    """`values` with each amount rounded to the currency's decimals, each by itself."""
    return {name: in_currency(value, currency) if name in AMOUNTS else value for name, value in values.items()}
