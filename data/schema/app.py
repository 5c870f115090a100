"""Tables of app use: answers, scores, reflections, events, metrics, snapshots, summaries, challenges and points."""

from data.schema.columns import Column, Personal, Table, count, local, moments, participant, share
from data.schema.missing import Missing
from data.schema.phases import PHASES

MONTH = Column("month", "string", "Month", pattern=r"\d{4}-\d{2}")
ASKED_IN = {
    "pre": "before the study",
    "weekly": "each week",
    "monthly": "each month",
    "post": "at the end of the study",
    "followup": "some time after the study",
}
ITEM_TYPES = {"choice": "one of the response options", "number": "a number", "text": "free text"}
QUALITY = {"starting": "a beginning", "clear": "clear", "strong": "strong"}
CATEGORIES = {
    "needs": "needs",
    "wants": "wants",
    "culture": "culture",
    "unexpected": "unexpected",
    "savings": "savings",
    "general": "no category of its own",
}
STATUSES = {
    "accepted": "accepted, nothing done yet",
    "in_progress": "under way",
    "completed": "target reached, reward not claimed",
    "claimed": "reward claimed",
    "expired": "the month ended before the target was reached",
}
SOURCES = {"user": "found by the person", "ai": "suggested by the coach"}
CAUSES = {"challenge_claimed": "a challenge's reward was claimed", "badge_earned": "a badge was earned"}
WITHHELD = (Missing.PRIVATE, Missing.WITHDRAWN)
UNANSWERED = (Missing.NOT_ASKED, Missing.SKIPPED)
NO_ANSWER = (*UNANSWERED, Missing.NOT_APPLICABLE)

_OF_PARTICIPANT = (("participant_id", "participants"),)


def _words(name: str, label: str, *also: Missing) -> Column:
    return Column(name, "string", label, missing=(*also, *WITHHELD), personal=Personal.TEXT)


def _free_form(name: str, label: str) -> Column:
    return Column(name, "json", label, missing=WITHHELD, personal=Personal.TEXT)


_OF_RESPONSE = (
    Column("response_id", "string", "Identifier of the answers to one instrument at one time"),
    participant(),
    Column("instrument_key", "string", "Instrument"),
    Column("instrument_version", "string", "Version of the instrument"),
    Column("phase", "string", "When it was asked", categories={phase: ASKED_IN[phase] for phase in PHASES}),
    Column(
        "period",
        "string",
        "Within the phase: the ISO week or the month",
        pattern=r"\d{4}-(W\d{2}|\d{2})",
        missing=(Missing.NOT_APPLICABLE,),
    ),
    Column(
        "version",
        "integer",
        "1 for the first answers in this phase and period, then counting",
        unit="version",
        minimum=1,
    ),
    Column("current", "boolean", "Whether these are the latest answers in this phase and period"),
)

RESPONSES = Table(
    "responses",
    "Answers to instruments, a row an item",
    ("response_id", "item_id"),
    (
        *_OF_RESPONSE,
        Column("item_id", "string", "Item of the instrument"),
        Column("item_type", "string", "What kind of answer the item takes", categories=ITEM_TYPES),
        Column(
            "value",
            "number",
            "The answer, by the values of the response options",
            missing=NO_ANSWER,
        ),
        Column(
            "value_label",
            "string",
            "The response option in words",
            missing=NO_ANSWER,
        ),
        _words(
            "text", "The answer in the person's own words", Missing.NOT_ASKED, Missing.SKIPPED, Missing.NOT_APPLICABLE
        ),
        *moments("the answer"),
    ),
    foreign_keys=_OF_PARTICIPANT,
)

SCORES = Table(
    "scores",
    "Scores of the answers to instruments",
    ("response_id",),
    (
        *_OF_RESPONSE,
        Column("score_label", "string", "What the score is called"),
        Column(
            "score",
            "number",
            "The score, as the instrument's source defines it",
            missing=(Missing.NOT_ASKED, Missing.SKIPPED),
        ),
        *moments("the answer"),
    ),
    foreign_keys=_OF_PARTICIPANT,
)

REFLECTIONS = Table(
    "reflections",
    "Reflections of people about their spending, with a measure of quality",
    ("reflection_id",),
    (
        Column("reflection_id", "string", "Identifier of the reflection"),
        participant(),
        Column("phase", "string", "When it was written", categories={phase: ASKED_IN[phase] for phase in PHASES}),
        Column("category", "string", "What it is about", categories=CATEGORIES),
        Column(
            "confidence_rating",
            "integer",
            "How confident the person is, 1 to 5",
            minimum=1,
            maximum=5,
            missing=(Missing.NOT_UPLOADED,),
        ),
        share("quality_score", "Quality of the reflection, by its observation, amount, cause and plan"),
        Column("quality_level", "string", "The quality in three steps", categories=QUALITY),
        Column("has_observation", "boolean", "Names something that was noticed"),
        Column("has_amount", "boolean", "Names an amount"),
        Column("has_cause", "boolean", "Names a cause"),
        Column("has_plan", "boolean", "Names a plan"),
        count("text_length", "Length of the reflection", "characters"),
        _words("reflection_text", "The reflection"),
        _words("intended_action", "What the person intends to do", Missing.NOT_UPLOADED),
        *moments("the reflection"),
    ),
    foreign_keys=_OF_PARTICIPANT,
)

EVENTS = Table(
    "events",
    "What happened in the app",
    ("event_id",),
    (
        Column("event_id", "string", "Identifier of the event"),
        participant(),
        Column(
            "event_name",
            "string",
            "What happened; `withheld` for a made-up name",
            pattern="[a-z][a-z0-9_]{0,63}",
        ),
        Column("known", "boolean", "Whether the event is in the catalog"),
        Column("context", "json", "Context of the event; free text only if the person shares it"),
        count("values_withheld", "How many values of the context were withheld"),
        *moments("the event"),
    ),
    foreign_keys=_OF_PARTICIPANT,
)

CHALLENGE_METRICS = Table(
    "challenge_metrics",
    "Totals of a month, as the app last uploaded them",
    ("participant_id", "month", "metric_key"),
    (
        participant(),
        MONTH,
        Column("metric_key", "string", "Metric", pattern="[a-z][a-z0-9_]{0,63}"),
        Column("known", "boolean", "Whether the metric measures challenges"),
        Column("value", "number", "Value, in the metric's unit", minimum=0),
        *moments("the value"),
    ),
    foreign_keys=_OF_PARTICIPANT,
)

PROGRESS_SNAPSHOTS = Table(
    "progress_snapshots",
    "State of the game in a month, as the app last uploaded it",
    ("participant_id", "month"),
    (
        participant(),
        MONTH,
        count("level", "Level"),
        _words("level_title", "Title of the level, as the app shows it"),
        count("total_points", "Points", "points"),
        count("streak_days", "Days in a row", "days"),
        count("active_missions_count", "Missions under way", "missions"),
        count("completed_missions_count", "Missions completed", "missions"),
        count("claimed_rewards_count", "Rewards claimed", "rewards"),
        count("failed_missions_count", "Missions failed", "missions"),
        count("badges_earned_count", "Badges earned", "badges"),
        count("reflection_count", "Reflections written", "reflections"),
        Column("badge_ids", "json", "Badges earned, by id"),
        _free_form("game_metrics", "Further metrics of the game"),
        _free_form("learning_metrics", "Further metrics of learning"),
        _free_form("mission_summary", "Missions, as the app describes them"),
        *moments("the snapshot"),
    ),
    foreign_keys=_OF_PARTICIPANT,
)


def _amount(name: str, label: str) -> Column:
    """An amount of money; refunds count against what was spent, so that it can be below 0."""
    return Column(name, "number", f"{label}; below 0 where refunds were more", unit="local currency")


_SPENT = (
    _amount("total_spent", "Spent in all"),
    _amount("spent_needs", "Spent on needs"),
    _amount("spent_wants", "Spent on wants"),
    _amount("spent_culture", "Spent on culture"),
    _amount("spent_unexpected", "Spent on the unexpected"),
)
_MONTH_KEY = Column("month_key", "integer", "Month, YYYYMM", minimum=200001, maximum=299912)

WEEKLY_SUMMARIES = Table(
    "weekly_summaries",
    "Spending in a week of a month",
    ("participant_id", "month_key", "week_key"),
    (
        participant(),
        _MONTH_KEY,
        Column(
            "week_key",
            "integer",
            "Week of the month: the k-th Monday-to-Sunday week with a day in it",
            minimum=1,
            maximum=6,
        ),
        *_SPENT,
        Column("logging_days_count", "integer", "Days with an entry", unit="days", minimum=0, maximum=7),
        *moments("the summary"),
    ),
    foreign_keys=_OF_PARTICIPANT,
)

MONTHLY_SUMMARIES = Table(
    "monthly_summaries",
    "Spending in a month",
    ("participant_id", "month_key"),
    (
        participant(),
        _MONTH_KEY,
        *_SPENT,
        Column("logging_days_count", "integer", "Days with an entry", unit="days", minimum=0, maximum=31),
        *moments("the summary"),
    ),
    foreign_keys=_OF_PARTICIPANT,
)

CHALLENGES = Table(
    "challenges",
    "Challenges that people accepted",
    ("challenge_id",),
    (
        Column("challenge_id", "string", "Identifier of the accepted challenge"),
        participant(),
        Column("slug", "string", "The challenge"),
        Column("metric_key", "string", "What it is measured by"),
        MONTH,
        Column("status", "string", "State of the challenge", categories=STATUSES),
        Column("current_progress", "number", "Progress, in the challenge's unit", minimum=0),
        Column("target_value", "number", "Target, in the challenge's unit", minimum=0),
        Column("unit", "string", "The unit"),
        count("reward_points", "Points for claiming it", "points"),
        Column("source", "string", "Origin of the challenge", categories=SOURCES),
        Column("accepted_at", "datetime", "When it was accepted, by the phone's clock where it told, UTC"),
        Column(
            "completed_at",
            "datetime",
            "When the target was reached, by the phone's clock where it told, UTC",
            missing=(Missing.NOT_APPLICABLE,),
        ),
        Column(
            "claimed_at",
            "datetime",
            "When the reward was claimed, by the phone's clock where it told, UTC",
            missing=(Missing.NOT_APPLICABLE,),
        ),
        *local("accepted_at"),
    ),
    foreign_keys=_OF_PARTICIPANT,
)

POINTS = Table(
    "points",
    "The ledger of points",
    ("entry_id",),
    (
        Column("entry_id", "string", "Identifier of the entry"),
        participant(),
        count("points", "Points", "points"),
        Column("cause", "string", "Reason for the points", categories=CAUSES),
        Column("received_at", "datetime", "When they were given, UTC"),
        *local("received_at"),
    ),
    foreign_keys=_OF_PARTICIPANT,
)
