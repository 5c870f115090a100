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
from sqlalchemy import delete, func, select
from sqlalchemy.ext.asyncio import AsyncSession

from api.http.problems import KEY_IN_USE, KEY_REUSED, ProblemOccurred
from api.http.types import Words
from api.http.user_ids import canonical_path
from api.models.requests import KeptAnswer

KEPT = timedelta(hours=24)
LONGEST_KEY = 255


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
            session: AsyncSession | None = getattr(request.state, "session", None)
            if session is not None:  # its transaction is still open
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
    await session.execute(delete(kept).where(kept.created_at < now - KEPT))
    same = (kept.owner_id == owner, kept.route == route, kept.key == key)
    stored = await session.scalar(select(kept).where(*same))
    if stored is None and session.get_bind().dialect.name == "postgresql":
        lock = func.pg_try_advisory_xact_lock(func.hashtextextended(f"{kept.__tablename__} {owner} {route} {key}", 0))
        if not await session.scalar(select(lock)):
            raise ProblemOccurred(
                KEY_IN_USE, "The first request with this key is still at work.", headers={"Retry-After": "1"}
            )
        stored = await session.scalar(select(kept).where(*same))  # the first request may just have ended
    if stored is not None and stored.fingerprint != fingerprint:
        raise ProblemOccurred(KEY_REUSED, "This key was used for another request.")
    if stored is not None:
        raise Answered(stored)
    request.state.claimed = kept(owner_id=owner, route=route, key=key, fingerprint=fingerprint, created_at=now)


async def keep_answer(request: Request, session: AsyncSession, response: Response) -> None:
    """Store the answer under the claimed key, if there is one, in the transaction that did the work."""
    claimed: KeptAnswer | None = getattr(request.state, "claimed", None)
    if claimed is not None:
        claimed.status, claimed.body = response.status_code, bytes(response.body)
        session.add(claimed)
        await session.flush()
