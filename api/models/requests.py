"""Stored answers of requests that a client may retry."""

from datetime import datetime

from sqlalchemy import ForeignKey, LargeBinary, String, UniqueConstraint
from sqlalchemy.orm import Mapped, declared_attr, mapped_column

from api.models.base import Base, Moment


class KeptAnswer(Base):
    """The answer to a request with an `Idempotency-Key`, stored for a day for retries. Each app has its own table,
    whose `owner_id` is the sender."""

    __abstract__ = True

    id: Mapped[int] = mapped_column(primary_key=True)
    route: Mapped[str] = mapped_column(String(128))
    key: Mapped[str] = mapped_column(String(255))
    fingerprint: Mapped[str] = mapped_column(String(64))
    status: Mapped[int]
    body: Mapped[bytes] = mapped_column(LargeBinary)

    @declared_attr
    def owner_id(cls) -> Mapped[int]:  # noqa: N805 - SQLAlchemy calls it with the class
        raise NotImplementedError

    @declared_attr
    def created_at(cls) -> Mapped[datetime]:  # noqa: N805
        return mapped_column(Moment, index=True)


class IdempotencyKey(KeptAnswer):
    """The answer to a KakeiBuddy user."""

    __tablename__ = "idempotency_keys"
    __table_args__ = (UniqueConstraint("user_id", "route", "key"),)

    owner_id: Mapped[int] = mapped_column("user_id", ForeignKey("users.id", ondelete="CASCADE"))


class HouseholdAnswer(KeptAnswer):
    """The answer to a Kinderbud token."""

    __tablename__ = "household_answers"
    __table_args__ = (UniqueConstraint("token_id", "route", "key"),)

    owner_id: Mapped[int] = mapped_column("token_id", ForeignKey("household_tokens.id", ondelete="CASCADE"))
