"""Logins of browsers, and browsers in which an account logged in before."""

from datetime import datetime

from sqlalchemy import String
from sqlalchemy.orm import Mapped, declared_attr, mapped_column

from api.models.base import Base, Moment


class BrowserSession(Base):
    """A login of a browser; only the SHA-256 of its cookie is stored. Families and operators have their own tables,
    whose `owner_id` is the account."""

    __abstract__ = True

    id: Mapped[int] = mapped_column(primary_key=True)
    digest: Mapped[str] = mapped_column(String(64), unique=True)
    created_at: Mapped[datetime] = mapped_column(Moment)
    seen_at: Mapped[datetime] = mapped_column(Moment)

    @declared_attr
    def owner_id(cls) -> Mapped[int]:  # noqa: N805 - SQLAlchemy calls it with the class
        raise NotImplementedError


class KnownBrowser(Base):
    """A browser in which an account logged in before; only the SHA-256 of its cookie is stored. With `link_until` it is
    a link that makes one browser known until that time. Families and operators have their own tables."""

    __abstract__ = True

    id: Mapped[int] = mapped_column(primary_key=True)
    digest: Mapped[str] = mapped_column(String(64), unique=True)
    created_at: Mapped[datetime] = mapped_column(Moment)
    seen_at: Mapped[datetime] = mapped_column(Moment)
    link_until: Mapped[datetime | None] = mapped_column(Moment)

    @declared_attr
    def owner_id(cls) -> Mapped[int]:  # noqa: N805 - SQLAlchemy calls it with the class
        raise NotImplementedError
