"""The chat: Claude answers, with the household's own key."""

import json
from collections.abc import AsyncIterator
from typing import Annotated

from fastapi import APIRouter, Depends, Query, Request, Response, Security
from fastapi.responses import StreamingResponse

from api.dependencies import ReadSession
from api.kinderbud.caller import BEARER, Caller, Reader, recognise
from api.kinderbud.chat import queries
from api.kinderbud.chat.actions import Asked, KeyOfAnother, asked_of_claude, keep_question
from api.kinderbud.chat.schemas import Message, Messages, Question
from api.kinderbud.claude.client import Cause, ClaudeFailed
from api.kinderbud.claude.keys import key_of
from api.kinderbud.errors import Code, Failure, Refused, failures
from api.kinderbud.wire import Answer, local
from api.models import ChatMessage
from api.once import IdempotencyKeyHeader

EVENTS = "text/event-stream"
RETRY_SECONDS = {Cause.RATE_LIMITED: 60, Cause.OVERLOADED: 30}

router = APIRouter(prefix="/chat", tags=["chat"])


async def _asker(request: Request, _: Annotated[object, Security(BEARER)]) -> Caller:
    """Who asks, without a session that would wait for Claude."""
    return await recognise(request)


@router.post(
    "",
    operation_id="ask_question",
    summary="Ask a parenting question",
    responses=failures(401) | {200: {"model": Answer[Message], "content": {EVENTS: {"schema": {"type": "string"}}}}},
)
async def ask_question(
    request: Request,
    body: Question,
    caller: Annotated[Caller, Depends(_asker, scope="function")],
    idempotency_key: IdempotencyKeyHeader = None,
) -> Response:
    """Claude knows the children's names and ages, the guides, today, and the last messages. `NO_API_KEY` while the
    household has no key. If Claude fails it is 503, and the question is kept: send it again. With `Accept:
    text/event-stream` the answer comes in parts, `data: {"delta": "…"}`, and at the end whole, in the envelope."""
    state = request.app.state
    key = key_of(state.keyring, caller.household)
    if key is None:
        raise Refused(400, Code.NO_API_KEY, "This household has no Claude key yet.")
    try:
        async with state.database.write() as session:
            asked = await keep_question(session, caller, body.message, idempotency_key)
    except KeyOfAnother as error:
        raise Refused(400, Code.VALIDATION_ERROR, "Idempotency-Key: was used for another question") from error
    if EVENTS in request.headers.get("accept", ""):
        return StreamingResponse(_events(request, caller, key, asked), media_type=EVENTS)
    try:
        parts = [part async for part in asked_of_claude(state, caller, key, asked)]
    except ClaudeFailed as failed:
        headers = {"Retry-After": str(RETRY_SECONDS.get(failed.cause, 5))}
        raise Refused(503, Code.INTERNAL_ERROR, str(failed), headers) from failed
    kept = parts[-1]
    assert isinstance(kept, ChatMessage)  # noqa: S101 - what comes last is what was kept
    return Response(Answer(data=_shown(kept, caller)).model_dump_json(), media_type="application/json")


@router.get("", operation_id="list_messages", summary="The last messages", responses=failures(401))
async def list_messages(
    caller: Reader, session: ReadSession, limit: Annotated[int, Query(ge=1, le=100)] = 20
) -> Answer[Messages]:
    """The oldest of them first."""
    found = await queries.last_messages(session, caller.household.id, limit)
    return Answer(data=Messages(messages=[_shown(one, caller) for one in found]))


async def _events(request: Request, caller: Caller, key: str, asked: Asked) -> AsyncIterator[str]:
    """The answer as server-sent events; a failure is the last event."""
    try:
        async for part in asked_of_claude(request.app.state, caller, key, asked):
            if isinstance(part, str):
                yield f"data: {json.dumps({'delta': part}, ensure_ascii=False)}\n\n"
            else:
                yield f"data: {Answer(data=_shown(part, caller)).model_dump_json()}\n\n"
    except ClaudeFailed as failed:
        yield f"data: {Failure(error=str(failed), code=Code.INTERNAL_ERROR).model_dump_json()}\n\n"


def _shown(message: ChatMessage, caller: Caller) -> Message:
    created = local(message.created_at, caller.household.time_zone)
    return Message.model_validate({"role": message.role, "content": message.content, "created_at": created})
