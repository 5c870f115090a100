"""Safe retries: a POST that carries an `Idempotency-Key` is done once, and answered again as it was answered first.

The key belongs to a user and a route. The answer is stored in the transaction that does the work, so that either both
happened or neither did; an error stores nothing, and the retry is judged anew.
"""

import hashlib
from collections.abc import Callable, Coroutine
from datetime import UTC, datetime, timedelta
from typing import Annotated, Any

from fastapi import Depends, Header, Request, Response
from fastapi.routing import APIRoute
from sqlalchemy import delete, func, select
from sqlalchemy.ext.asyncio import AsyncSession

from api.database import WriteSession
from api.errors import KEY_IN_USE, KEY_REUSED, ProblemOccurred
from api.kakei.accounts.routes import person
from api.models import IdempotencyKey

KEPT = timedelta(hours=24)


class _Answered(Exception):
    """The request was answered before."""

    def __init__(self, stored: IdempotencyKey) -> None:
        super().__init__()
        self.response = Response(stored.body, stored.status, {"Idempotent-Replayed": "true"}, "application/json")


class OnceRoute(APIRoute):
    """A route whose answers are kept for those who send the same key again."""

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        handle = super().get_route_handler()

        async def handle_once(request: Request) -> Response:
            try:
                response = await handle(request)
            except _Answered as answered:
                return answered.response
            claimed: IdempotencyKey | None = getattr(request.state, "claimed", None)
            if claimed is not None:  # the transaction is still open, and committed with this row or not at all
                claimed.status, claimed.body = response.status_code, bytes(response.body)
                session: AsyncSession = request.state.session
                session.add(claimed)
                await session.flush()
            return response

        return handle_once


async def _once(
    request: Request,
    uuid: str,
    session: WriteSession,
    idempotency_key: Annotated[
        str | None,
        Header(min_length=1, max_length=255, description="Send the same key to retry: the work is done once."),
    ] = None,
) -> None:
    if idempotency_key is None:
        return
    user = await person(session, uuid)
    route = f"{request.method} {request.scope['route'].path}"
    fingerprint = hashlib.sha256(request.scope["path"].encode() + b"\n" + await request.body()).hexdigest()
    if session.get_bind().dialect.name == "postgresql":
        lock = func.pg_try_advisory_xact_lock(func.hashtextextended(f"{user.id} {route} {idempotency_key}", 0))
        if not await session.scalar(select(lock)):
            raise ProblemOccurred(
                KEY_IN_USE, "The first request with this key is still at work.", headers={"Retry-After": "1"}
            )
    now = datetime.now(UTC)
    mine = IdempotencyKey.user_id == user.id
    await session.execute(delete(IdempotencyKey).where(IdempotencyKey.created_at < now - KEPT))
    same = (mine, IdempotencyKey.route == route, IdempotencyKey.key == idempotency_key)
    stored = await session.scalar(select(IdempotencyKey).where(*same))
    if stored is not None and stored.fingerprint != fingerprint:
        raise ProblemOccurred(KEY_REUSED, "This key was used for another request.")
    if stored is not None:
        raise _Answered(stored)
    request.state.claimed = IdempotencyKey(
        user_id=user.id, route=route, key=idempotency_key, fingerprint=fingerprint, created_at=now
    )


Once = Depends(_once, scope="function")
