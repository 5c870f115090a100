"""Guides, their stages and items, and the plans that follow them. A row that left the catalog is `retired`: it is not
offered, and the records that refer to it stay."""

from datetime import datetime

from sqlalchemy import ForeignKey, Index, String, Text, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from api.models.base import Base, Moment


class Guide(Base):
    """A guide. `seeded` is the digest of the seeded content, by which an upgrade recognises edited rows."""

    __tablename__ = "guides"

    id: Mapped[int] = mapped_column(primary_key=True)
    key: Mapped[str] = mapped_column(String(64), unique=True)
    title: Mapped[str] = mapped_column(String(120))
    short_title: Mapped[str] = mapped_column(String(80))
    description: Mapped[str] = mapped_column(Text)
    source_type: Mapped[str] = mapped_column(String(10))
    color: Mapped[str] = mapped_column(String(7))
    for_adults: Mapped[bool]
    seeded: Mapped[str | None] = mapped_column(String(64))


class GuideStage(Base):
    """A stage: current while `age_start_months` ≤ age < `age_end_months`; without ages, always."""

    __tablename__ = "guide_stages"
    __table_args__ = (UniqueConstraint("guide_id", "stage_key"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    guide_id: Mapped[int] = mapped_column(ForeignKey("guides.id", ondelete="CASCADE"))
    stage_key: Mapped[str] = mapped_column(String(64))
    position: Mapped[int]
    name: Mapped[str] = mapped_column(String(80))
    age_start_months: Mapped[int | None]
    age_end_months: Mapped[int | None]
    goals: Mapped[str] = mapped_column(Text)
    retired: Mapped[bool]
    seeded: Mapped[str | None] = mapped_column(String(64))


class GuideItem(Base):
    """An activity or a milestone of a stage."""

    __tablename__ = "guide_items"
    __table_args__ = (UniqueConstraint("stage_id", "item_key"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    stage_id: Mapped[int] = mapped_column(ForeignKey("guide_stages.id", ondelete="CASCADE"))
    item_key: Mapped[str] = mapped_column(String(64))
    position: Mapped[int]
    category: Mapped[str] = mapped_column(String(10))
    title: Mapped[str] = mapped_column(String(200))
    area: Mapped[str] = mapped_column(String(20))
    description: Mapped[str] = mapped_column(Text)
    how_to: Mapped[str] = mapped_column(Text)
    evidence_summary: Mapped[str] = mapped_column(Text)
    frequency: Mapped[str] = mapped_column(String(10))
    minutes: Mapped[int]
    by_months: Mapped[int | None]
    retired: Mapped[bool]
    seeded: Mapped[str | None] = mapped_column(String(64))


class Plan(Base):
    """A guide that a participant follows. `stage_id` is the stage whose todos were created last."""

    __tablename__ = "plans"
    __table_args__ = (
        Index(
            "uq_plans_active",
            *("participant_id", "guide_id"),
            unique=True,
            sqlite_where=text("active"),
            postgresql_where=text("active"),
        ),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    household_id: Mapped[int] = mapped_column(ForeignKey("households.id", ondelete="CASCADE"), index=True)
    participant_id: Mapped[int] = mapped_column(ForeignKey("household_participants.id", ondelete="CASCADE"), index=True)
    guide_id: Mapped[int] = mapped_column(ForeignKey("guides.id"))
    active: Mapped[bool]
    stage_id: Mapped[int | None] = mapped_column(ForeignKey("guide_stages.id"))
    created_at: Mapped[datetime] = mapped_column(Moment)
    ended_at: Mapped[datetime | None] = mapped_column(Moment)
