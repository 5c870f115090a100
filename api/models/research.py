"""Research data of people, the consent for it, and the releases of exported data.

Every row that may be exported names the consent that was in force at its receipt (`Received.consent_id`). A row without
one is never exported, not even after a later consent.
"""

from datetime import datetime
from decimal import Decimal
from typing import Any

from sqlalchemy import JSON, ForeignKey, Index, String, Text, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from api.models.base import Amount, Base, Moment

NAME = 64
"""Length of an id or a name: a study version, an instrument, an event."""


class Consent(Base):
    """A consent or its withdrawal. Rows are only added, and a person's newest row is in force."""

    __tablename__ = "consents"
    __table_args__ = (Index("ix_consents_user_id_id", "user_id", "id"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    user_id: Mapped[int] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"))
    study_version: Mapped[str] = mapped_column(String(NAME))
    consented: Mapped[bool]
    age_confirmed: Mapped[bool]
    allow_research_export: Mapped[bool]
    data_mode: Mapped[str] = mapped_column(String(7))
    participant_code: Mapped[str | None] = mapped_column(String(NAME))
    received_at: Mapped[datetime] = mapped_column(Moment)


class PseudonymKey(Base):
    """The key that derives the pseudonyms of a study, encrypted with `SECRET_KEY`; the newest generation is used."""

    __tablename__ = "pseudonym_keys"
    __table_args__ = (UniqueConstraint("study_version", "generation"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    study_version: Mapped[str] = mapped_column(String(NAME))
    generation: Mapped[int]
    wrapped: Mapped[str] = mapped_column(Text)
    created_at: Mapped[datetime] = mapped_column(Moment)


class Participant(Base):
    """A person within a study: their pseudonym, and the use of their data, drawn once at consent."""

    __tablename__ = "participants"
    __table_args__ = (UniqueConstraint("user_id", "study_version"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    user_id: Mapped[int] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"))
    study_version: Mapped[str] = mapped_column(String(NAME))
    pseudonym: Mapped[str] = mapped_column(String(NAME), unique=True)
    split: Mapped[str] = mapped_column(String(5))
    joined_at: Mapped[datetime] = mapped_column(Moment)


class Received:
    """A row that a person's app sent: the times of both clocks, and the consent in force."""

    id: Mapped[int] = mapped_column(primary_key=True)
    user_id: Mapped[int] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"))
    consent_id: Mapped[int | None] = mapped_column(ForeignKey("consents.id"), index=True)
    client_timestamp: Mapped[datetime | None] = mapped_column(Moment)
    received_at: Mapped[datetime] = mapped_column(Moment)


class Response(Received, Base):
    """Answers to an instrument. `fingerprint` distinguishes a repeated upload from a later answer."""

    __tablename__ = "responses"
    __table_args__ = (UniqueConstraint("user_id", "fingerprint"),)

    fingerprint: Mapped[str] = mapped_column(String(32))
    instrument_key: Mapped[str] = mapped_column(String(NAME))
    instrument_version: Mapped[str] = mapped_column(String(16))
    phase: Mapped[str] = mapped_column(String(10))
    period: Mapped[str] = mapped_column(String(8))
    answers: Mapped[dict[str, Any]] = mapped_column(JSON)
    score: Mapped[float | None]
    score_missing: Mapped[str | None] = mapped_column(String(16))


class Reflection(Received, Base):
    """A person's text about their spending, and its assessment."""

    __tablename__ = "reflections"
    __table_args__ = (UniqueConstraint("user_id", "fingerprint"),)

    fingerprint: Mapped[str] = mapped_column(String(32))
    phase: Mapped[str] = mapped_column(String(10))
    category: Mapped[str] = mapped_column(String(12))
    reflection_text: Mapped[str] = mapped_column(Text)
    intended_action: Mapped[str | None] = mapped_column(Text)
    confidence_rating: Mapped[int | None]
    quality_score: Mapped[Decimal] = mapped_column(Amount)
    quality_level: Mapped[str] = mapped_column(String(10))
    strengths: Mapped[list[str]] = mapped_column(JSON)


class AppEvent(Received, Base):
    """An event in the app; `known` events are in the catalog."""

    __tablename__ = "events"
    __table_args__ = (UniqueConstraint("user_id", "fingerprint"),)

    fingerprint: Mapped[str] = mapped_column(String(32))
    event_name: Mapped[str] = mapped_column(String(NAME))
    known: Mapped[bool]
    context: Mapped[dict[str, Any]] = mapped_column(JSON)


class ProgressSnapshot(Received, Base):
    """A person's state in the game in a month, as the app reports it; the latest client time wins."""

    __tablename__ = "progress_snapshots"
    __table_args__ = (UniqueConstraint("user_id", "month"),)

    month: Mapped[str] = mapped_column(String(7))
    level: Mapped[int]
    level_title: Mapped[str] = mapped_column(String(100))
    total_points: Mapped[int]
    streak_days: Mapped[int]
    active_missions_count: Mapped[int]
    completed_missions_count: Mapped[int]
    claimed_rewards_count: Mapped[int]
    failed_missions_count: Mapped[int]
    badges_earned_count: Mapped[int]
    reflection_count: Mapped[int]
    game_metrics: Mapped[dict[str, Any]] = mapped_column(JSON)
    learning_metrics: Mapped[dict[str, Any]] = mapped_column(JSON)
    badge_ids: Mapped[list[int]] = mapped_column(JSON)
    mission_summary: Mapped[list[Any]] = mapped_column(JSON)


class Release(Base):
    """A released export. It identifies no person."""

    __tablename__ = "releases"

    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str] = mapped_column(String(NAME), unique=True)
    since: Mapped[str | None] = mapped_column(String(NAME))
    filters: Mapped[dict[str, Any]] = mapped_column(JSON)
    rows: Mapped[dict[str, int]] = mapped_column(JSON)
    changes: Mapped[dict[str, int]] = mapped_column(JSON)
    zones: Mapped[list[list[str]]] = mapped_column(JSON)
    """The released studies and time zones."""
    digest: Mapped[str] = mapped_column(String(64))
    snapshot_at: Mapped[datetime] = mapped_column(Moment)


class ReleasedParticipant(Base):
    """A released pseudonym: a later release can request its deletion, even after the person was erased."""

    __tablename__ = "released_participants"

    release_id: Mapped[int] = mapped_column(ForeignKey("releases.id"), primary_key=True)
    pseudonym: Mapped[str] = mapped_column(String(NAME), primary_key=True)
