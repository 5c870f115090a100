"""Turns stored rows into rows of the dataset: which values are exported, and why the others are missing. Pure."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import msgspec

from api.clock import effective_time
from api.kakei.challenges.rules import status_on
from api.kakei.exports import learning
from api.time_zones import zone_of
from data.catalog import metric_keys
from data.catalog.instruments import instruments, missing_answer
from data.disclosure import Cell, Disclosure
from data.formats import Row, Rows
from data.schema import TABLES
from data.schema.learning import NO_STUDY
from data.schema.missing import Missing

SYNC = "sync"
WITHHELD = "withheld"
"""Replaces a name that the app invented, if texts are private."""
type Values = dict[str, Any]
_encode = msgspec.json.Encoder().encode


@dataclass
class Exporter:
    """Turns stored rows into rows of one export. Rows must be sorted by pseudonym, because ids are counted by it."""

    disclosure: Disclosure
    identifiers: bool
    now: datetime
    _counted: dict[str, tuple[str, int]] = field(default_factory=dict)

    def begin(self) -> None:
        """Restart the count at 1 for a new table."""
        self._counted.clear()

    def rows(self, table: str, stored: Sequence[Any]) -> Rows:
        """The exported rows for stored rows; an answer to an instrument gives one row per item."""
        columns = [column.name for column in TABLES[table].shipped(identifiers=self.identifiers)]
        make = MAKERS[table]
        return [_in_order(columns, values) for row in stored for values in make(self, row)]

    def number(self, kind: str, pseudonym: str) -> str:
        """The next id of a kind for a participant; it reveals only the participant and the order."""
        last, count = self._counted.get(kind, ("", 0))
        count = count + 1 if last == pseudonym else 1
        self._counted[kind] = (pseudonym, count)
        return f"{pseudonym}-{kind}{count}"

    def local(self, row: Any, moment: datetime) -> Values:
        """The local date and the zone, if they may be shown."""
        zone = self.disclosure.zone(row.study_version, row.zone)
        hidden = zone is Missing.SUPPRESSED
        return {"local_date": zone if hidden else moment.astimezone(zone_of(row.zone)).date(), "time_zone": zone}

    def moments(self, row: Any) -> Values:
        """The times when a row was made and received, in all formats."""
        made = row.client_timestamp
        return {
            "client_timestamp": made or Missing.NOT_UPLOADED,
            "received_at": row.received_at,
            **self.local(row, effective_time(made, row.received_at)),
        }


def participant(export: Exporter, row: Any) -> list[Values]:
    income, profile, month = export.disclosure.shown(cell_of(row))
    return [
        {
            "participant_id": row.pseudonym,
            "study_version": row.study_version,
            "split": row.split,
            "income_range_id": income,
            "user_profile": profile,
            "start_month": month,
            "budget_cycle_start_day": row.budget_cycle_start_day or Missing.NOT_UPLOADED,
            "time_zone": export.disclosure.zone(row.study_version, row.zone),
            "data_mode": row.mode_now,
            "participant_code": row.participant_code or Missing.NOT_UPLOADED,
        }
    ]


def cell_of(row: Any) -> Cell:
    """The quasi-identifiers of a participant."""
    return Cell(row.study_version, row.income_range_id, row.user_profile, f"{row.joined_at:%Y-%m}")


def consent(export: Exporter, row: Any) -> list[Values]:
    """If the month of a participant's first consent is suppressed, the times of all their consents are, too."""
    _, _, month = export.disclosure.shown(cell_of(row))
    return [
        {
            "consent_id": export.number("c", row.pseudonym),
            "participant_id": row.pseudonym,
            "study_version": row.study_version,
            "consented": row.consented,
            "age_confirmed": row.age_confirmed,
            "allow_research_export": row.allow_research_export,
            "data_mode": row.data_mode,
            "received_at": row.received_at,
            **export.local(row, row.received_at),
            **(dict.fromkeys(("received_at", "local_date"), month) if month is Missing.SUPPRESSED else {}),
        }
    ]


def responses(export: Exporter, row: Any) -> list[Values]:
    """One row for each item of the instrument, answered or not."""
    shared = _of_response(export, row) | export.moments(row)
    instrument = instruments().get(row.instrument_key)
    items = {item.id: item for item in instrument.items} if instrument else {}
    found = []
    for name in items or row.answers:
        item, answer = items.get(name), row.answers.get(name)
        absent = missing_answer(row.answers, name)
        is_text = isinstance(answer, str) or (item is not None and item.type == "text")
        label = next((option.label for option in item.options if option.value == answer), None) if item else None
        found.append(
            shared
            | {
                "item_id": name,
                "item_type": item.type if item else "text" if is_text else "number",
                "value": Missing.NOT_APPLICABLE if is_text else absent or float(answer),
                "value_label": Missing.NOT_APPLICABLE if label is None and absent is None else absent or label,
                "text": absent or words(row, answer) if is_text else Missing.NOT_APPLICABLE,
            }
        )
    return found


def scores(export: Exporter, row: Any) -> list[Values]:
    shared = _of_response(export, row)  # counts the response even without a score, as `responses` does
    if row.score is None and row.score_missing is None:
        return []
    instrument = instruments().get(row.instrument_key)
    label = instrument.scoring["label"] if instrument and instrument.scoring else row.instrument_key
    score = Missing(row.score_missing) if row.score is None else row.score
    return [shared | {"score_label": label, "score": score} | export.moments(row)]


def reflection(export: Exporter, row: Any) -> list[Values]:
    return [
        {
            "reflection_id": export.number("f", row.pseudonym),
            "participant_id": row.pseudonym,
            "phase": row.phase,
            "category": row.category,
            "confidence_rating": row.confidence_rating or Missing.NOT_UPLOADED,
            "quality_score": float(row.quality_score),
            "quality_level": row.quality_level,
            **{f"has_{name}": name in row.strengths for name in ("observation", "amount", "cause", "plan")},
            "text_length": len(row.reflection_text),
            "reflection_text": words(row, row.reflection_text),
            "intended_action": Missing.NOT_UPLOADED if row.intended_action is None else words(row, row.intended_action),
            **export.moments(row),
        }
    ]


def event(export: Exporter, row: Any) -> list[Values]:
    """For private texts, names and keys of an event are exported only if the catalog knows them."""
    shared = may_leave(row) is None
    told = row.context if shared or row.known else {}
    context = {name: value for name, value in told.items() if shared or not isinstance(value, str)}
    return [
        {
            "event_id": export.number("e", row.pseudonym),
            "participant_id": row.pseudonym,
            "event_name": row.event_name if shared or row.known else WITHHELD,
            "known": row.known,
            "context": _json(context),
            "values_withheld": len(row.context) - len(context),
            **export.moments(row),
        }
    ]


def challenge_metric(export: Exporter, row: Any) -> list[Values]:
    known = row.metric_key in metric_keys()
    number = export.number(WITHHELD, row.pseudonym).rpartition(WITHHELD)[2]
    return [
        {
            "participant_id": row.pseudonym,
            "month": row.month,
            "metric_key": row.metric_key if known or may_leave(row) is None else f"{WITHHELD}_{number}",
            "known": known,
            "value": float(row.value),
            **export.moments(row),
        }
    ]


def progress_snapshot(export: Exporter, row: Any) -> list[Values]:
    counts = (column.name for column in TABLES["progress_snapshots"].columns if column.type == "integer")
    kept = may_leave(row)
    free = {name: kept or _json(getattr(row, name)) for name in ("game_metrics", "learning_metrics", "mission_summary")}
    return [
        {
            "participant_id": row.pseudonym,
            "month": row.month,
            "level_title": words(row, row.level_title),
            "badge_ids": _json(row.badge_ids),
            **{name: getattr(row, name) for name in counts},
            **free,
            **export.moments(row),
        }
    ]


def summary(export: Exporter, row: Any) -> list[Values]:
    spent = ("total_spent", "spent_needs", "spent_wants", "spent_culture", "spent_unexpected")
    return [
        {
            "participant_id": row.pseudonym,
            "month_key": row.month_key,
            "week_key": getattr(row, "week_key", None),
            "logging_days_count": row.logging_days_count,
            **{name: float(getattr(row, name)) for name in spent},
            **export.moments(row),
        }
    ]


def challenge(export: Exporter, row: Any) -> list[Values]:
    return [
        {
            "challenge_id": export.number("h", row.pseudonym),
            "participant_id": row.pseudonym,
            "slug": row.slug,
            "metric_key": row.metric_key,
            "month": row.month,
            "status": str(status_on(row.status, row.month, row.accepted_at, export.now, row.zone)),
            "current_progress": float(row.current_progress),
            "target_value": float(row.target_value),
            "unit": row.unit,
            "reward_points": row.reward_points,
            "source": row.source,
            "accepted_at": row.accepted_at,
            "completed_at": row.completed_at or Missing.NOT_APPLICABLE,
            "claimed_at": row.claimed_at or Missing.NOT_APPLICABLE,
            **export.local(row, row.accepted_at),
        }
    ]


def points(export: Exporter, row: Any) -> list[Values]:
    return [
        {
            "entry_id": export.number("l", row.pseudonym),
            "participant_id": row.pseudonym,
            "points": row.points,
            "cause": row.cause,
            "received_at": row.created_at,
            **export.local(row, row.created_at),
        }
    ]


def decision(export: Exporter, row: Any) -> list[Values]:
    mine = {"decision_id": export.number("d", row.pseudonym), "participant_id": row.pseudonym}
    return [mine | export.local(row, row.decided_at) | learning.decision(row)]


def outcome(export: Exporter, row: Any) -> list[Values]:
    number = export.number("d", row.pseudonym)  # counts all decisions, as `decision` does
    if row.phase == NO_STUDY:
        return []
    return [{"decision_id": number, "participant_id": row.pseudonym} | learning.outcome(row, export.now)]


def may_leave(row: Any) -> Missing | None:
    """Why a person's texts are not exported, or None if they are. The mode must be `sync` now, and must have been when
    they were written (by the phone's clock, if known) and received."""
    if row.mode_then != SYNC or (row.client_timestamp is not None and row.client_timestamp < row.mode_since):
        return Missing.PRIVATE
    return None if row.mode_now == SYNC else Missing.WITHDRAWN


def words(row: Any, text: str) -> str | Missing:
    """A person's text, or why it is not exported."""
    return may_leave(row) or text


MAKERS: Mapping[str, Callable[[Exporter, Any], list[Values]]] = {
    "participants": participant,
    "consents": consent,
    "responses": responses,
    "scores": scores,
    "reflections": reflection,
    "events": event,
    "challenge_metrics": challenge_metric,
    "progress_snapshots": progress_snapshot,
    "weekly_summaries": summary,
    "monthly_summaries": summary,
    "challenges": challenge,
    "points": points,
    "decisions": decision,
    "outcomes": outcome,
}
"""For each table, the function that converts a stored row."""


def _of_response(export: Exporter, row: Any) -> Values:
    return {
        "response_id": export.number("r", row.pseudonym),
        "participant_id": row.pseudonym,
        "instrument_key": row.instrument_key,
        "instrument_version": row.instrument_version,
        "phase": row.phase,
        "period": row.period or Missing.NOT_APPLICABLE,
        "version": row.version,
        "current": row.version == row.versions,
    }


def _in_order(columns: list[str], values: Values) -> Row:
    return tuple([values[name] for name in columns])


def _json(value: Any) -> str:
    return _encode(value).decode()
