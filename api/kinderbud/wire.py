"""The envelope around every answer, and types that cross the wire."""

from datetime import datetime
from typing import Annotated, Literal
from zoneinfo import ZoneInfo

from fastapi import Path, Query
from pydantic import BaseModel, Field

from api.wire import Words

LARGEST_ID = 2**31 - 1


class Answer[T](BaseModel):
    """What went well."""

    ok: Literal[True] = True
    data: T


PathId = Annotated[int, Path(ge=1, le=LARGEST_ID)]
OfParticipant = Annotated[int | None, Query(ge=1, le=LARGEST_ID, description="Only this participant's.")]
Id = Annotated[int, Field(ge=1, le=LARGEST_ID)]
Title = Annotated[Words, Field(min_length=1, max_length=200)]
Description = Annotated[Words, Field(max_length=2000)]
Notes = Annotated[Words, Field(max_length=2000)]
Reason = Annotated[Words, Field(max_length=500)]


def local(moment: datetime, time_zone: str) -> datetime:
    """A timestamp as the reference prints them: where the household is, to the second, without an offset."""
    return moment.astimezone(ZoneInfo(time_zone)).replace(microsecond=0, tzinfo=None)
