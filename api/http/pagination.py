"""Pages of a list: a limit, and an opaque cursor that is the key of the last row seen."""

import base64
import binascii
import json
from typing import Annotated

from fastapi import Query, Request, Response

from api.http.problems import INVALID_INPUT, FieldError, ProblemOccurred
from api.http.types import Words

LONGEST_PAGE = 200
Limit = Annotated[int, Query(ge=1, le=LONGEST_PAGE, description="How many rows at most.")]
Cursor = Annotated[Words | None, Query(max_length=200, description="`next_cursor` of the page before.")]
LINK = {
    "Link": {
        "description": 'The next page, if there is one: `<…>; rel="next"` (RFC 8288).',
        "schema": {"type": "string"},
    }
}
"""The header with which a plain array announces its next page."""


def link_next(request: Request, response: Response, key: tuple[int, ...]) -> None:
    """Set the `Link` header to the page after the row with `key`."""
    url = request.url.include_query_params(cursor=to_cursor(key))
    response.headers["Link"] = f'<{url.path}?{url.query}>; rel="next"'


def to_cursor(key: tuple[int, ...]) -> str:
    """The cursor of the page after the row with `key`."""
    return base64.urlsafe_b64encode(json.dumps(key).encode()).decode().rstrip("=")


def from_cursor(cursor: str | None, parts: int) -> tuple[int, ...] | None:
    """The key in a cursor. Raises ProblemOccurred (422) for a text that this service did not issue."""
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
    return ProblemOccurred(INVALID_INPUT, detail, [FieldError("cursor", "is not one that this service gave")])
