"""Safe retries for users: `api.http.idempotency` with the user as the owner of the key."""

from fastapi import Depends, Request

from api.dependencies import Now, WriteSession
from api.http.idempotency import IdempotencyKeyHeader, claim_key
from api.kakei.accounts.dependencies import get_user_or_404, writer_or_404
from api.models import IdempotencyKey


async def _once(
    request: Request, uuid: str, session: WriteSession, now: Now, idempotency_key: IdempotencyKeyHeader = None
) -> None:
    if idempotency_key is not None:
        user = await writer_or_404(session, uuid)  # the route finds it there
        await claim_key(request, session, IdempotencyKey, user.id, idempotency_key, await request.body(), now)


async def _once_for_update(
    request: Request, uuid: str, session: WriteSession, now: Now, idempotency_key: IdempotencyKeyHeader = None
) -> None:
    user = await get_user_or_404(session, uuid, for_update=True)
    if idempotency_key is not None:
        await claim_key(request, session, IdempotencyKey, user.id, idempotency_key, await request.body(), now)


Once = Depends(_once, scope="function")
OnceForUpdate = Depends(_once_for_update, scope="function")
"""The same with an exclusive lock on the user. Taking that lock in two steps could deadlock."""
