"""The fast path of the one request that phones wait for: an anonymous, valid question to the coach.

It does in one place what a dozen layers of middleware, routing and response objects do for all other requests, which
costs more than the decision (docs/decisions/0003-the-hot-path.md). It stores nothing and is not rate limited, so those
layers have nothing to do here. Whatever is unusual goes to them unchanged: a user, another origin, compression, a bad
body or one in pieces, a header that is sent twice, an error.
"""

import time
from datetime import UTC, datetime, timedelta
from functools import lru_cache

import msgspec
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from api.app_state import part_of
from api.clock import Clock, timestamp
from api.http.whole_answers import send_whole
from api.kakei.coach.app_state import CoachServices
from api.kakei.coach.encoded_answers import encoded
from api.kakei.coach.schemas import CoachContext
from api.observability.request_records import RequestRecords
from api.observability.telemetry import request_id_of
from coach_model.budget.messages import LANGUAGES, preferred_language

METHOD, PATH = "POST", "/coach/suggestions"
UNUSUAL = frozenset({b"x-user-uuid", b"origin", b"content-encoding"})
"""Headers that other layers act upon."""
LENGTH_DIGITS = 4
"""Digits of the Content-Length of a usual body. A context has some 300 bytes."""

_context = msgspec.json.Decoder(CoachContext)
_language = lru_cache(maxsize=1_000)(preferred_language)


class CoachFastPath:
    """ASGI middleware, outside of all others."""

    def __init__(self, app: ASGIApp, records: RequestRecords) -> None:
        self.app = app
        self.records = records
        self._second = self._next_second = datetime.min.replace(tzinfo=UTC)
        self._encoded_second = b""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or scope["path"] != PATH or scope["method"] != METHOD or not _is_usual(scope):
            await self.app(scope, receive, send)
            return
        started = time.perf_counter()
        message = await receive()
        try:
            context = _context.decode(b"" if message.get("more_body") else message["body"])
            coach = part_of(scope["app"], CoachServices)
            decision = await coach.decider.decision(msgspec.structs.astuple(context))
        except Exception:  # noqa: BLE001 - the other layers meet the same error; they answer and log it
            await self.app(scope, _from(message, receive), send)
            return
        body = encoded(decision, _language_of(scope), self._time(coach.clock))
        request_id = request_id_of(scope["headers"])
        headers = [
            (b"content-length", str(len(body)).encode()),
            (b"content-type", b"application/json"),
            (b"x-request-id", request_id.encode()),
        ]
        await send_whole(scope, send, headers, body)
        self.records.add(METHOD, PATH, 200, time.perf_counter() - started, request_id)

    def _time(self, clock: Clock) -> bytes:
        """The encoded time of an answer, which has whole seconds."""
        now = clock()
        if not self._second <= now < self._next_second:
            self._second = now.replace(microsecond=0)
            self._next_second = self._second + timedelta(seconds=1)
            self._encoded_second = timestamp(self._second).encode()
        return self._encoded_second


def _is_usual(scope: Scope) -> bool:
    headers = dict(scope["headers"])
    length = headers.get(b"content-length")
    return (
        length is not None
        and len(length) <= LENGTH_DIGITS
        and len(headers) == len(scope["headers"])
        and UNUSUAL.isdisjoint(headers)
    )


def _language_of(scope: Scope) -> str:
    for name, value in scope["headers"]:
        if name == b"accept-language":
            return _language(value.decode("latin-1"))
    return LANGUAGES[0]


def _from(first: Message, receive: Receive) -> Receive:
    """`receive` that begins again with its first message."""
    messages = [first]

    async def again() -> Message:
        return messages.pop() if messages else await receive()

    return again
