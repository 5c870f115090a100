"""Operators of the service, their logins and known browsers, and leases of background work."""

from datetime import datetime

from sqlalchemy import ForeignKey, String
from sqlalchemy.orm import Mapped, mapped_column

from api.models.base import Base, Moment
from api.models.sessions import BrowserSession, KnownBrowser


class Operator(Base):
    """A person who may use /admin. An operator without a password cannot log in."""

    __tablename__ = "operators"

    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str] = mapped_column(String(64), unique=True)
    password_hash: Mapped[str | None] = mapped_column(String(255))
    created_at: Mapped[datetime] = mapped_column(Moment)


class OperatorSession(BrowserSession):
    """A login of an operator in the admin."""

    __tablename__ = "operator_sessions"

    owner_id: Mapped[int] = mapped_column("operator_id", ForeignKey("operators.id", ondelete="CASCADE"), index=True)


class OperatorBrowser(KnownBrowser):
    """A known browser of an operator in the admin."""

    __tablename__ = "operator_browsers"

    owner_id: Mapped[int] = mapped_column("operator_id", ForeignKey("operators.id", ondelete="CASCADE"), index=True)


class Lease(Base):
    """The process that does work which only one may do, and until when, unless it renews the lease."""

    __tablename__ = "leases"

    name: Mapped[str] = mapped_column(String(64), primary_key=True)
    holder: Mapped[str] = mapped_column(String(64))
    until: Mapped[datetime] = mapped_column(Moment)
