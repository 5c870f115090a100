"""What the coach said to people who can be told apart."""

from datetime import datetime

from sqlalchemy import ForeignKey, Index, String
from sqlalchemy.orm import Mapped, mapped_column

from api.models.base import Base, Moment


class Suggestion(Base):
    """A challenge that the coach pointed a person at, so that it can be accepted as its suggestion. Nothing else of
    what was said or asked is here, the row is deleted after 60 days, and it is never exported."""

    __tablename__ = "suggestions"
    __table_args__ = (Index("ix_suggestions_user_id_created_at", "user_id", "created_at"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    user_id: Mapped[int] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"))
    suggestion_id: Mapped[str] = mapped_column(String(36))
    lever: Mapped[str] = mapped_column(String(10))
    challenge_slug: Mapped[str] = mapped_column(String(64))
    created_at: Mapped[datetime] = mapped_column(Moment, index=True)
