"""Safe retries for households: `api.http.idempotency` with the token as the owner of the key."""

from fastapi import Depends, Request

from api.dependencies import Now, WriteSession
from api.http.idempotency import IdempotencyKeyHeader, claim_key
from api.kinderbud.auth import TokenWriter
from api.models import HouseholdAnswer


async def _once(
    request: Request, caller: TokenWriter, session: WriteSession, now: Now, idempotency_key: IdempotencyKeyHeader = None
) -> None:
    if idempotency_key is not None:
        await claim_key(request, session, HouseholdAnswer, caller.token.id, idempotency_key, await request.body(), now)


Once = Depends(_once, scope="function")
