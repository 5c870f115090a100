"""Safe retries of what a household sends: `api.once` with the token as the owner of the key."""

from fastapi import Depends, Request

from api.dependencies import WriteSession
from api.kinderbud.caller import TokenWriter
from api.models import HouseholdAnswer
from api.once import IdempotencyKeyHeader, claim_key


async def _once(
    request: Request, caller: TokenWriter, session: WriteSession, idempotency_key: IdempotencyKeyHeader = None
) -> None:
    if idempotency_key is not None:
        await claim_key(request, session, HouseholdAnswer, caller.token.id, idempotency_key, await request.body())


Once = Depends(_once, scope="function")
