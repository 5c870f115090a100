"""Who runs the service: the admin's account, the browsers in which it is logged in, and who leads what runs once."""

from datetime import datetime

from sqlalchemy import ForeignKey, String
from sqlalchemy.orm import Mapped, mapped_column

from api.models.base import Base, Moment
from api.models.sessions import BrowserSession, KnownBrowser


class Operator(Base):
    """Somebody who may use /admin. Without a password nobody can log in as them."""

    __tablename__ = "operators"

    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str] = mapped_column(String(64), unique=True)
    password_hash: Mapped[str | None] = mapped_column(String(255))
    created_at: Mapped[datetime] = mapped_column(Moment)


class OperatorSession(BrowserSession):
    """Of an operator in the admin."""

    __tablename__ = "operator_sessions"

    owner_id: Mapped[int] = mapped_column("operator_id", ForeignKey("operators.id", ondelete="CASCADE"), index=True)


class OperatorBrowser(KnownBrowser):
    """Of an operator in the admin."""

    __tablename__ = "operator_browsers"

    owner_id: Mapped[int] = mapped_column("operator_id", ForeignKey("operators.id", ondelete="CASCADE"), index=True)


class Lease(Base):
    """Which process does what only one should, and until when, unless it says again that it is there."""

    __tablename__ = "leases"

    name: Mapped[str] = mapped_column(String(64), primary_key=True)
    holder: Mapped[str] = mapped_column(String(64))
    until: Mapped[datetime] = mapped_column(Moment)
