"""All failures of Claude: a cause, a sentence for the family, and when to try again."""

import math
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from enum import StrEnum
from typing import Any

from pydantic import ValidationError

from api.kinderbud.claude.replies import ReplyFailed

OVERLOADED = 529
RETRY_SECONDS = 5
LONGEST_RETRY_SECONDS = 3600


class Cause(StrEnum):
    """Why Claude did not answer."""

    BAD_KEY = "bad_key"
    NO_MODEL = "no_model"
    RATE_LIMITED = "rate_limited"
    OVERLOADED = "overloaded"
    UNREACHABLE = "unreachable"
    TIMEOUT = "timeout"
    REFUSED = "refused"
    CUT = "cut"
    NONSENSE = "nonsense"


SENTENCES = {
    Cause.BAD_KEY: "Claude does not accept this household's key. An admin can set another one.",
    Cause.NO_MODEL: "This household's key is not allowed to use the model of this service.",
    Cause.RATE_LIMITED: "There are too many requests with this key; try again in a minute.",
    Cause.OVERLOADED: "Claude is overloaded; try again in a minute.",
    Cause.UNREACHABLE: "Claude cannot be reached; try again in a minute.",
    Cause.TIMEOUT: "Claude took too long; try again in a minute.",
    Cause.REFUSED: "Claude refused to answer this.",
    Cause.CUT: "Claude's answer was cut off; try again.",
    Cause.NONSENSE: "Claude's answer was not valid; try again.",
}
WAITS = {Cause.RATE_LIMITED: 60, Cause.OVERLOADED: 30}
"""Seconds to wait if Claude names no time."""
KINDS = {
    "overloaded_error": Cause.OVERLOADED,
    "rate_limit_error": Cause.RATE_LIMITED,
    "authentication_error": Cause.BAD_KEY,
    "permission_error": Cause.BAD_KEY,
    "not_found_error": Cause.NO_MODEL,
    "timeout_error": Cause.TIMEOUT,
}
"""The API's error names, as they arrive in a stream after a 200."""


MUDDLED = (ValueError, KeyError, TypeError, AssertionError, IndexError)
"""Errors that the SDK raises for malformed answers."""


class ClaudeFailed(Exception):
    """There is no answer. `cause` says why, `retry_after` in how many seconds to ask again. It contains nothing that
    was sent or received.
    """

    def __init__(self, cause: Cause, retry_after: int | None = None) -> None:
        super().__init__(SENTENCES[cause])
        self.cause = cause
        self.retry_after = retry_after or WAITS.get(cause, RETRY_SECONDS)


@asynccontextmanager
async def failures_named(anthropic: Any, http: Any) -> AsyncIterator[None]:
    """Turns errors inside into ClaudeFailed. `anthropic` is the imported SDK, `http` its HTTP library."""
    try:
        yield
    except ReplyFailed as error:
        raise ClaudeFailed(KINDS.get(error.kind, Cause.UNREACHABLE)) from error
    except (anthropic.APITimeoutError, http.TimeoutException, TimeoutError) as error:
        raise ClaudeFailed(Cause.TIMEOUT) from error
    except anthropic.APIStatusError as error:
        raise ClaudeFailed(_cause_of(anthropic, error), _wait_of(error)) from error
    except (anthropic.APIConnectionError, http.HTTPError, http.StreamError, OSError) as error:
        raise ClaudeFailed(Cause.UNREACHABLE) from error
    except (anthropic.AnthropicError, ValidationError, *MUDDLED) as error:
        raise ClaudeFailed(Cause.NONSENSE) from error


def _cause_of(anthropic: Any, error: Any) -> Cause:
    match error:
        case anthropic.AuthenticationError() | anthropic.PermissionDeniedError():
            return Cause.BAD_KEY
        case anthropic.NotFoundError():
            return Cause.NO_MODEL
        case anthropic.RateLimitError():
            return Cause.RATE_LIMITED
    return Cause.OVERLOADED if error.status_code == OVERLOADED else Cause.UNREACHABLE


def _wait_of(error: Any) -> int | None:
    """The seconds of `Retry-After`, if Claude sends a reasonable value."""
    try:
        seconds = float(error.response.headers.get("retry-after", ""))
    except ValueError:
        return None
    return math.ceil(seconds) if 0 < seconds <= LONGEST_RETRY_SECONDS else None
