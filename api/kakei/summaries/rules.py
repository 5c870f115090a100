"""The days that a summary covers, and its amounts in the person's currency. Pure."""

from calendar import monthrange
from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from api.kakei.accounts.currencies import in_currency, unit_of
from data.calendar_weeks import week_of

PARTS_TOLERANCE = Decimal("0.05")
"""How far the four parts may be from the total in any currency: phones round each of them."""
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


def parts_problem(amounts: Mapping[str, Any], currency: str | None) -> str | None:
    """What is wrong with the sum of amounts that are rounded to the currency, or None. Rounding moves each of the five
    by half a unit at most, so that amounts that add up are never refused, nor are they when they are sent again."""
    total, *parts = (amounts[name] for name in AMOUNTS)
    off_by = max(PARTS_TOLERANCE, unit_of(currency) * len(AMOUNTS) / 2)
    if abs(sum(parts) - total) <= off_by:
        return None
    told = f"in {currency} " if currency else ""
    return f"is {total:f}, and {told}the four parts add up to {sum(parts):f}; at most {off_by:f} may be between"


def amounts_in_currency(values: Mapping[str, Any], currency: str | None) -> dict[str, Any]:
    """`values` with each amount rounded separately to the currency's decimals."""
    return {name: in_currency(value, currency) if name in AMOUNTS else value for name, value in values.items()}
