"""Tables of the coach's decisions and their outcomes."""

from collections.abc import Iterable

from coach_model.budget.actions import LEVELS, LEVERS
from coach_model.budget.context import FEATURES
from coach_model.policy import FallbackReason
from data.schema.columns import Column, Table, local, participant, share
from data.schema.missing import Missing

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

NO_STUDY = "outside"
"""Phase of a decision outside a study."""
PHASES = {
    "explore": "each lever mixed with uniform noise",
    "confirm": "a fair coin between rules and a frozen candidate",
    NO_STUDY: "no study week: the coach is deterministic",
}
COMPONENTS = {
    "rules": "the rules acted",
    "candidate": "the frozen candidate acted",
    "coach": "the coach acted as it is served",
}
SOURCES = {
    "study": "drawn by a study",
    "policy": "the learned policy answered",
    "rules": "the rules answered",
}
REASONS = {str(reason): str(reason).replace("_", " ") for reason in FallbackReason}
STATUSES = {
    "observed": "every part of the outcome was observed",
    "no_next_context": "the app did not ask the coach again within 5 to 10 days",
    "no_summary": "no weekly summary of a week that ends in the window was uploaded in time",
    "cycle_began": "a budget cycle began less than two days before the next context",
    "left_study": "the participant left the study within the window",
    "pending": "too young when the data were exported: neither observed nor missing yet",
}
NOT_OBSERVED = (Missing.NOT_OBSERVED,)
OUTSIDE = (Missing.NOT_APPLICABLE,)


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


def _would_take(prefix: str, label: str, missing: tuple[Missing, ...] = ()) -> Iterable[Column]:
    for lever in LEVERS:
        yield Column(
            f"{prefix}_{lever}",
            "integer",
            f"Level of {lever} that {label}",
            minimum=0,
            maximum=len(LEVELS) - 1,
            missing=missing,
        )


DECISIONS = Table(
    "decisions",
    "Decision points: one a participant and study week",
    ("decision_id",),
    (
        Column("decision_id", "string", "Identifier of the decision"),
        participant(),
        Column("study_week", "integer", "Weeks since the study began", unit="week", minimum=0, missing=OUTSIDE),
        Column("decided_at", "datetime", "When the decision was made, UTC"),
        *local("decided_at"),
        Column("phase", "string", "Phase of the study", categories=PHASES),
        Column("component", "string", "Which part of the mixture acted", categories=COMPONENTS),
        Column("policy_id", "string", "Who acted"),
        Column("candidate_id", "string", "The frozen candidate that a confirm phase tries", missing=OUTSIDE),
        Column("source", "string", "What kind of decision it was", categories=SOURCES),
        Column(
            "fallback_reason",
            "string",
            "Why the rules answered and not the policy",
            categories=REASONS,
            missing=OUTSIDE,
        ),
        Column("epsilon", "number", "Share of uniform noise in each lever", minimum=0, maximum=1),
        *(share(name, FEATURE_LABELS[name]) for name in FEATURES),
        Column("prev_disagrees", "boolean", "Whether the client's levels in force are not what was decided before"),
        *_per_lever(),
        *_would_take("rules", "the rules would take"),
        *_would_take("candidate", "the frozen candidate would take", OUTSIDE),
        Column(
            "propensity", "number", "Probability of the three levels together, under the mixture", minimum=0, maximum=1
        ),
        Column("seed", "string", "Pre-draw seed, 32 hex digits", pattern="[0-9a-f]{32}"),
        Column("shadow_policy_id", "string", "The challenger that decided beside, unseen", missing=OUTSIDE),
        *_would_take("shadow", "the challenger would have taken", OUTSIDE),
        Column("context_schema", "string", "Version of the context's columns"),
        Column("action_schema", "string", "Version of levers and levels"),
    ),
    foreign_keys=(("participant_id", "participants"),),
)

OUTCOMES = Table(
    "outcomes",
    "What came of each decision in the seven days after it",
    ("decision_id",),
    (
        Column("decision_id", "string", "Identifier of the decision"),
        participant(),
        Column("status", "string", "Whether the outcome was observed", categories=STATUSES),
        Column("reward_spec", "string", "Definition of the reward, by name and version"),
        Column("spent_share", "number", "Share of the cycle's budget spent in the window", missing=NOT_OBSERVED),
        Column("saved_share", "number", "Share of the cycle's saving goal saved in the window", missing=NOT_OBSERVED),
        share("elapsed_share", "Share of the cycle that went by in the window", missing=NOT_OBSERVED),
        Column(
            "budget_used_up", "number", "1 where the budget was used up", minimum=0, maximum=1, missing=NOT_OBSERVED
        ),
        Column("goal_reached", "number", "1 where the goal was reached", minimum=0, maximum=1, missing=NOT_OBSERVED),
        Column("logging_days", "number", "Days with an entry", unit="days", minimum=0, maximum=7, missing=NOT_OBSERVED),
        share("next_needs_share", "Needs in the next context: a guardrail, not a reward", missing=NOT_OBSERVED),
        share("budget_pace", "Budget component of the reward", missing=NOT_OBSERVED),
        share("savings_pace", "Savings component of the reward", missing=NOT_OBSERVED),
        share("logging", "Logging component of the reward", missing=NOT_OBSERVED),
        share("reward", "Reward", missing=NOT_OBSERVED),
    ),
    foreign_keys=(("decision_id", "decisions"), ("participant_id", "participants")),
)
