"""Converts the synthetic study to the columns of the research dataset (`data.schema`)."""

from datetime import UTC, datetime, time

import numpy as np

from coach_model.budget.actions import LEVERS, Eligible
from coach_model.budget.actions import SCHEMA_VERSION as ACTION_SCHEMA
from coach_model.budget.context import FEATURES, Contexts
from coach_model.budget.context import SCHEMA_VERSION as CONTEXT_SCHEMA
from coach_model.exploration import decision_seed
from data.rewards.reward import REWARD
from data.synthetic.people import USER_PROFILES, Array, People
from data.synthetic.world import Week

STUDY = "synthetic"
NOON = time(12, tzinfo=UTC)

type Columns = dict[str, Array]


def participant_columns(people: People, ids: Array, learns: Array, start: str) -> Columns:
    """The table of participants, one row for each participant."""
    return {
        "participant_id": ids,
        "study_version": np.full(len(people), STUDY),
        "split": np.where(learns, "learn", "judge"),
        "income_range_id": people.income_range + 1,
        "user_profile": np.array(USER_PROFILES)[people.user_profile],
        "budget_cycle_start_day": people.cycle_start_day,
        "start_month": np.full(len(people), start[:7]),
        "time_zone": np.full(len(people), "UTC"),
        "data_mode": np.full(len(people), "private"),
    }


def decision_columns(
    ids: list[str], participants: Array, dates: Array, contexts: Contexts, eligible: Eligible
) -> Columns:
    """The columns of decisions that are known before they are drawn."""
    count = len(ids)
    columns: Columns = {
        "decision_id": np.array(ids),
        "participant_id": participants,
        "decided_at": np.array([datetime.combine(date, NOON) for date in dates.tolist()], dtype=object),
        "local_date": np.array(dates.tolist(), dtype=object),
        "time_zone": np.full(count, "UTC"),
        "source": np.full(count, "study"),
        "fallback_reason": np.full(count, None),
        "seed": np.array([decision_seed(decision_id) for decision_id in ids]),
        "context_schema": np.full(count, CONTEXT_SCHEMA),
        "action_schema": np.full(count, ACTION_SCHEMA),
        "prev_disagrees": np.full(count, False),
        "shadow_policy_id": np.full(count, None),
        **{f"shadow_{lever}": np.full(count, None) for lever in LEVERS},
    }
    columns |= {name: contexts[:, column].astype(np.float64).round(4) for column, name in enumerate(FEATURES)}
    for lever, name in enumerate(LEVERS):
        columns[f"eligible_{name}"] = np.array(
            ["".join("01"[int(level)] for level in row) for row in eligible[:, lever]]
        )
    return columns


def outcome_columns(
    ids: list[str],
    participants: Array,
    week: Week,
    next_needs_share: Array,
    stays: Array,
    opens: Array,
    uploads: Array,
) -> Columns:
    """The table of outcomes. A value that was not observed is NaN, and `status` holds the reason."""
    unknown = np.isnan(week.outcome.elapsed_share)
    status = np.select(
        [~stays, ~opens, ~uploads, unknown],
        ["left_study", "no_next_context", "no_summary", "cycle_began"],
        "observed",
    )
    seen = {
        "context": stays & opens & ~unknown,
        "summary": stays & uploads,
        "both": status == "observed",
    }
    outcome, reward = week.outcome, week.reward
    values = {
        "spent_share": (outcome.spent_share, "context"),
        "saved_share": (outcome.saved_share, "context"),
        "elapsed_share": (outcome.elapsed_share, "context"),
        "budget_used_up": (outcome.budget_used_up, "context"),
        "goal_reached": (outcome.goal_reached, "context"),
        "logging_days": (outcome.logging_days, "summary"),
        "next_needs_share": (next_needs_share, "context"),
        "budget_pace": (reward.budget_pace, "both"),
        "savings_pace": (reward.savings_pace, "both"),
        "logging": (reward.logging, "both"),
        "reward": (reward.reward, "both"),
    }
    columns: Columns = {
        "decision_id": np.array(ids),
        "participant_id": participants,
        "status": status,
        "reward_spec": np.full(len(ids), REWARD.name),
    }
    return columns | {name: np.where(seen[by], value, np.nan).round(6) for name, (value, by) in values.items()}


def concatenated(parts: list[Columns]) -> Columns:
    """The columns of several weeks, concatenated."""
    return {name: np.concatenate([part[name] for part in parts]) for name in parts[0]}
