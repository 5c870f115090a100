"""Pages of a list: a limit, and an opaque cursor that is the key of the last row seen."""

import base64
import binascii
import json
from typing import Annotated

from fastapi import Query

from api.errors import INVALID_INPUT, FieldError, ProblemOccurred

Limit = Annotated[int, Query(ge=1, le=200, description="How many rows at most.")]
Cursor = Annotated[str | None, Query(max_length=200, description="`next_cursor` of the page before.")]


def to_cursor(key: tuple[int, ...]) -> str:
    """The cursor of the page after the row with `key`."""
    return base64.urlsafe_b64encode(json.dumps(key).encode()).decode().rstrip("=")


def from_cursor(cursor: str | None, parts: int) -> tuple[int, ...] | None:
    """The key in a cursor of ours. Raises ProblemOccurred (422) for anything else."""
    if cursor is None:
        return None
    try:
        key = json.loads(base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)))
    except (ValueError, binascii.Error) as error:
        raise _no_cursor() from error
    if (
        not isinstance(key, list)
        or len(key) != parts
        or not all(type(part) is int and abs(part) < 2**31 for part in key)
    ):
        raise _no_cursor()
    return tuple(key)


def _no_cursor() -> ProblemOccurred:
    detail = "cursor: not one that this service gave"
    return ProblemOccurred(INVALID_INPUT, detail, [FieldError("cursor", "not one that this service gave")])
