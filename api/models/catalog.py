"""The catalog of KakeiBuddy: seeded from data/catalog, and editable by an operator.

`seeded` is the digest of the content that was last seeded into the row. An upgrade overwrites a row only if its content
still has that digest, that is, if it was not edited.
"""

from decimal import Decimal

from sqlalchemy import JSON, String, Text
from sqlalchemy.orm import Mapped, mapped_column

from api.models.base import Amount, Base


class Seeded:
    """A row of the catalog."""

    id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    slug: Mapped[str] = mapped_column(String(64), unique=True)
    seeded: Mapped[str | None] = mapped_column(String(64))


class IncomeRange(Seeded, Base):
    """A relative range of income, ordered from the lowest."""

    __tablename__ = "income_ranges"

    label: Mapped[str] = mapped_column(String(100))
    description: Mapped[str] = mapped_column(Text)


class Badge(Seeded, Base):
    """A badge; `rule` says when it is earned (`api/kakei/challenges/rules.py`)."""

    __tablename__ = "badges"

    title: Mapped[str] = mapped_column(String(100))
    description: Mapped[str] = mapped_column(Text)
    points: Mapped[int]
    rule: Mapped[dict[str, object]] = mapped_column(JSON)


class ChallengeTemplate(Seeded, Base):
    """A challenge that people may accept for a month."""

    __tablename__ = "challenge_templates"

    title: Mapped[str] = mapped_column(String(100))
    description: Mapped[str] = mapped_column(Text)
    challenge_type: Mapped[str] = mapped_column(String(32), index=True)
    category: Mapped[str] = mapped_column(String(32))
    category_id: Mapped[int] = mapped_column(index=True)
    metric_key: Mapped[str] = mapped_column(String(64), index=True)
    target_value: Mapped[Decimal] = mapped_column(Amount)
    unit: Mapped[str] = mapped_column(String(20))
    reward_points: Mapped[int]
    difficulty: Mapped[str] = mapped_column(String(10), index=True)
