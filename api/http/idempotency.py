"""Safe retries: a POST with an `Idempotency-Key` is executed once, and a retry gets the stored first answer.

The key belongs to its sender (a user, a household's token) and to a route. The answer is stored in the transaction
that does the work, so that both happen or neither. An error stores nothing, and a retry is executed again.
"""

import hashlib
from collections.abc import Callable, Coroutine
from datetime import datetime, timedelta
from typing import Annotated, Any

from fastapi import Header, Request, Response
from fastapi.routing import APIRoute
from sqlalchemy.ext.asyncio import AsyncSession

from api.http import queries
from api.http.problems import KEY_IN_USE, KEY_REUSED, ProblemOccurred
from api.http.request_values import RequestValue
from api.http.types import Words
from api.http.user_ids import canonical_path
from api.models.requests import KeptAnswer

KEPT = timedelta(hours=24)
LONGEST_KEY = 255
TRANSACTION = RequestValue[AsyncSession]("session")
"""The session that a request writes with; its transaction is open until the answer is made."""
_CLAIMED = RequestValue[KeptAnswer]("claimed")
"""The row of the request's key, without its answer."""


class Answered(Exception):
    """The request was answered before."""

    def __init__(self, stored: KeptAnswer) -> None:
        super().__init__()
        self.response = Response(stored.body, stored.status, {"Idempotent-Replayed": "true"}, "application/json")


class IdempotentRoute(APIRoute):
    """A route that stores its answers for retries with the same key."""

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        handle = super().get_route_handler()

        async def handle_once(request: Request) -> Response:
            try:
                response = await handle(request)
            except Answered as answered:
                return answered.response
            session = TRANSACTION.find(request)
            if session is not None:
                await keep_answer(request, session, response)
            return response

        return handle_once


IdempotencyKeyHeader = Annotated[
    Words | None,
    Header(min_length=1, max_length=LONGEST_KEY, description="Send the same key to retry: the work is done once."),
]


async def claim_key(
    request: Request, session: AsyncSession, kept: type[KeptAnswer], owner: int, key: str, body: bytes, now: datetime
) -> None:
    """Make sure that the request is executed once; `kept` is the table of the answers, `owner` the sender.

    Raises ProblemOccurred (409) while the first request with this key is running, and (422) if that request was a
    different one. Raises `Answered` if it was the same one.
    """
    route = f"{request.method} {request.scope['route'].path}"
    path = canonical_path(request.scope["path"])
    fingerprint = hashlib.sha256(path.encode() + b"\n" + body).hexdigest()
    await queries.forget_answers(session, kept, now - KEPT)
    try:
        stored = await queries.find_or_lock(session, kept, owner, route, key)
    except queries.KeyLocked as locked:
        still = "The first request with this key is still at work."
        raise ProblemOccurred(KEY_IN_USE, still, headers={"Retry-After": "1"}) from locked
    if stored is not None and stored.fingerprint != fingerprint:
        raise ProblemOccurred(KEY_REUSED, "This key was used for another request.")
    if stored is not None:
        raise Answered(stored)
    _CLAIMED.leave(request, kept(owner_id=owner, route=route, key=key, fingerprint=fingerprint, created_at=now))


async def keep_answer(request: Request, session: AsyncSession, response: Response) -> None:
    """Store the answer under the claimed key, if there is one, in the transaction that did the work."""
    claimed = _CLAIMED.find(request)
    if claimed is not None:
        claimed.status, claimed.body = response.status_code, bytes(response.body)
        await queries.keep_answer(session, claimed)
