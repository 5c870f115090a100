"""Todos, the actions on them, and the todos that each day showed."""

from datetime import date, datetime
from typing import Any

from sqlalchemy import JSON, Double, ForeignKey, Index, String, Text, UniqueConstraint, false, text
from sqlalchemy.orm import Mapped, mapped_column

from api.models.base import Base, Moment

COMPLETES = text("action_type = 'completed' AND undone_at IS NULL")


class Todo(Base):
    """A todo of a guide's item, or the family's own. `last_completed_on`, `snoozed_until` and `dismissed` are derived
    from the action log without undone actions (`api/kinderbud/todos/rules.py`)."""

    __tablename__ = "todos"
    __table_args__ = (
        UniqueConstraint("participant_id", "guide_item_id"),
        Index("ix_todos_household_id_plan_id", "household_id", "plan_id"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    household_id: Mapped[int] = mapped_column(ForeignKey("households.id", ondelete="CASCADE"))
    participant_id: Mapped[int] = mapped_column(ForeignKey("household_participants.id", ondelete="CASCADE"))
    plan_id: Mapped[int | None] = mapped_column(ForeignKey("plans.id", ondelete="CASCADE"), index=True)
    guide_item_id: Mapped[int | None] = mapped_column(ForeignKey("guide_items.id"))
    source_type: Mapped[str] = mapped_column(String(10))
    title: Mapped[str | None] = mapped_column(String(200))
    description: Mapped[str | None] = mapped_column(Text)
    frequency: Mapped[str | None] = mapped_column(String(10))
    last_completed_on: Mapped[date | None]
    snoozed_until: Mapped[date | None]
    dismissed: Mapped[bool]
    deleted: Mapped[bool]
    created_on: Mapped[date]


class TodoAction(Base):
    """A row of the action log. An undone action stays, but does not count. `created_at` is the time of the action: the
    client's time if the phone was offline. `former_name` is the name of a removed member, if the household keeps
    it."""

    __tablename__ = "todo_actions"
    __table_args__ = (
        Index("ix_todo_actions_todo_id_action_type_created_at", "todo_id", "action_type", "created_at"),
        Index("ix_todo_actions_todo_id_action_type_action_date", "todo_id", "action_type", "action_date"),
        Index("ix_todo_actions_household_id_action_date", "household_id", "action_date"),
        Index(
            "uq_todo_actions_completed",
            *("todo_id", "action_date"),
            unique=True,
            sqlite_where=COMPLETES,
            postgresql_where=COMPLETES,
        ),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    household_id: Mapped[int] = mapped_column(ForeignKey("households.id", ondelete="CASCADE"))
    todo_id: Mapped[int] = mapped_column(ForeignKey("todos.id", ondelete="CASCADE"))
    action_type: Mapped[str] = mapped_column(String(10))
    action_date: Mapped[date]
    snoozed_to: Mapped[date | None]
    reason: Mapped[str | None] = mapped_column(Text)
    notes: Mapped[str | None] = mapped_column(Text)
    performed_by: Mapped[int | None] = mapped_column(ForeignKey("household_users.id", ondelete="SET NULL"), index=True)
    former_name: Mapped[str | None] = mapped_column(String(80))
    created_at: Mapped[datetime] = mapped_column(Moment)
    undone_at: Mapped[datetime | None] = mapped_column(Moment)


class CompletionRun(Base):
    """A run of consecutive days with a completion. Changes of a day join or split runs, so that a streak of ten years
    is one row."""

    __tablename__ = "completion_runs"
    __table_args__ = (UniqueConstraint("household_id", "first_on"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    household_id: Mapped[int] = mapped_column(ForeignKey("households.id", ondelete="CASCADE"))
    first_on: Mapped[date]
    last_on: Mapped[date]


class DaySelection(Base):
    """The daily coach's choice for a household's day, made once. Households that take part in learning have `logged`:
    the candidates, their features, scores and inclusion propensities."""

    __tablename__ = "day_selections"
    __table_args__ = (UniqueConstraint("household_id", "day"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    household_id: Mapped[int] = mapped_column(ForeignKey("households.id", ondelete="CASCADE"))
    day: Mapped[date]
    source: Mapped[str] = mapped_column(String(10))
    fallback_reason: Mapped[str | None] = mapped_column(String(32))
    policy_id: Mapped[str] = mapped_column(String(64))
    daily_note: Mapped[str] = mapped_column(Text)
    seed: Mapped[str | None] = mapped_column(String(32))
    epsilon: Mapped[float] = mapped_column(Double)
    prompt_version: Mapped[str | None] = mapped_column(String(32))
    input_tokens: Mapped[int | None]
    output_tokens: Mapped[int | None]
    logged: Mapped[Any] = mapped_column(JSON(none_as_null=True), nullable=True)
    created_at: Mapped[datetime] = mapped_column(Moment)


class DayItem(Base):
    """A todo that a day showed: chosen by the coach, or the family's own."""

    __tablename__ = "day_items"

    household_id: Mapped[int] = mapped_column(ForeignKey("households.id", ondelete="CASCADE"), primary_key=True)
    day: Mapped[date] = mapped_column(primary_key=True)
    todo_id: Mapped[int] = mapped_column(ForeignKey("todos.id", ondelete="CASCADE"), primary_key=True, index=True)
    position: Mapped[int]


class DayCuration(Base):
    """The lease for asking Claude about a household's day, and the number of attempts."""

    __tablename__ = "day_curations"

    household_id: Mapped[int] = mapped_column(ForeignKey("households.id", ondelete="CASCADE"), primary_key=True)
    day: Mapped[date] = mapped_column(primary_key=True)
    leased_until: Mapped[datetime] = mapped_column(Moment)
    triggers: Mapped[int]


class ChatMessage(Base):
    """A household's question, or Claude's answer to it. `key` is the question's `Idempotency-Key`; `cut_off` is true
    for an incomplete answer."""

    __tablename__ = "chat_messages"
    __table_args__ = (
        UniqueConstraint("household_id", "key"),
        Index("ix_chat_messages_household_id_id", "household_id", "id"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    household_id: Mapped[int] = mapped_column(ForeignKey("households.id", ondelete="CASCADE"))
    role: Mapped[str] = mapped_column(String(10))
    content: Mapped[str] = mapped_column(Text)
    key: Mapped[str | None] = mapped_column(String(255))
    answers_id: Mapped[int | None] = mapped_column(ForeignKey("chat_messages.id", ondelete="CASCADE"), unique=True)
    prompt_version: Mapped[str | None] = mapped_column(String(32))
    input_tokens: Mapped[int | None]
    output_tokens: Mapped[int | None]
    cut_off: Mapped[bool] = mapped_column(default=False, server_default=false())
    created_at: Mapped[datetime] = mapped_column(Moment)
