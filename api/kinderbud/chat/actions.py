"""A question and its answer: the question is kept before Claude is asked, and no transaction waits for Claude."""

from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import structlog
from sqlalchemy.ext.asyncio import AsyncSession

from api.kinderbud.caller import Caller
from api.kinderbud.chat import queries
from api.kinderbud.claude.client import ClaudeFailed, Usage, answer, prompt
from api.kinderbud.claude.family import RECENT_DAYS, fenced, people_of, recent_of
from api.kinderbud.guides.actions import current_stages
from api.kinderbud.guides.queries import plans_of
from api.kinderbud.history.queries import actions_between
from api.kinderbud.households.queries import locked, participants_of
from api.kinderbud.todos.queries import shown_on
from api.models import ChatMessage

MEMORY = 20
"""Messages that Claude remembers."""

log = structlog.get_logger("api.kinderbud")


class KeyOfAnother(Exception):
    """The key was used for another question."""


@dataclass(frozen=True)
class Asked:
    """A question that is kept; `answered` is there where it was answered before."""

    question: ChatMessage
    answered: ChatMessage | None
    family: str
    messages: list[dict[str, Any]]


async def keep_question(session: AsyncSession, caller: Caller, message: str, key: str | None) -> Asked:
    """Keep a question, once: the same key, or the same words while they wait for an answer, are the same question.
    Raises KeyOfAnother."""
    await locked(session, caller.household.id)
    before = await queries.last_messages(session, caller.household.id, MEMORY)
    found = await queries.question_with_key(session, caller.household.id, key) if key else None
    if found is not None and found.content != message:
        raise KeyOfAnother
    if found is None and before and (before[-1].role, before[-1].content) == (queries.USER, message):
        found = before[-1]
    if found is None:
        found = ChatMessage(
            household_id=caller.household.id, role=queries.USER, content=message, key=key, created_at=caller.now
        )
        session.add(found)
        await session.flush()
        before.append(found)
    answered = await queries.answer_to(session, found.id)
    return Asked(found, answered, await _family(session, caller), _in_turn(before))


async def asked_of_claude(state: Any, caller: Caller, key: str, asked: Asked) -> AsyncIterator[str | ChatMessage]:
    """The answer in parts, and at the end as it is kept. Raises ClaudeFailed; the question stays."""
    if asked.answered is not None:
        yield asked.answered.content
        yield asked.answered
        return
    said, usage = "", Usage(0, 0)
    try:
        async for part in answer(key, state.settings, asked.family, asked.messages):
            if isinstance(part, Usage):
                usage = part
            else:
                said += part
                yield part
    except ClaudeFailed as failed:
        log.warning("Claude did not answer", household=caller.household.id, cause=failed.cause)
        raise
    async with state.database.write() as session:
        await locked(session, caller.household.id)
        kept = await queries.answer_to(session, asked.question.id)
        if kept is None:
            kept = ChatMessage(
                household_id=caller.household.id,
                role=queries.ASSISTANT,
                content=said,
                answers_id=asked.question.id,
                prompt_version=prompt("chat").version,
                input_tokens=usage.input,
                output_tokens=usage.output,
                created_at=state.clock(),
            )
            session.add(kept)
            await session.flush()
    yield kept


def _in_turn(messages: list[ChatMessage]) -> list[dict[str, Any]]:
    """As Claude takes them: beginning with a user, questions that were never answered joined with the next."""
    turns: list[dict[str, Any]] = []
    for message in messages:
        if not turns and message.role != queries.USER:
            continue
        if turns and turns[-1]["role"] == message.role:
            turns[-1]["content"] += f"\n\n{message.content}"
        else:
            turns.append({"role": message.role, "content": message.content})
    return turns


async def _family(session: AsyncSession, caller: Caller) -> str:
    household, today = caller.household, caller.today
    plans = await plans_of(session, household.id)
    stages = await current_stages(session, plans, today)
    recent = await actions_between(session, household.id, today - timedelta(days=RECENT_DAYS), today)
    data = {
        "today": f"{today:%A, %Y-%m-%d}",
        "people": people_of(await participants_of(session, household.id), today),
        "guides": [
            {"for": one.participant.id, "guide": one.guide.short_title, "stage": stage.name, "goals": stage.goals}
            for one in plans
            if (stage := stages[one.plan.id]) is not None
        ],
        "activities_today": [
            {"for": seen.participant.id, "title": seen.title, "status": seen.status(today)}
            for seen in await shown_on(session, household.id, today)
        ],
        "recent": recent_of(recent),
    }
    return fenced(data)
