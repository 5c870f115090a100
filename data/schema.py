"""The research dataset: each table and column once. Packages, codebooks and readers are all made from this."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

from coach_model.budget.actions import LEVELS, LEVERS
from coach_model.budget.context import FEATURES

type ColumnType = Literal["string", "integer", "number"]

DATASET_VERSION = "buddy-dataset/1"


@dataclass(frozen=True)
class Column:
    """One column. `missing` says what an empty cell means; without it the column is required."""

    name: str
    type: ColumnType
    label: str
    unit: str = ""
    minimum: float | None = None
    maximum: float | None = None
    categories: dict[str, str] | None = None  # value to label
    pattern: str = ""
    missing: str = ""


@dataclass(frozen=True)
class Table:
    """One table; rows are told apart by `key` and belong to the participant in `participant_id`."""

    name: str
    label: str
    key: str
    columns: tuple[Column, ...]
    foreign_keys: tuple[tuple[str, str], ...] = ()  # column, table whose key it names

    def column(self, name: str) -> Column:
        """Raises KeyError where there is no such column."""
        return {column.name: column for column in self.columns}[name]


FEATURE_LABELS = {
    "budget_used_ratio": "Spent share of this cycle's budget",
    "needs_share": "Needs, as a share of the money available in the last four weeks",
    "wants_share": "Wants, as a share of the money available in the last four weeks",
    "culture_share": "Culture, as a share of the money available in the last four weeks",
    "unexpected_share": "Unexpected spending, as a share of the money available in the last four weeks",
    "savings_goal_progress": "Saved share of the current saving goal",
    "prev_w_adj": "Level of the wants lever in force",
    "prev_c_adj": "Level of the culture lever in force",
    "prev_s_adj": "Level of the savings lever in force",
    "risk_profile": "Attitude to risk from the onboarding questionnaire, 0 cautious to 1 daring",
}

SPLITS = {"learn": "policies may be learned from this participant", "judge": "kept for judging policies"}
PHASES = {
    "explore": "each lever mixed with uniform noise",
    "confirm": "a fair coin between rules and a frozen candidate",
}
COMPONENTS = {"rules": "the rules acted", "candidate": "the frozen candidate acted"}
STATUSES = {
    "observed": "every part of the outcome was observed",
    "no_next_context": "the app did not ask the coach again within 5 to 10 days",
    "no_summary": "no weekly summary was uploaded in time",
    "cycle_began": "a budget cycle began less than two days before the next context",
    "left_study": "the participant left the study within the window",
}
INCOME_RANGES = {str(number): f"income range {number} of 5, lowest first" for number in range(1, 6)}
PROFILES = {
    name: name.replace("_", " ") for name in ("student", "employee", "self_employed", "family", "retired", "other")
}

NOT_OBSERVED = "not observed; `status` says why"


def _share(name: str, label: str, missing: str = "") -> Column:
    return Column(name, "number", label, unit="share", minimum=0, maximum=1, missing=missing)


def _participant() -> Column:
    return Column("participant_id", "string", "Pseudonym of the participant")


def _per_lever() -> Iterable[Column]:
    for lever in LEVERS:
        yield Column(
            f"eligible_{lever}",
            "string",
            f"Eligible levels of {lever}, one digit a level from lowest",
            pattern="[01]{5}",
        )
        yield Column(
            f"level_{lever}", "integer", f"Level of {lever} that was taken", minimum=0, maximum=len(LEVELS) - 1
        )
        for level, value in enumerate(LEVELS):
            label = f"Probability of level {level} ({value:g}) of {lever} under the component that acted"
            yield Column(f"prob_{lever}_{level}", "number", label, unit="probability", minimum=0, maximum=1)


PARTICIPANTS = Table(
    "participants",
    "People who consented to take part",
    "participant_id",
    (
        _participant(),
        Column("split", "string", "What the participant's data are for, fixed at consent", categories=SPLITS),
        Column("income_range_id", "integer", "Income range", categories=INCOME_RANGES),
        Column("user_profile", "string", "What describes the participant best", categories=PROFILES),
        Column(
            "budget_cycle_start_day", "integer", "Day of the month on which the budget begins", minimum=1, maximum=28
        ),
        Column("start_month", "string", "Month of consent", pattern=r"\d{4}-\d{2}"),
        Column("time_zone", "string", "IANA time zone"),
    ),
)

DECISIONS = Table(
    "decisions",
    "Decision points: one a participant and study week",
    "decision_id",
    (
        Column("decision_id", "string", "Identifier of the decision"),
        _participant(),
        Column("study_week", "integer", "Weeks since the study began", unit="week", minimum=0),
        Column(
            "decided_at", "string", "When the decision was made, UTC", pattern=r"\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}Z"
        ),
        Column("local_date", "string", "The participant's local date", pattern=r"\d{4}-\d{2}-\d{2}"),
        Column("time_zone", "string", "IANA time zone of the local date"),
        Column("phase", "string", "Phase of the study", categories=PHASES),
        Column("component", "string", "Which part of the mixture acted", categories=COMPONENTS),
        Column("policy_id", "string", "Who acted"),
        Column("source", "string", "What kind of decision it was", categories={"study": "drawn by the study"}),
        Column("epsilon", "number", "Share of uniform noise in each lever", minimum=0, maximum=1),
        *(_share(name, FEATURE_LABELS[name]) for name in FEATURES),
        *_per_lever(),
        Column(
            "propensity", "number", "Probability of the three levels together, under the mixture", minimum=0, maximum=1
        ),
        Column("seed", "string", "Pre-draw seed, 32 hex digits", pattern="[0-9a-f]{32}"),
        Column("context_schema", "string", "Version of the context's columns"),
        Column("action_schema", "string", "Version of levers and levels"),
    ),
    foreign_keys=(("participant_id", "participants"),),
)

OUTCOMES = Table(
    "outcomes",
    "What came of each decision in the seven days after it",
    "decision_id",
    (
        Column("decision_id", "string", "Identifier of the decision"),
        _participant(),
        Column("status", "string", "Whether the outcome was observed", categories=STATUSES),
        Column("reward_spec", "string", "Definition of the reward, by name and version"),
        Column("spent_share", "number", "Share of the cycle's budget spent in the window", missing=NOT_OBSERVED),
        Column("saved_share", "number", "Share of the cycle's saving goal saved in the window", missing=NOT_OBSERVED),
        _share("elapsed_share", "Share of the cycle that went by in the window", missing=NOT_OBSERVED),
        Column(
            "budget_used_up", "number", "1 where the budget was used up", minimum=0, maximum=1, missing=NOT_OBSERVED
        ),
        Column("goal_reached", "number", "1 where the goal was reached", minimum=0, maximum=1, missing=NOT_OBSERVED),
        Column("logging_days", "number", "Days with an entry", unit="days", minimum=0, maximum=7, missing=NOT_OBSERVED),
        _share("budget_pace", "Budget component of the reward", missing=NOT_OBSERVED),
        _share("savings_pace", "Savings component of the reward", missing=NOT_OBSERVED),
        _share("logging", "Logging component of the reward", missing=NOT_OBSERVED),
        _share("reward", "Reward", missing=NOT_OBSERVED),
    ),
    foreign_keys=(("decision_id", "decisions"), ("participant_id", "participants")),
)

TABLES = {table.name: table for table in (PARTICIPANTS, DECISIONS, OUTCOMES)}
