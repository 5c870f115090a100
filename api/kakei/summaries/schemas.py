"""Request and response models of weekly and monthly summaries."""

from typing import Annotated

from pydantic import AfterValidator, Field, ValidationInfo, field_validator

from api.http.types import WHOLE, Applied, ClientTime, SignedMoney, StrictModel, Timestamp, example
from api.kakei.summaries.rules import days_of_month, days_of_week, week_problem


def _real_month(key: int) -> int:
    if not 1 <= key % 100 <= 12:  # noqa: PLR2004 - months of a year
        raise ValueError("must be YYYYMM with a month from 01 to 12")
    return key


MonthKey = Annotated[int, Field(ge=200001, le=299912, examples=[202606]), AfterValidator(_real_month), WHOLE]
"""YYYYMM with a real month."""
WEEK_KEY = """The k-th Monday-to-Sunday week that has a day in the month, from 1. It covers its days inside the month
only; the other days belong to the month before or after. A week that the month does not have is refused. August 2026:

    week_key  Mo Tu We Th Fr Sa Su
           1                  1  2
           2   3  4  5  6  7  8  9
           3  10 11 12 13 14 15 16
           4  17 18 19 20 21 22 23
           5  24 25 26 27 28 29 30
           6  31
"""
WeekKey = Annotated[int, Field(ge=1, le=6, description=WEEK_KEY), WHOLE]
SPENT = "In the profile's currency, rounded to its decimals. Negative where refunds were more than spending."
Spent = Annotated[SignedMoney, Field(description=SPENT)]


WEEK = {
    "month_key": 202606,
    "week_key": 2,
    "total_spent": 3200.5,
    "spent_wants": 900,
    "spent_needs": 1800.5,
    "spent_culture": 300,
    "spent_unexpected": 200,
    "logging_days_count": 5,
}
MONTH = {
    "month_key": 202606,
    "total_spent": 14800,
    "spent_wants": 4200,
    "spent_needs": 8200,
    "spent_culture": 1600,
    "spent_unexpected": 800,
    "logging_days_count": 24,
}
STORED = {"client_timestamp": None, "received_at": "2026-06-14T08:00:00.000Z"}


class OfMonth(StrictModel):
    """The month of a summary."""

    month_key: MonthKey


class OfWeek(OfMonth):
    """The month and week of a summary."""

    week_key: WeekKey


class Spending(StrictModel):
    """The spending, and the number of days with an entry."""

    total_spent: Spent
    spent_wants: Spent
    spent_needs: Spent
    spent_culture: Spent
    spent_unexpected: Spent
    logging_days_count: Annotated[int, Field(ge=0, description="Days of the period with an entry."), WHOLE]
    client_timestamp: ClientTime | None = None


class WeeklySummaryCreate(Spending, OfWeek):
    """A week of a month. A part and the total may be negative. Each amount is rounded to the currency's decimals; then
    the four parts add up to `total_spent` within 0.05, or within 2.5 of the currency's smallest units where that is
    more (half a unit for each of the five amounts: 2 JPY). What is stored already is accepted again as it is."""

    model_config = example(WEEK)

    logging_days_count: Annotated[
        int, Field(ge=0, le=7, description="Days with an entry: at most the days of this week in this month."), WHOLE
    ]

    @field_validator("week_key")
    @classmethod
    def _the_month_has_it(cls, week_key: int, info: ValidationInfo) -> int:
        month_key = info.data.get("month_key")
        problem = week_problem(month_key, week_key) if month_key else None
        if problem:
            raise ValueError(problem)
        return week_key

    @field_validator("logging_days_count")
    @classmethod
    def _within_the_week(cls, count: int, info: ValidationInfo) -> int:
        month_key, week_key = info.data.get("month_key"), info.data.get("week_key")
        return _at_most(count, days_of_week(month_key, week_key), "week") if month_key and week_key else count


class MonthlySummaryCreate(Spending, OfMonth):
    """A whole month. A part and the total may be negative. Each amount is rounded to the currency's decimals; then the
    four parts add up to `total_spent` within 0.05, or within 2.5 of the currency's smallest units where that is more
    (half a unit for each of the five amounts: 2 JPY). What is stored already is accepted again as it is."""

    model_config = example(MONTH)

    @field_validator("logging_days_count")
    @classmethod
    def _within_the_month(cls, count: int, info: ValidationInfo) -> int:
        month_key = info.data.get("month_key")
        return _at_most(count, days_of_month(month_key), "month") if month_key else count


class WeeklySummaryOut(Spending, OfWeek):
    """A stored week."""

    model_config = example(WEEK | STORED)

    received_at: Timestamp


class MonthlySummaryOut(Spending, OfMonth):
    """A stored month."""

    model_config = example(MONTH | STORED)

    received_at: Timestamp


class WeeklySummaryPut(WeeklySummaryOut):
    """The stored week after an upload."""

    model_config = example(WEEK | STORED | {"applied": True})

    applied: Applied


class MonthlySummaryPut(MonthlySummaryOut):
    """The stored month after an upload."""

    model_config = example(MONTH | STORED | {"applied": True})

    applied: Applied


class WeeklySummaries(StrictModel):
    """A page of weeks, newest first."""

    model_config = example({"items": [WEEK | STORED], "next_cursor": None})

    items: list[WeeklySummaryOut]
    next_cursor: str | None


class MonthlySummaries(StrictModel):
    """A page of months, newest first."""

    model_config = example({"items": [MONTH | STORED], "next_cursor": None})

    items: list[MonthlySummaryOut]
    next_cursor: str | None


def _at_most(count: int, days: int, period: str) -> int:
    if count > days:
        raise ValueError(f"must be at most {days}, the days of this {period}")
    return count
