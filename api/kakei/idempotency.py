"""Safe retries for users: `api.http.idempotency` with the user as the owner of the key.

A session of these is the request's transaction like `WriteSession`, after the key is claimed. It is one dependency, and
not two that name each other: FastAPI's share of a write is a third of its time, most of it for each dependency.
"""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Annotated

from fastapi import Depends, Request
from sqlalchemy.ext.asyncio import AsyncSession

from api.app_state import services_of
from api.dependencies import write_session
from api.http.idempotency import IdempotencyKeyHeader, claim_key
from api.kakei.accounts.dependencies import get_user_or_404, writer_or_404
from api.models import IdempotencyKey

_writing = asynccontextmanager(write_session)


async def _once(request: Request, idempotency_key: IdempotencyKeyHeader = None) -> AsyncIterator[AsyncSession]:
    async with _writing(request) as session:
        if idempotency_key is not None:
            writer = await writer_or_404(session, request.path_params["uuid"])  # the route finds it there
            await _claim(request, session, writer.id, idempotency_key)
        yield session


async def _once_for_update(
    request: Request, idempotency_key: IdempotencyKeyHeader = None
) -> AsyncIterator[AsyncSession]:
    async with _writing(request) as session:
        user = await get_user_or_404(session, request.path_params["uuid"], for_update=True)
        if idempotency_key is not None:
            await _claim(request, session, user.id, idempotency_key)
        yield session


async def _claim(request: Request, session: AsyncSession, user_id: int, key: str) -> None:
    now = services_of(request).clock()
    await claim_key(request, session, IdempotencyKey, user_id, key, await request.body(), now)


OnceSession = Annotated[AsyncSession, Depends(_once, scope="function")]
OnceSessionForUpdate = Annotated[AsyncSession, Depends(_once_for_update, scope="function")]
"""The same with an exclusive lock on the user. Taking that lock in two steps could deadlock."""
