"""Types that cross the wire, strict where JSON is loose: a boolean is no number, nor is a string or NaN."""

from datetime import UTC, datetime
from decimal import Decimal
from typing import Annotated, Any

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, PlainSerializer, WithJsonSchema

from api.clock import timestamp

EARLIEST, LATEST = datetime(2000, 1, 1, tzinfo=UTC), datetime(2099, 12, 31, 23, 59, 59, tzinfo=UTC)
"""What a phone's clock may say: beyond that it is broken, and not every calendar and file format goes so far."""
LARGEST_AMOUNT = Decimal("999999999999.99")


class Wire(BaseModel):
    """A shape on the wire: strict, what it does not know it rejects, and its errors do not repeat what people sent."""

    model_config = ConfigDict(
        strict=True, extra="forbid", from_attributes=True, str_strip_whitespace=True, hide_input_in_errors=True
    )


def example(value: Any) -> ConfigDict:
    """The `model_config` of a shape that shows `value` as its example."""
    return ConfigDict(json_schema_extra={"examples": [value]})


def _decimal(value: Any) -> Decimal:
    if isinstance(value, bool) or not isinstance(value, int | float | Decimal):
        raise ValueError("must be a number")
    return Decimal(repr(value)) if isinstance(value, float) else Decimal(value)


def _moment(value: Any) -> Any:
    if isinstance(value, datetime):
        return value
    if not isinstance(value, str):
        raise ValueError("must be a timestamp in ISO 8601, such as 2026-06-13T10:30:00Z")
    try:
        return datetime.fromisoformat(value)
    except ValueError as error:
        raise ValueError("must be a timestamp in ISO 8601, such as 2026-06-13T10:30:00Z") from error


def _in_utc(value: datetime) -> datetime:
    if value.tzinfo is None:
        raise ValueError("must have a time zone, such as the Z of 2026-06-13T10:30:00Z")
    if not EARLIEST <= value <= LATEST:
        raise ValueError(f"must be from {EARLIEST:%Y} to {LATEST:%Y}")
    return value.astimezone(UTC)


Amount = Annotated[
    Decimal,
    BeforeValidator(_decimal),
    Field(ge=0, le=LARGEST_AMOUNT, decimal_places=2, allow_inf_nan=False),
    PlainSerializer(float, return_type=float),
    WithJsonSchema({"type": "number", "minimum": 0, "maximum": float(LARGEST_AMOUNT), "multipleOf": 0.01}),
]
"""A JSON number with at most two decimals; never a binary float inside."""

TIMESTAMP = r"^[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}\.[0-9]{3}Z$"
"""How answers print a moment."""

Timestamp = Annotated[
    datetime,
    BeforeValidator(_moment),
    AfterValidator(_in_utc),
    PlainSerializer(timestamp, return_type=str, when_used="json"),
    WithJsonSchema({"type": "string", "format": "date-time"}, mode="validation"),
    WithJsonSchema({"type": "string", "format": "date-time", "pattern": TIMESTAMP}, mode="serialization"),
]
"""A moment with its zone. Apps send any precision and zone; answers print UTC with milliseconds and `Z`."""

ClientTime = Timestamp
"""What the client's clock says: a claim (`api.clock.effective_time`)."""


def words(text: str) -> str:
    """`text`, which every database and file format can hold. Raises ValueError for NUL and for half a character."""
    if "\0" in text or any("\ud800" <= character <= "\udfff" for character in text):
        raise ValueError("must be Unicode text without NUL")
    return text


Words = Annotated[str, AfterValidator(words)]
"""Text that somebody wrote."""

Uuid = Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$")]
"""An opaque id: 1 to 64 characters, and a capability."""

Month = Annotated[str, Field(pattern=r"^[0-9]{4}-(0[1-9]|1[0-2])$", examples=["2026-06"])]
"""YYYY-MM."""
