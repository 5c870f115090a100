"""Turns stored rows into rows of the dataset: which values are exported, and why the others are missing. Pure.

The rules are expressions over whole columns. Only JSON that people sent (`documents`) and the status of a challenge,
whose rule the app has too, are computed cell by cell.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime

import polars as pl
from polars import Expr, coalesce, col, concat_str, lit, when

from api.clock import CLOCK_TOLERANCE
from api.kakei.challenges.rules import status_on
from api.kakei.exports import documents, learning
from api.time_zones import known_time_zones
from data.catalog import metric_keys
from data.catalog.instruments import instruments
from data.disclosure import Disclosure
from data.formats.frames import frame_schema
from data.schema import TABLES
from data.schema.learning import NO_STUDY
from data.schema.missing import Missing

SYNC = "sync"
WITHHELD = "withheld"
"""Replaces a name that the app invented, if texts are private."""
CELL = ("study_version", "income_range_id", "user_profile", "start_month")
"""The columns of `data.disclosure.Cell`."""
type Values = dict[str, Expr | pl.Series]
"""The columns of a table by name: a cell that is missing is null, and `<name>_missing` holds the reason."""


def with_months(people: pl.DataFrame) -> pl.DataFrame:
    """Participants with the month of their first consent, by which small groups are found."""
    return people.with_columns(start_month=col("joined_at").dt.strftime("%Y-%m"))


@dataclass
class Exporter:
    """Turns stored rows into rows of one export. Rows must be sorted by pseudonym, because ids are counted by it."""

    disclosure: Disclosure
    identifiers: bool
    now: datetime
    people: pl.DataFrame
    """All participants of the export, with their months."""
    consents: pl.DataFrame
    """All entries of their consent histories."""
    _of_consent: pl.DataFrame = field(init=False)
    _last: tuple[str, int] = ("", 0)
    """The pseudonym of the last row, and the number of its rows so far."""

    def __post_init__(self) -> None:
        cells = {name: self.people.schema[name] for name in CELL} | {"depth": pl.Int64()}
        depths = [(*cell, depth) for cell, depth in self.disclosure.depth.items()]
        depth = pl.DataFrame(depths, schema=cells, orient="row")
        self.people = self._with_zones(_joined(self.people, depth, *CELL))
        self.consents = self._with_zones(_joined(self.consents, self.people.select("pseudonym", "depth"), "pseudonym"))
        self._of_consent = self.consents.select(
            *("consent_id", "pseudonym", "zone", "time_zone", "time_zone_missing", "mode_now"),
            mode_then="data_mode",
            mode_since="received_at",
        )

    def begin(self) -> None:
        """Restart the count at 1 for a new table."""
        self._last = ("", 0)

    def rows(self, table: str, stored: pl.DataFrame) -> pl.DataFrame:
        """The exported rows for stored rows; an answer to an instrument gives one row per item."""
        schema = frame_schema(TABLES[table].shipped(identifiers=self.identifiers))
        if stored.is_empty():
            return pl.DataFrame(schema=schema)
        if "pseudonym" not in stored.columns:
            stored = _joined(stored, self._of_consent, "consent_id")
        if "client_timestamp" in stored.columns and "mode_then" in stored.columns:
            stored = stored.with_columns(withheld=withheld())
        made = MAKERS[table](self, self._numbered(stored))
        return made.select(col(name).cast(type_) for name, type_ in schema.items())

    def _numbered(self, stored: pl.DataFrame) -> pl.DataFrame:
        """The rows with their number among the rows of their participant."""
        last, before = self._last
        within = pl.int_range(1, pl.len() + 1).over("pseudonym")
        numbered = stored.with_columns(number=within + when(col("pseudonym") == last).then(before).otherwise(0))
        self._last = numbered["pseudonym"][-1], numbered["number"][-1]
        return numbered

    def _with_zones(self, people: pl.DataFrame) -> pl.DataFrame:
        """The time zone that is shown, and why none is."""
        zones = {"study_version": pl.String(), "zone": pl.String()}
        shown = pl.DataFrame(self.disclosure.zones_shown(), schema=zones, orient="row").with_columns(is_shown=True)
        hidden = when(col("zone").is_not_null() & col("is_shown").is_null()).then(lit(Missing.SUPPRESSED))
        return _joined(people, shown, *zones).with_columns(
            time_zone=when(col("is_shown")).then("zone"),
            time_zone_missing=hidden.when(col("zone").is_null()).then(lit(Missing.NOT_UPLOADED)),
        )


def withheld() -> Expr:
    """Why a person's texts are not exported, null if they are. The mode must be `sync` now, and must have been when
    they were written (by the phone's clock, if known) and received."""
    written_before = (col("client_timestamp") < col("mode_since")).fill_null(value=False)
    private = when((col("mode_then") != SYNC) | written_before).then(lit(Missing.PRIVATE))
    return private.when(col("mode_now") != SYNC).then(lit(Missing.WITHDRAWN))


def words(name: str, text: Expr | None = None) -> Values:
    """A person's text, or why it is not exported."""
    return {
        name: when(col("withheld").is_null()).then(col(name) if text is None else text),
        f"{name}_missing": col("withheld"),
    }


def local(rows: pl.DataFrame, moment: Expr) -> Values:
    """The local date and the zone, if they may be shown."""
    hidden = (col("time_zone_missing") == Missing.SUPPRESSED).fill_null(value=False)
    dates = local_dates(rows.select("zone", moment=moment))
    return {
        "local_date": when(~hidden).then(dates),
        "time_zone": col("time_zone"),
        "time_zone_missing": col("time_zone_missing"),
    }


def local_dates(moments: pl.DataFrame) -> pl.Series:
    """The day of each `moment` in its `zone`, as `api.time_zones.local_date`."""
    parts = []
    for (zone,), part in moments.with_row_index("row").partition_by("zone", as_dict=True).items():
        known = zone if zone in known_time_zones() else "UTC"
        parts.append(part.select("row", date=col("moment").dt.convert_time_zone(known).dt.date()))
    return pl.concat(parts).sort("row")["date"]


def moments(rows: pl.DataFrame) -> Values:
    """The times when a row was made and received, in all formats."""
    made, received = col("client_timestamp"), col("received_at")
    effective = when(made > received + CLOCK_TOLERANCE).then(received).otherwise(coalesce(made, received))
    return {"client_timestamp": made, "received_at": received, **local(rows, effective)}


def identifier(kind: str) -> Expr:
    """The next id of a kind for a participant; it reveals only the participant and the order."""
    return concat_str("pseudonym", lit(f"-{kind}"), "number")


def given(name: str) -> Expr:
    """A text, null where it is empty."""
    return when(col(name) != "").then(col(name))


def participants(_: Exporter, rows: pl.DataFrame) -> pl.DataFrame:
    """Suppresses of a small cell the month, then the profile, then the income range."""

    def shown(name: str, depth: int) -> Values:
        hidden = when(col("depth") >= depth).then(lit(Missing.SUPPRESSED))
        reason = hidden.when(col(name).is_null()).then(lit(Missing.NOT_UPLOADED))
        return {name: when(col("depth") < depth).then(name), f"{name}_missing": reason}

    return rows.select(
        "split",
        "study_version",
        "time_zone",
        "time_zone_missing",
        "budget_cycle_start_day",
        participant_id="pseudonym",
        data_mode="mode_now",
        participant_code=given("participant_code"),
        **shown("start_month", 1),
        **shown("user_profile", 2),
        **shown("income_range_id", 3),
    )


def consents(_: Exporter, rows: pl.DataFrame) -> pl.DataFrame:
    """If the month of a participant's first consent is suppressed, the times of all their consents are, too."""
    shown = col("depth") == 0
    when_ = local(rows, col("received_at")) | {"received_at": col("received_at")}
    when_ |= {name: when(shown).then(when_[name]) for name in ("received_at", "local_date")}
    same = ("study_version", "consented", "age_confirmed", "allow_research_export", "data_mode")
    return rows.select(*same, consent_id=identifier("c"), participant_id="pseudonym", **when_)


def of_response(rows: pl.DataFrame) -> Values:
    same = ("instrument_key", "instrument_version", "phase", "version")
    return {
        **{name: col(name) for name in same},
        "response_id": identifier("r"),
        "participant_id": col("pseudonym"),
        "period": given("period"),
        "current": col("version") == col("versions"),
        **moments(rows),
    }


def responses(_: Exporter, rows: pl.DataFrame) -> pl.DataFrame:
    """One row for each item of the instrument, answered or not."""
    keys = ("instrument_key", "answers")
    found = documents.items(rows.select(keys))
    rows = rows.join(found, on=keys, how="inner", maintain_order="left_right")
    absent, is_text, nothing = col("absent"), col("is_text"), lit(Missing.NOT_APPLICABLE)
    kept_back = when(~is_text).then(nothing).otherwise(coalesce("absent", "withheld"))
    return rows.select(
        *("item_id", "item_type", "value", "value_label"),
        value_missing=when(is_text).then(nothing).otherwise(absent),
        value_label_missing=when(col("value_label").is_null()).then(coalesce(absent, nothing)),
        text=when(kept_back.is_null()).then("text"),
        text_missing=kept_back,
        **of_response(rows),
    )


def scores(_: Exporter, rows: pl.DataFrame) -> pl.DataFrame:
    """The rows with a score or a reason; all are counted, as `responses` does."""
    labels = {key: one.scoring["label"] for key, one in instruments().items() if one.scoring}
    rows = rows.filter(col("score").is_not_null() | col("score_missing").is_not_null())
    label = col("instrument_key").replace_strict(labels, default=col("instrument_key"), return_dtype=pl.String)
    reason = when(col("score").is_null()).then("score_missing")
    return rows.select("score", score_missing=reason, score_label=label, **of_response(rows))


def reflections(_: Exporter, rows: pl.DataFrame) -> pl.DataFrame:
    strengths = col("strengths").str.json_decode(pl.List(pl.String))
    said = words("intended_action")
    said["intended_action_missing"] = (
        when(col("intended_action").is_null()).then(lit(Missing.NOT_UPLOADED)).otherwise("withheld")
    )
    return rows.select(
        *("phase", "category", "confidence_rating", "quality_score", "quality_level"),
        reflection_id=identifier("f"),
        participant_id="pseudonym",
        text_length=col("reflection_text").str.len_chars(),
        **{f"has_{name}": strengths.list.contains(name) for name in ("observation", "amount", "cause", "plan")},
        **words("reflection_text"),
        **said,
        **moments(rows),
    )


def events(_: Exporter, rows: pl.DataFrame) -> pl.DataFrame:
    """For private texts, names and keys of an event are exported only if the catalog knows them."""
    rows = rows.hstack(documents.contexts(rows["context"]))
    shared, known = col("withheld").is_null(), col("known")
    return rows.select(
        "known",
        event_id=identifier("e"),
        participant_id="pseudonym",
        event_name=when(shared | known).then("event_name").otherwise(lit(WITHHELD)),
        context=when(shared).then("whole").when(known).then("without_strings").otherwise(lit("{}")),
        values_withheld=when(shared).then(0).when(known).then("strings").otherwise("values"),
        **moments(rows),
    )


def challenge_metrics(_: Exporter, rows: pl.DataFrame) -> pl.DataFrame:
    known = col("metric_key").is_in(sorted(metric_keys()))
    told = known | col("withheld").is_null()
    return rows.select(
        *("month", "value"),
        participant_id="pseudonym",
        metric_key=when(told).then("metric_key").otherwise(concat_str(lit(f"{WITHHELD}_"), "number")),
        known=known,
        **moments(rows),
    )


def progress_snapshots(_: Exporter, rows: pl.DataFrame) -> pl.DataFrame:
    free: Values = {}
    for name in ("game_metrics", "learning_metrics", "mission_summary"):
        free |= words(name, lit(documents.compact(rows[name])))
    return rows.select(
        "month",
        *(column.name for column in TABLES["progress_snapshots"].columns if column.type == "integer"),
        participant_id="pseudonym",
        badge_ids=documents.compact(rows["badge_ids"]),
        **words("level_title"),
        **free,
        **moments(rows),
    )


def summaries(_: Exporter, rows: pl.DataFrame) -> pl.DataFrame:
    return rows.with_columns(participant_id="pseudonym", **moments(rows))


def challenges(export: Exporter, rows: pl.DataFrame) -> pl.DataFrame:
    cells = rows.select("status", "month", "accepted_at", "zone").iter_rows()
    status = [str(status_on(stored, month, accepted, export.now, zone)) for stored, month, accepted, zone in cells]
    return rows.with_columns(
        challenge_id=identifier("h"),
        participant_id="pseudonym",
        status=pl.Series(status, dtype=pl.String),
        **local(rows, col("accepted_at")),
    )


def points(_: Exporter, rows: pl.DataFrame) -> pl.DataFrame:
    return rows.select(
        *("points", "cause"),
        entry_id=identifier("l"),
        participant_id="pseudonym",
        received_at="created_at",
        **local(rows, col("created_at")),
    )


def decisions(_: Exporter, rows: pl.DataFrame) -> pl.DataFrame:
    mine = {"decision_id": identifier("d"), "participant_id": col("pseudonym")}
    return rows.with_columns(**mine, **local(rows, col("decided_at")), **learning.decisions(rows))


def outcomes(export: Exporter, rows: pl.DataFrame) -> pl.DataFrame:
    """The rows of decisions that a study drew; all are counted, as `decisions` does."""
    rows = rows.filter(col("phase") != NO_STUDY)
    return rows.select(decision_id=identifier("d"), participant_id="pseudonym", **learning.outcomes(rows, export.now))


MAKERS: Mapping[str, Callable[[Exporter, pl.DataFrame], pl.DataFrame]] = {
    "participants": participants,
    "consents": consents,
    "responses": responses,
    "scores": scores,
    "reflections": reflections,
    "events": events,
    "challenge_metrics": challenge_metrics,
    "progress_snapshots": progress_snapshots,
    "weekly_summaries": summaries,
    "monthly_summaries": summaries,
    "challenges": challenges,
    "points": points,
    "decisions": decisions,
    "outcomes": outcomes,
}
"""For each table, the function that converts stored rows."""


def _joined(rows: pl.DataFrame, more: pl.DataFrame, *on: str) -> pl.DataFrame:
    """The rows in their order, with the columns of the row of `more` that has the same key."""
    return rows.join(more, on=on, how="left", nulls_equal=True, maintain_order="left")
