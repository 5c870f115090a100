"""The chat: Claude answers, with the household's own key."""

import json
from collections.abc import AsyncGenerator
from contextlib import aclosing
from typing import Annotated

from fastapi import APIRouter, Depends, Query, Request, Response, Security
from fastapi.sse import EventSourceResponse, format_sse_event

from api.app_state import services_of
from api.dependencies import ReadSession
from api.http.idempotency import IdempotencyKeyHeader
from api.kinderbud.auth import BEARER, Caller, Reader, recognise
from api.kinderbud.chat import queries
from api.kinderbud.chat.actions import KeyOfAnother, asked_of_claude, keep_question
from api.kinderbud.chat.schemas import Interrupted, MessageCreate, MessageOut, Messages
from api.kinderbud.claude.failures import ClaudeFailed
from api.kinderbud.claude.keys import key_of
from api.kinderbud.envelope import Answer, local
from api.kinderbud.errors import Code, Refused, failures
from api.models import ChatMessage

EVENTS = EventSourceResponse.media_type

router = APIRouter(prefix="/chat", tags=["chat"])


async def _asker(request: Request, _: Annotated[object, Security(BEARER)]) -> Caller:
    """The caller, without a session that would wait for Claude."""
    return await recognise(request)


@router.post(
    "",
    operation_id="ask_question",
    summary="Ask a parenting question",
    responses=failures(401) | {200: {"model": Answer[MessageOut], "content": {EVENTS: {"schema": {"type": "string"}}}}},
)
async def ask_question(
    request: Request,
    body: MessageCreate,
    caller: Annotated[Caller, Depends(_asker, scope="function")],
    idempotency_key: IdempotencyKeyHeader = None,
) -> Response:
    """Claude gets the children's first names and ages, the guides, today, and the last answered questions. `NO_API_KEY`
    while the household has no key. If Claude fails, the answer is 503 with `Retry-After`, and the question is stored:
    send it again. A truncated answer has `cut_off: true`; complete answers do not have this field.
    With `Accept: text/event-stream` the answer comes in parts, `data: {"delta": "…"}`, and at the end complete, in the
    envelope. If Claude fails before the first part, it is 503 as above. If it fails later, the last event is the
    envelope of the error with `retry_after` in seconds. Drop the parts then; the question is stored.
    """
    services = services_of(request)
    key = key_of(services.keyring, caller.household)
    if key is None:
        raise Refused(400, Code.NO_API_KEY, "This household has no Claude key yet.")
    try:
        async with services.database.write() as session:
            asked = await keep_question(session, caller, body.message, idempotency_key)
    except KeyOfAnother as error:
        raise Refused(400, Code.VALIDATION_ERROR, "Idempotency-Key: was used for another question") from error
    parts = asked_of_claude(services.database, services.settings, services.clock, caller, key, asked)
    try:
        first = await anext(parts)  # so that an early failure still has a status and headers
        if EVENTS in request.headers.get("accept", ""):
            return EventSourceResponse(_events(first, parts, caller))
        kept = [part async for part in parts][-1]
    except ClaudeFailed as failed:
        headers = {"Retry-After": str(failed.retry_after)}
        raise Refused(503, Code.INTERNAL_ERROR, str(failed), headers) from failed
    assert isinstance(kept, ChatMessage)  # noqa: S101 - the last part is the stored answer
    return Response(_envelope(kept, caller), media_type="application/json")


@router.get(
    "",
    operation_id="list_messages",
    summary="The last messages",
    responses=failures(401),
    response_model_exclude_none=True,
)
async def list_messages(
    caller: Reader, session: ReadSession, limit: Annotated[int, Query(ge=1, le=100)] = 20
) -> Answer[Messages]:
    """Oldest first."""
    found = await queries.last_messages(session, caller.household.id, limit)
    return Answer(data=Messages(messages=[_shown(one, caller) for one in found]))


async def _events(
    first: str | ChatMessage, parts: AsyncGenerator[str | ChatMessage], caller: Caller
) -> AsyncGenerator[bytes]:
    """The answer as server-sent events. A failure is the last event."""
    try:
        async with aclosing(parts):
            yield _event(first, caller)
            async for part in parts:
                yield _event(part, caller)
    except ClaudeFailed as failed:
        told = Interrupted(error=str(failed), code=Code.INTERNAL_ERROR, retry_after=failed.retry_after)
        yield format_sse_event(data_str=told.model_dump_json())


def _event(part: str | ChatMessage, caller: Caller) -> bytes:
    data = json.dumps({"delta": part}, ensure_ascii=False) if isinstance(part, str) else _envelope(part, caller)
    return format_sse_event(data_str=data)


def _envelope(message: ChatMessage, caller: Caller) -> str:
    return Answer(data=_shown(message, caller)).model_dump_json(exclude_none=True)


def _shown(message: ChatMessage, caller: Caller) -> MessageOut:
    return MessageOut(
        role="user" if message.role == queries.USER else "assistant",
        content=message.content,
        created_at=local(message.created_at, caller.household.time_zone),
        cut_off=True if message.cut_off else None,
    )
