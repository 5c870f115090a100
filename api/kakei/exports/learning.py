"""Turns a stored decision and its outcome into exported values. Pure."""

import math
from dataclasses import asdict, fields
from datetime import datetime
from typing import Any

import numpy as np

from coach_model.budget.actions import LEVERS, eligible_levels
from coach_model.budget.context import FEATURES
from coach_model.budget.rules import rules_levels
from data.rewards.outcomes import CUT_OFF, Pace, reward_of_one
from data.rewards.reward import REWARD
from data.schema.missing import Missing

PACE = tuple(column.name for column in fields(Pace))
type Values = dict[str, Any]


def decision(row: Any) -> Values:
    """The values of a decision, with everything that a replay needs."""
    contexts = np.array([row.context], dtype=np.float32)
    digits = row.eligible or ["".join("01"[int(level)] for level in one) for one in eligible_levels(contexts)[0]]
    values: Values = {
        "study_week": Missing.NOT_APPLICABLE if row.study_week is None else row.study_week,
        "decided_at": row.decided_at,
        "phase": row.phase,
        "component": row.component,
        "policy_id": row.policy_id,
        "candidate_id": row.candidate_id or Missing.NOT_APPLICABLE,
        "source": row.source,
        "fallback_reason": row.fallback_reason or Missing.NOT_APPLICABLE,
        "epsilon": row.epsilon,
        **dict(zip(FEATURES, row.context, strict=True)),
        "prev_disagrees": row.prev_disagrees,
        "propensity": row.propensity,
        "seed": row.seed,
        "shadow_policy_id": row.shadow_policy_id or Missing.NOT_APPLICABLE,
        "context_schema": row.context_schema,
        "action_schema": row.action_schema,
    }
    by_rules = row.rules_levels or rules_levels(contexts)[0].tolist()  # for decisions older than the column
    would = {"rules": by_rules, "candidate": row.candidate_levels, "shadow": row.shadow_levels}
    for number, lever in enumerate(LEVERS):
        values[f"eligible_{lever}"] = digits[number]
        values[f"level_{lever}"] = row.levels[number]
        values |= {f"prob_{lever}_{level}": p for level, p in enumerate(row.distributions[number])}
        for who, levels in would.items():
            values[f"{who}_{lever}"] = Missing.NOT_APPLICABLE if levels is None else levels[number]
    return values


def outcome(row: Any, now: datetime) -> Values:
    """The values of an outcome. Before the cut-off all of them are withheld, because people who answer early are not
    representative."""
    ripe = row.decided_at + CUT_OFF <= now
    paced = ripe and row.context_at is not None and row.elapsed_share is not None
    summed = ripe and row.summary_at is not None
    pace = Pace(*(getattr(row, name) for name in PACE)) if paced else None
    reward = reward_of_one(pace, row.logging_days if summed else None)
    told: Values = {name: getattr(row, name) if paced else None for name in (*PACE, "next_needs_share")}
    told |= {"logging_days": row.logging_days if summed else None}
    told |= {name: float(value[0]) for name, value in asdict(reward).items()}
    seen = {name: Missing.NOT_OBSERVED if _is_missing(value) else value for name, value in told.items()}
    return {"status": _status(row, ripe=ripe), "reward_spec": REWARD.name, **seen}


def _is_missing(value: float | None) -> bool:
    return value is None or math.isnan(value)


def _status(row: Any, *, ripe: bool) -> str:
    if not ripe:
        return "pending"
    if row.context_at is None:
        return "no_next_context"
    if row.summary_at is None:
        return "no_summary"
    return "cycle_began" if row.elapsed_share is None else "observed"
