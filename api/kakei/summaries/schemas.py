"""Shapes of weekly and monthly summaries on the wire."""

from calendar import monthrange
from decimal import Decimal
from typing import Annotated

from pydantic import AfterValidator, Field, model_validator

from api.wire import Amount, ClientTime, Timestamp, Wire, example

PARTS_TOLERANCE = Decimal("0.05")
"""How far the four parts may be from the total: phones round each of them."""


def _real_month(key: int) -> int:
    if not 1 <= key % 100 <= 12:  # noqa: PLR2004 - months of a year
        raise ValueError("must be YYYYMM with a month from 01 to 12")
    return key


MonthKey = Annotated[int, Field(ge=200001, le=299912, examples=[202606]), AfterValidator(_real_month)]
"""YYYYMM with a real month."""
WeekKey = Annotated[int, Field(ge=1, le=6)]
"""The week of the month."""


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


class SummaryCreate(Wire):
    """What was spent; the four parts add up to the total."""

    month_key: MonthKey
    total_spent: Amount
    spent_wants: Amount
    spent_needs: Amount
    spent_culture: Amount
    spent_unexpected: Amount
    logging_days_count: Annotated[int, Field(ge=0)]
    client_timestamp: ClientTime | None = None

    @model_validator(mode="after")
    def _parts_add_up(self) -> "SummaryCreate":
        parts = self.spent_wants + self.spent_needs + self.spent_culture + self.spent_unexpected
        if abs(parts - self.total_spent) > PARTS_TOLERANCE:
            raise ValueError(f"the four parts add up to {parts}, total_spent is {self.total_spent}")
        return self


class WeeklySummaryCreate(SummaryCreate):
    """A week of a month."""

    model_config = example(WEEK)

    week_key: WeekKey
    logging_days_count: Annotated[int, Field(ge=0, le=7)]


class MonthlySummaryCreate(SummaryCreate):
    """A whole month."""

    model_config = example(MONTH)

    @model_validator(mode="after")
    def _days_of_the_month(self) -> "MonthlySummaryCreate":
        days = monthrange(self.month_key // 100, self.month_key % 100)[1]
        if self.logging_days_count > days:
            raise ValueError(f"logging_days_count is {self.logging_days_count}, the month has {days} days")
        return self


class WeeklySummaryOut(WeeklySummaryCreate):
    """A week as it is stored."""

    model_config = example(WEEK | STORED)

    received_at: Timestamp


class MonthlySummaryOut(MonthlySummaryCreate):
    """A month as it is stored."""

    model_config = example(MONTH | STORED)

    received_at: Timestamp


class WeeklySummaries(Wire):
    """A page of weeks, newest first."""

    model_config = example({"items": [WEEK | STORED], "next_cursor": None})

    items: list[WeeklySummaryOut]
    next_cursor: str | None


class MonthlySummaries(Wire):
    """A page of months, newest first."""

    model_config = example({"items": [MONTH | STORED], "next_cursor": None})

    items: list[MonthlySummaryOut]
    next_cursor: str | None
