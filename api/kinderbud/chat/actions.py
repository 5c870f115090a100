"""Questions and answers. A question is stored before Claude is asked, and no transaction waits for Claude."""

from collections.abc import AsyncGenerator
from contextlib import aclosing
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import structlog
from sqlalchemy.ext.asyncio import AsyncSession

from api.clock import Clock
from api.db.engine import Database
from api.http.text import cleaned
from api.kinderbud.auth import Caller
from api.kinderbud.chat import queries
from api.kinderbud.claude.client import LONGEST_ANSWER, Ended, answer, prompt
from api.kinderbud.claude.failures import ClaudeFailed
from api.kinderbud.claude.names import Names
from api.kinderbud.claude.prompt_data import RECENT_DAYS, Told, fenced, told_of
from api.kinderbud.claude.replies import Usage
from api.kinderbud.guides.actions import current_stages
from api.kinderbud.guides.queries import plans_of
from api.kinderbud.history.queries import actions_between
from api.kinderbud.households.queries import locked
from api.kinderbud.todos.queries import shown_on
from api.models import ChatMessage
from api.settings import Settings

REMEMBERED = 10
"""Answered questions that are sent to Claude again: twenty messages."""

RETRIED_WITHIN = timedelta(days=1)
"""How long the same text counts as the same question; an `Idempotency-Key` lasts as long."""

log = structlog.get_logger("api.kinderbud")


class KeyOfAnother(Exception):
    """The key was used for another question."""


@dataclass(frozen=True)
class Asked:
    """A stored question. `answered` is set if it was answered before."""

    question: ChatMessage
    answered: ChatMessage | None
    family: str
    messages: list[dict[str, Any]]


async def keep_question(session: AsyncSession, caller: Caller, message: str, key: str | None) -> Asked:
    """Store a question once. The same key, or the same text while it waits for an answer, is the same question. Raises
    KeyOfAnother.
    """
    household_id = caller.household.id
    await locked(session, household_id)
    found = await queries.question_with_key(session, household_id, key) if key else None
    if found is not None and found.content != message:
        raise KeyOfAnother
    if found is None:
        since = caller.now - RETRIED_WITHIN
        found = await queries.unanswered_question(session, household_id, message, since, keyless=key is not None)
    if found is None:
        found = ChatMessage(
            household_id=household_id, role=queries.USER, content=message, key=key, created_at=caller.now
        )
        session.add(found)
        await session.flush()
    elif key is not None:
        found.key = key  # it was sent without a key before
    answered = await queries.answer_to(session, found.id)
    if answered is not None:
        return Asked(found, answered, "", [])
    told = await told_of(session, caller.household)
    before = await queries.answered_questions(session, household_id, REMEMBERED)
    return Asked(found, None, await _family(session, caller, told), _conversation(before, message, told.names))


async def asked_of_claude(
    database: Database, settings: Settings, clock: Clock, caller: Caller, key: str, asked: Asked
) -> AsyncGenerator[str | ChatMessage]:
    """The answer in parts, then the stored answer. Raises ClaudeFailed; the question stays."""
    if asked.answered is not None:
        yield asked.answered.content
        yield asked.answered
        return
    said, ended = "", Ended(Usage(0, 0), is_cut=True)
    try:
        async with aclosing(answer(key, settings, asked.family, asked.messages)) as parts:
            async for part in parts:
                if isinstance(part, Ended):
                    ended = part
                else:
                    said += part
                    yield part
    except ClaudeFailed as failed:
        log.warning("Claude did not answer", household=caller.household.id, cause=failed.cause)
        raise
    if ended.is_cut:
        log.warning("Claude's answer is cut off", household=caller.household.id)
    async with database.write() as session:
        kept = await _keep_answer(session, caller, asked, cleaned(said, LONGEST_ANSWER), ended, clock())
    yield kept


async def _keep_answer(
    session: AsyncSession, caller: Caller, asked: Asked, said: str, ended: Ended, now: datetime
) -> ChatMessage:
    """Store the answer and return the stored one: the first, if the question was asked twice at once."""
    await locked(session, caller.household.id)
    kept = await queries.answer_to(session, asked.question.id)
    if kept is None:
        kept = ChatMessage(
            household_id=caller.household.id,
            role=queries.ASSISTANT,
            content=said,
            answers_id=asked.question.id,
            prompt_version=prompt("chat").version,
            input_tokens=ended.usage.input,
            output_tokens=ended.usage.output,
            cut_off=ended.is_cut,
            created_at=now,
        )
        session.add(kept)
        await session.flush()
    return kept


def _conversation(before: list[tuple[str, str]], question: str, names: Names) -> list[dict[str, Any]]:
    """Messages for Claude: questions and answers in turn, with the current question at the end. Questions without an
    answer are left out: they failed, or another parent waits for their answer now.
    """
    told = [(queries.USER, asked, queries.ASSISTANT, said) for asked, said in before]
    turns = [(role, text) for user, asked, claude, said in told for role, text in ((user, asked), (claude, said))]
    return [{"role": role, "content": names.removed_from(text)} for role, text in [*turns, (queries.USER, question)]]


async def _family(session: AsyncSession, caller: Caller, told: Told) -> str:
    household, today = caller.household, caller.today
    plans = await plans_of(session, household.id)
    stages = await current_stages(session, plans, today)
    recent = await actions_between(session, household.id, today - timedelta(days=RECENT_DAYS), today)
    data = {
        "today": f"{today:%A, %Y-%m-%d}",
        "people": told.members(today),
        "guides": [
            {
                "for": told.number(one.participant.id),
                "guide": one.guide.short_title,
                "stage": stage.name,
                "goals": stage.goals,
            }
            for one in plans
            if (stage := stages[one.plan.id]) is not None
        ],
        "activities_today": [
            {"for": told.number(seen.participant.id), "title": told.title(seen), "status": seen.status(today)}
            for seen in await shown_on(session, household.id, today)
        ],
        "recent": told.recent(recent),
    }
    return fenced(data)
