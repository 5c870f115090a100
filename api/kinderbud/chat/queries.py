"""Questions and answers."""

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from api.models import ChatMessage

USER, ASSISTANT = "user", "assistant"


async def last_messages(session: AsyncSession, household_id: int, limit: int) -> list[ChatMessage]:
    """The last messages of a household, the oldest of them first."""
    query = select(ChatMessage).where(ChatMessage.household_id == household_id).order_by(ChatMessage.id.desc())
    return list(reversed((await session.scalars(query.limit(limit))).all()))


async def question_with_key(session: AsyncSession, household_id: int, key: str) -> ChatMessage | None:
    """The question that was sent with that key."""
    mine = (ChatMessage.household_id == household_id, ChatMessage.key == key)
    return await session.scalar(select(ChatMessage).where(*mine))


async def answer_to(session: AsyncSession, question_id: int) -> ChatMessage | None:
    """The answer to a question, if there is one."""
    return await session.scalar(select(ChatMessage).where(ChatMessage.answers_id == question_id))
