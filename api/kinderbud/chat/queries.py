"""Questions and answers."""

from datetime import datetime

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import aliased

from api.models import ChatMessage

USER, ASSISTANT = "user", "assistant"


async def last_messages(session: AsyncSession, household_id: int, limit: int) -> list[ChatMessage]:
    """The last messages of a household, oldest first."""
    query = select(ChatMessage).where(ChatMessage.household_id == household_id).order_by(ChatMessage.id.desc())
    return list(reversed((await session.scalars(query.limit(limit))).all()))


async def question_with_key(session: AsyncSession, household_id: int, key: str) -> ChatMessage | None:
    """The question with that key."""
    mine = (ChatMessage.household_id == household_id, ChatMessage.key == key)
    return await session.scalar(select(ChatMessage).where(*mine))


async def answer_to(session: AsyncSession, question_id: int) -> ChatMessage | None:
    """The answer to a question, if there is one."""
    return await session.scalar(select(ChatMessage).where(ChatMessage.answers_id == question_id))


async def unanswered_question(
    session: AsyncSession, household_id: int, content: str, since: datetime, *, keyless: bool
) -> ChatMessage | None:
    """The latest question with this text that waits for an answer. With `keyless`, only one without a key."""
    answer = aliased(ChatMessage)
    query = (
        select(ChatMessage)
        .outerjoin(answer, answer.answers_id == ChatMessage.id)
        .where(
            ChatMessage.household_id == household_id,
            ChatMessage.role == USER,
            ChatMessage.content == content,
            ChatMessage.created_at >= since,
            answer.id.is_(None),
            *((ChatMessage.key.is_(None),) if keyless else ()),
        )
        .order_by(ChatMessage.id.desc())
    )
    return (await session.scalars(query.limit(1))).first()


async def answered_questions(session: AsyncSession, household_id: int, limit: int) -> list[tuple[str, str]]:
    """The latest answered questions with their answers, oldest first."""
    answer = aliased(ChatMessage)
    query = (
        select(ChatMessage.content, answer.content)
        .join(answer, answer.answers_id == ChatMessage.id)
        .where(ChatMessage.household_id == household_id)
        .order_by(ChatMessage.id.desc())
    )
    return [(asked, said) for asked, said in reversed((await session.execute(query.limit(limit))).all())]
