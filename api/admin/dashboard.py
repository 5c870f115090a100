"""The dashboard, and the screen of its operators."""

from collections import Counter
from typing import Any

from fastadmin import (
    WidgetActionChartProps,
    WidgetActionInputSchema,
    WidgetActionResponseSchema,
    WidgetActionType,
    widget_action,
)
from prometheus_client import CollectorRegistry

from api.admin import queries
from api.admin.auth import current
from api.admin.base import Screen
from api.models import Operator

WHOLE, HALF = 24, 12
"""Columns of 24."""
NONE = "none so far"
NO_FALLBACK = {"day": NONE, "decisions": 0, "fallback_reason": NONE}
COACHES, PEOPLE = "Coaches", "People and research"


def decisions_now(registry: CollectorRegistry) -> tuple[queries.Rows, queries.Rows]:
    """Decisions by coach and source, and fallbacks by coach and reason, since the service started. They include
    anonymous ones, which are stored nowhere else.
    """
    sources: Counter[tuple[str, str]] = Counter()
    reasons: Counter[tuple[str, str]] = Counter()
    for family in registry.collect():
        for sample in family.samples:
            if sample.name == "buddy_coach_decisions_total" and sample.value:
                coach = sample.labels["coach"]
                sources[coach, sample.labels["source"]] += int(sample.value)
                if reason := sample.labels["reason"]:
                    reasons[coach, reason] += int(sample.value)
    return (
        [{"source": source, "decisions": count, "coach": coach} for (coach, source), count in sorted(sources.items())],
        [{"reason": reason, "fallbacks": count, "coach": coach} for (coach, reason), count in sorted(reasons.items())],
    )


def drawn(rows: queries.Rows, **empty: Any) -> WidgetActionResponseSchema:
    """Rows for a chart. Without data, one row says so, since an empty chart looks broken."""
    return WidgetActionResponseSchema(rows or [empty])


class Operators(Screen):
    """The operators of the admin. The dashboard's statistics belong to this screen."""

    verbose_name_plural = "Operators"
    menu_section = "Service"
    list_display = ("id", "name", "created_at")
    hidden = ("password_hash",)
    ordering = ("id",)
    widget_actions = (
        "decisions_by_source",
        "fallbacks_by_reason",
        "kept_decisions",
        "kept_fallbacks",
        "active",
        "consents",
        "exports",
    )

    async def get_obj(self, id: Any) -> dict[str, Any] | None:  # noqa: A002 - FastAdmin's name
        """The current operator. FastAdmin calls this on every request, also before any operator exists."""
        operator = current.get()
        if operator is None or str(operator.id) != str(id):
            return None
        return {"id": operator.id, "name": operator.name, "__str__": operator.name}

    @widget_action(
        tab=COACHES,
        title="Decisions by source, since the service started",
        description="Anonymous ones included. A tall bar of rules says that the policy cannot be trusted.",
        widget_action_type=WidgetActionType.ChartColumn,
        widget_action_props=WidgetActionChartProps(x_field="source", y_field="decisions", series_field="coach"),
        width=HALF,
    )
    async def decisions_by_source(self, _: WidgetActionInputSchema) -> WidgetActionResponseSchema:
        """Decisions by source, for each coach."""
        return drawn(decisions_now(self.services.metrics.gathered())[0], source=NONE, decisions=0, coach=NONE)

    @widget_action(
        tab=COACHES,
        title="Fallbacks by reason, since the service started",
        description="Why the rules answered; out_of_support is a question unlike those of the training.",
        widget_action_type=WidgetActionType.ChartColumn,
        widget_action_props=WidgetActionChartProps(x_field="reason", y_field="fallbacks", series_field="coach"),
        width=HALF,
    )
    async def fallbacks_by_reason(self, _: WidgetActionInputSchema) -> WidgetActionResponseSchema:
        """Fallbacks by reason, for each coach."""
        return drawn(decisions_now(self.services.metrics.gathered())[1], reason=NONE, fallbacks=0, coach=NONE)

    @widget_action(
        tab=COACHES,
        title="Decisions that are kept, by day",
        description="Of participants of studies, and of families, for the last 30 days.",
        widget_action_type=WidgetActionType.ChartColumn,
        widget_action_props=WidgetActionChartProps(x_field="day", y_field="decisions", series_field="source"),
        width=WHOLE,
    )
    async def kept_decisions(self, _: WidgetActionInputSchema) -> WidgetActionResponseSchema:
        """Stored decisions, by coach and source."""
        async with self.database.read() as session:
            return drawn(
                await queries.kept_by_day(session, self.services.clock(), "source"),
                day=NONE,
                decisions=0,
                source=NONE,
            )

    @widget_action(
        tab=COACHES,
        title="Fallbacks among them, by day",
        widget_action_type=WidgetActionType.ChartColumn,
        widget_action_props=WidgetActionChartProps(x_field="day", y_field="decisions", series_field="fallback_reason"),
        width=WHOLE,
    )
    async def kept_fallbacks(self, _: WidgetActionInputSchema) -> WidgetActionResponseSchema:
        """Fallbacks among stored decisions, by coach and reason."""
        async with self.database.read() as session:
            return drawn(await queries.kept_by_day(session, self.services.clock(), "fallback_reason"), **NO_FALLBACK)

    @widget_action(
        tab=PEOPLE,
        title="Active users and households, by day",
        description="Of whom something came in, for the last 30 days.",
        widget_action_type=WidgetActionType.ChartLine,
        widget_action_props=WidgetActionChartProps(x_field="day", y_field="active", series_field="who"),
        width=WHOLE,
    )
    async def active(self, _: WidgetActionInputSchema) -> WidgetActionResponseSchema:
        """Active users and households of both apps."""
        async with self.database.read() as session:
            return drawn(await queries.active_by_day(session, self.services.clock()), day=NONE, active=0, who=NONE)

    @widget_action(
        tab=PEOPLE,
        title="Consents now, by study",
        widget_action_type=WidgetActionType.ChartColumn,
        widget_action_props=WidgetActionChartProps(x_field="study", y_field="people", series_field="state"),
        width=HALF,
    )
    async def consents(self, _: WidgetActionInputSchema) -> WidgetActionResponseSchema:
        """Consents in force and withdrawn."""
        async with self.database.read() as session:
            return drawn(await queries.consents_now(session), study=NONE, people=0, state=NONE)

    @widget_action(
        tab=PEOPLE,
        title="Exports, by day",
        widget_action_type=WidgetActionType.ChartColumn,
        widget_action_props=WidgetActionChartProps(x_field="day", y_field="exports"),
        width=HALF,
    )
    async def exports(self, _: WidgetActionInputSchema) -> WidgetActionResponseSchema:
        """Exports for researchers."""
        async with self.database.read() as session:
            return drawn(await queries.exports_by_day(session, self.services.clock()), day=NONE, exports=0)


SCREENS = {Operator: Operators}
