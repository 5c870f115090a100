"""Request and response models of users, profiles and income ranges."""

from enum import StrEnum
from typing import Annotated, Literal, Self

from pydantic import AfterValidator, Field, model_validator

from api.http.error_texts import FieldRefused
from api.http.types import TIMESTAMP, WHOLE, Money, StrictModel, Uuid, example
from api.kakei.accounts.currencies import in_currency, known_currencies
from api.time_zones import is_time_zone


class UserProfile(StrEnum):
    STUDENT = "student"
    EMPLOYEE = "employee"
    SELF_EMPLOYED = "self_employed"
    FAMILY = "family"
    RETIRED = "retired"
    OTHER = "other"


def _known_zone(name: str) -> str:
    if not is_time_zone(name):
        raise ValueError("must be an IANA time zone, such as Asia/Manila")
    return name


def _known_currency(code: str) -> str:
    if code not in known_currencies():
        raise ValueError("must be a currency that is in use (ISO 4217), such as PHP")
    return code


class UserCreate(StrictModel):
    """A new user; without a uuid the service generates one."""

    model_config = example({"uuid": "participant-uuid"})

    uuid: Uuid | None = None


class UserCreated(StrictModel):
    """The user's id, a capability: a client that knows it can act for the user."""

    model_config = example({"uuid": "participant-uuid"})

    uuid: str


OF_ZONE = "IANA, such as Asia/Manila."
OF_CURRENCY = (
    "ISO 4217, such as PHP. Amounts are rounded to its decimals (JPY none, KWD three) when they are received; another "
    "currency later leaves stored amounts as they are. Without a currency up to four decimals are kept."
)
PROFILE = {
    "income_range_id": 3,
    "user_profile": "student",
    "allow_exact_income": False,
    "exact_income_local": None,
    "coach_style": 1,
    "savings_goal_type": "monthly",
    "saving_goal_value": 2500,
    "budget_cycle_start_day": 1,
}


class BudgetProfile(StrictModel):
    """A stored budget profile."""

    model_config = example(PROFILE)

    income_range_id: Annotated[int, Field(ge=1, le=2**31 - 1), WHOLE]
    user_profile: Annotated[UserProfile, Field(strict=False)]
    allow_exact_income: bool
    exact_income_local: Money | None = None
    coach_style: Annotated[int, Field(ge=0, le=2, description="0 gentle, 1 balanced, 2 firm"), WHOLE]
    savings_goal_type: Literal["weekly", "monthly", "yearly"]
    saving_goal_value: Money
    budget_cycle_start_day: Annotated[int, Field(ge=1, le=28), WHOLE]
    time_zone: Annotated[str | None, Field(description=OF_ZONE)] = None
    currency: Annotated[str | None, Field(description=OF_CURRENCY)] = None


class BudgetProfileUpdate(BudgetProfile):
    """A budget profile. An exact income needs `allow_exact_income`; setting that to false erases it."""

    model_config = example(PROFILE)

    time_zone: Annotated[Annotated[str, AfterValidator(_known_zone)] | None, Field(description=OF_ZONE)] = None
    currency: Annotated[Annotated[str, AfterValidator(_known_currency)] | None, Field(description=OF_CURRENCY)] = None

    @model_validator(mode="after")
    def _income_needs_leave(self) -> Self:
        if self.exact_income_local is not None and not self.allow_exact_income:
            raise FieldRefused("exact_income_local", "needs allow_exact_income")
        return self

    @model_validator(mode="after")
    def _in_the_currency(self) -> Self:
        self.saving_goal_value = in_currency(self.saving_goal_value, self.currency)
        if self.exact_income_local is not None:
            self.exact_income_local = in_currency(self.exact_income_local, self.currency)
        return self


class Status(StrictModel):
    """The result of a write."""

    model_config = example({"status": "created"})

    status: Literal["created", "updated"]


class IncomeRangeOut(StrictModel):
    """An income range, relative to the place where a person lives."""

    model_config = example(
        {"id": 3, "slug": "typical", "label": "Typical", "description": "About the typical income where I live."}
    )

    id: int
    slug: str
    label: str
    description: str


class Receipt(StrictModel):
    """The erased rows by table, and a digest over id, counts and time."""

    model_config = example(
        {
            "erased": {"users": 1, "profiles": 1, "weekly_summaries": 12},
            "erased_at": "2026-11-21T10:00:00.000Z",
            "digest": "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08",
        }
    )

    erased: dict[str, int]
    erased_at: Annotated[str, Field(pattern=TIMESTAMP, json_schema_extra={"format": "date-time"})]
    digest: str


class Points(StrictModel):
    """The sum of a user's points ledger."""

    model_config = example({"total_points": 150})

    total_points: int
