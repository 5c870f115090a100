"""The chat: it answers with the household's own Claude key, and without one it says so."""

from typing import Annotated

from fastapi import APIRouter, Query

from api.kinderbud.caller import Reader, Writer
from api.kinderbud.chat.schemas import Message, Messages, Question
from api.kinderbud.errors import Code, Refused, failures
from api.kinderbud.wire import Answer

router = APIRouter(prefix="/chat", tags=["chat"])


@router.post("", operation_id="ask_question", summary="Ask a parenting question", responses=failures(401))
async def ask(body: Question, caller: Writer) -> Answer[Message]:  # noqa: ARG001 - read, so that they are checked
    """`NO_API_KEY` while the household has no Claude key."""
    raise Refused(400, Code.NO_API_KEY, "This household has no Claude key yet.")


@router.get("", operation_id="list_messages", summary="The last messages", responses=failures(401))
async def list_messages(
    caller: Reader,  # noqa: ARG001
    limit: Annotated[int, Query(ge=1, le=100)] = 20,  # noqa: ARG001
) -> Answer[Messages]:
    """The oldest of them first."""
    return Answer(data=Messages(messages=[]))
