"""The envelope around every answer, and shared field types."""

from datetime import datetime
from typing import Annotated, Literal

from fastapi import Path, Query
from pydantic import AfterValidator, BaseModel, Field, WithJsonSchema

from api.db.engine import LARGEST_ID
from api.http.text import storable
from api.http.types import WHOLE, Timestamp
from api.time_zones import zone_of

LOCAL_TIME = r"^[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}$"


class Answer[T](BaseModel):
    """A successful answer."""

    ok: Literal[True] = True
    data: T


PathId = Annotated[int, Path(ge=1, le=LARGEST_ID)]
OfParticipant = Annotated[int | None, Query(ge=1, le=LARGEST_ID, description="Only this participant's.")]
Id = Annotated[int, Field(ge=1, le=LARGEST_ID), WHOLE]
Title = Annotated[str, Field(min_length=1, max_length=200), AfterValidator(storable)]
Description = Annotated[str, Field(max_length=2000), AfterValidator(storable)]
Notes = Annotated[str, Field(max_length=2000), AfterValidator(storable)]
Reason = Annotated[str, Field(max_length=500), AfterValidator(storable)]
LocalTime = Annotated[datetime, WithJsonSchema({"type": "string", "pattern": LOCAL_TIME})]
"""A timestamp where the household is, without an offset, which JSON Schema's `date-time` would ask for."""


ClientTime = Annotated[
    Timestamp,
    WithJsonSchema(
        {
            "type": "string",
            "format": "date-time",
            "description": "When it was done, by the client's clock, with its zone, up to 7 days ago. A time more than "
            "5 minutes ahead of the server's clock counts as now.",
        },
        mode="validation",
    ),
]
"""The time on the client's clock, which may be wrong (see `api.clock.effective_time`)."""


def local(moment: datetime, time_zone: str) -> datetime:
    """A timestamp in the reference's format: the household's local time, to the second, without an offset."""
    return moment.astimezone(zone_of(time_zone)).replace(microsecond=0, tzinfo=None)
