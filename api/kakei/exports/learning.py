"""Turns stored decisions and their outcomes into exported columns. Pure."""

from dataclasses import asdict, fields
from datetime import datetime

import numpy as np
import polars as pl
from polars import Expr, col, lit, when

from coach_model.budget.actions import LEVELS, LEVERS, eligible_levels
from coach_model.budget.context import FEATURES
from coach_model.budget.rules import rules_levels
from data.rewards.outcomes import CUT_OFF
from data.rewards.reward import REWARD, Outcome, reward_of

type Values = dict[str, Expr | pl.Series]
INTEGERS = pl.List(pl.Int64)


def decisions(rows: pl.DataFrame) -> Values:
    """The columns of decisions, with everything that a replay needs."""
    contexts = rows["context"].str.json_decode(pl.List(pl.Float64))
    features = np.array(contexts.to_list(), dtype=np.float32).reshape(-1, len(FEATURES))
    levels = {"level": "levels", "rules": "rules_levels", "candidate": "candidate_levels", "shadow": "shadow_levels"}
    by_lever = {prefix: rows[name].str.json_decode(INTEGERS) for prefix, name in levels.items()}
    by_rules = pl.Series(rules_levels(features).tolist(), dtype=INTEGERS)
    by_lever["rules"] = _first(by_lever["rules"], by_rules)  # some decisions are older than the column
    digits = [["".join("01"[level] for level in lever) for lever in one] for one in eligible_levels(features).tolist()]
    eligible = _first(rows["eligible"].str.json_decode(pl.List(pl.String)), pl.Series(digits, dtype=pl.List(pl.String)))
    shares = rows["distributions"].str.json_decode(pl.List(pl.List(pl.Float64)))
    values: Values = {name: contexts.list.get(number) for number, name in enumerate(FEATURES)}
    for number, lever in enumerate(LEVERS):
        values[f"eligible_{lever}"] = eligible.list.get(number)
        values |= {f"{prefix}_{lever}": found.list.get(number) for prefix, found in by_lever.items()}
        of_lever = shares.list.get(number)
        values |= {f"prob_{lever}_{level}": of_lever.list.get(level) for level in range(len(LEVELS))}
    for name in ("candidate_id", "fallback_reason", "shadow_policy_id"):
        values[name] = when(col(name) != "").then(col(name))
    return values


def outcomes(rows: pl.DataFrame, now: datetime) -> Values:
    """The columns of outcomes. Before the cut-off all of them are withheld, because people who answer early are not
    representative."""
    ripe = rows["decided_at"] + CUT_OFF <= now
    paced = ripe & rows["context_at"].is_not_null() & rows["elapsed_share"].is_not_null()
    summed = ripe & rows["summary_at"].is_not_null()
    seen = {field.name: paced for field in fields(Outcome)} | {"next_needs_share": paced, "logging_days": summed}
    told = {name: rows.select(when(shown).then(col(name).cast(pl.Float64)))[name] for name, shown in seen.items()}
    measured = {field.name: told[field.name].fill_null(np.nan).to_numpy() for field in fields(Outcome)}
    reward = {name: pl.Series(value).fill_nan(None) for name, value in asdict(reward_of(Outcome(**measured))).items()}
    status = (
        when(~ripe)
        .then(lit("pending"))
        .when(col("context_at").is_null())
        .then(lit("no_next_context"))
        .when(col("summary_at").is_null())
        .then(lit("no_summary"))
        .when(col("elapsed_share").is_null())
        .then(lit("cycle_began"))
        .otherwise(lit("observed"))
    )
    return {"status": status, "reward_spec": lit(REWARD.name), **told, **reward}


def _first(stored: pl.Series, computed: pl.Series) -> pl.Series:
    """What is stored, or what is computed now."""
    return pl.select(pl.coalesce(stored, computed)).to_series()
