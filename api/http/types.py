"""Types of JSON bodies, stricter than JSON: a boolean, a string or NaN is not a number."""

from datetime import UTC, datetime
from decimal import ROUND_HALF_UP, Context, Decimal
from typing import Annotated, Any

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    PlainSerializer,
    WithJsonSchema,
    field_validator,
)

from api.clock import timestamp
from api.http.error_texts import described
from api.http.text import check_texts, storable

EARLIEST, LATEST = datetime(2000, 1, 1, tzinfo=UTC), datetime(2099, 12, 31, 23, 59, 59, tzinfo=UTC)
"""Range of a phone's clock. A time outside it is wrong, and some calendars and file formats cannot hold it."""
LARGEST_AMOUNT = Decimal("999999999999.99")
OF_ID = "must be 1 to 64 letters, digits, dots, underscores and hyphens, and begin with a letter or digit"
OF_NAME = "must be 1 to 64 small letters, digits and underscores, and begin with a letter"
DECIMALS = 4
"""Decimals that the database stores (`api.models.base.Amount`): those of CLF, the currency with the most."""
CARRIED = Context(prec=15, rounding=ROUND_HALF_UP)
"""Significant digits of a JSON number that survive a round trip through a binary float."""


class StrictModel(BaseModel):
    """A shape on the wire: strict, what it does not know it rejects, and its errors do not repeat what people sent.
    No text in it, at any depth, is one that a database cannot hold."""

    model_config = ConfigDict(
        strict=True, extra="forbid", from_attributes=True, str_strip_whitespace=True, hide_input_in_errors=True
    )

    @field_validator("*", mode="after")
    @classmethod
    def _storable(cls, value: Any) -> Any:
        check_texts(value)
        return value


def example(value: Any) -> ConfigDict:
    """The `model_config` of a model with `value` as its example."""
    return ConfigDict(json_schema_extra={"examples": [value]})


def rounded(value: Decimal, decimals: int) -> Decimal:
    """`value` rounded to at most `decimals` decimals, without trailing zeros. A half rounds away from zero."""
    exact = value.quantize(Decimal(1).scaleb(-decimals), ROUND_HALF_UP)
    whole = exact.to_integral_value()
    return whole + 0 if exact == whole else exact.normalize()


def _whole(value: Any) -> Any:
    return int(value) if isinstance(value, float) and value.is_integer() else value


def _decimal(value: Any) -> Decimal:
    """A number as the intended decimal: 0.1 + 0.2 is 0.3. Raises ValueError for a value that is not a finite number."""
    if isinstance(value, bool) or not isinstance(value, int | float | Decimal):
        raise ValueError("must be a number")
    exact = Decimal(repr(value)) if isinstance(value, float) else Decimal(value)
    if not exact.is_finite():
        raise ValueError("must be a finite number")
    if abs(exact) > LARGEST_AMOUNT:
        return exact  # the bounds of the field refuse it
    return exact.normalize(CARRIED) if exact else Decimal(0)


def _four_decimals(value: Decimal) -> Decimal:
    return rounded(value, DECIMALS)


def _moment(value: Any) -> Any:
    if isinstance(value, datetime):
        return value
    if not isinstance(value, str):
        raise ValueError("must be a timestamp in ISO 8601, such as 2026-06-13T10:30:00Z")
    try:
        return datetime.fromisoformat(value.upper())  # RFC 3339 allows t and z
    except ValueError as error:
        raise ValueError("must be a timestamp in ISO 8601, such as 2026-06-13T10:30:00Z") from error


def _in_utc(value: datetime) -> datetime:
    if value.tzinfo is None:
        raise ValueError("must have a time zone, such as the Z of 2026-06-13T10:30:00Z")
    if not EARLIEST <= value <= LATEST:
        raise ValueError(f"must be from {EARLIEST:%Y} to {LATEST:%Y}")
    return value.astimezone(UTC)


WHOLE = BeforeValidator(_whole)
"""For every integer of a body: 5.0 is 5, since many languages print it so. "5", true and 5.5 are refused."""

_exact = BeforeValidator(_decimal)
_as_number = PlainSerializer(float, return_type=float, when_used="json")

Money = Annotated[
    Decimal,
    Field(ge=0, le=LARGEST_AMOUNT),
    _exact,
    _as_number,
    WithJsonSchema({"type": "number", "minimum": 0, "maximum": float(LARGEST_AMOUNT)}),
]
"""A JSON number, stored as a decimal with all its 15 digits; the currency determines the rounding."""

SignedMoney = Annotated[
    Decimal,
    Field(ge=-LARGEST_AMOUNT, le=LARGEST_AMOUNT),
    _exact,
    _as_number,
    WithJsonSchema({"type": "number", "minimum": float(-LARGEST_AMOUNT), "maximum": float(LARGEST_AMOUNT)}),
]
"""The same, but may be negative: refunds can exceed spending."""

Quantity = Annotated[Money, AfterValidator(_four_decimals)]
"""An amount that is not money: a JSON number from 0, rounded to four decimals."""

TIMESTAMP = r"^[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}\.[0-9]{3}Z$"
"""A moment as answers print it."""

Timestamp = Annotated[
    datetime,
    BeforeValidator(_moment),
    AfterValidator(_in_utc),
    PlainSerializer(timestamp, return_type=str, when_used="json"),
    WithJsonSchema({"type": "string", "format": "date-time"}, mode="validation"),
    WithJsonSchema({"type": "string", "format": "date-time", "pattern": TIMESTAMP}, mode="serialization"),
]
"""A moment with its zone. Apps send any precision and zone; answers print UTC with milliseconds and `Z`."""

ClientTime = Annotated[
    Timestamp,
    WithJsonSchema(
        {
            "type": "string",
            "format": "date-time",
            "description": "When it was made, by the client's clock, with its zone. The latest time wins, without one "
            "the latest arrival. A time more than 5 minutes ahead of the server's clock counts as received now.",
        },
        mode="validation",
    ),
]
"""What the client's clock says: a claim (`api.clock.effective_time`). It is stored as it was sent."""


Applied = Annotated[
    bool,
    Field(description="Whether the sent value is now in force; false if a later one was already stored."),
]
"""The result of an upload."""


Words = Annotated[str, AfterValidator(storable)]
"""Text that a person wrote: stored unchanged, or refused."""

Uuid = Annotated[
    str,
    Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$"),
    described(OF_ID),
]
"""An opaque id: 1 to 64 characters, and a capability."""

Month = Annotated[
    str,
    Field(pattern=r"^[0-9]{4}-(0[1-9]|1[0-2])$", examples=["2026-06"]),
    described("must be a month as YYYY-MM, such as 2026-06"),
]
"""YYYY-MM."""
