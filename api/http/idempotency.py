"""Safe retries: a POST that carries an `Idempotency-Key` is done once, and answered again as it was answered first.

The key belongs to whoever asks (a user, a household's token) and to a route. The answer is stored in the transaction
that does the work, so that either both happened or neither did; an error stores nothing, and the retry is judged anew.
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
    """A route whose answers are kept for those who send the same key again."""

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
    str | None,
    Header(min_length=1, max_length=LONGEST_KEY, description="Send the same key to retry: the work is done once."),
]


async def claim_key(
    request: Request, session: AsyncSession, kept: type[KeptAnswer], owner: int, key: str, body: bytes
) -> None:
    """Make sure that the request is answered once; `kept` is the table of the answers, `owner` who asks.

    Raises ProblemOccurred: 409 while the first one with that key is at work, 422 where it was another one; and
    `Answered` where it was this one.
    """
    route = f"{request.method} {request.scope['route'].path}"
    path = canonical_path(request.scope["path"])
    fingerprint = hashlib.sha256(path.encode() + b"\n" + body).hexdigest()
    now: datetime = request.app.state.clock()
    await session.execute(delete(kept).where(kept.created_at < now - KEPT))
    same = (kept.owner_id == owner, kept.route == route, kept.key == key)
    stored = await session.scalar(select(kept).where(*same))
    if stored is None and session.get_bind().dialect.name == "postgresql":
        lock = func.pg_try_advisory_xact_lock(func.hashtextextended(f"{kept.__tablename__} {owner} {route} {key}", 0))
        if not await session.scalar(select(lock)):
            raise ProblemOccurred(
                KEY_IN_USE, "The first request with this key is still at work.", headers={"Retry-After": "1"}
            )
        stored = await session.scalar(select(kept).where(*same))  # the first may just have ended
    if stored is not None and stored.fingerprint != fingerprint:
        raise ProblemOccurred(KEY_REUSED, "This key was used for another request.")
    if stored is not None:
        raise Answered(stored)
    request.state.claimed = kept(owner_id=owner, route=route, key=key, fingerprint=fingerprint, created_at=now)


async def keep_answer(request: Request, session: AsyncSession, response: Response) -> None:
    """Store the answer under the key that was claimed, if one was, in the transaction that did the work."""
    claimed: KeptAnswer | None = getattr(request.state, "claimed", None)
    if claimed is not None:
        claimed.status, claimed.body = response.status_code, bytes(response.body)
        session.add(claimed)
        await session.flush()
