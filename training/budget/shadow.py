"""Compares a challenger's decisions with the served ones. It compares decisions only, not values: a decision that was
not served has no outcome."""

from dataclasses import dataclass

import numpy as np

from coach_model.budget.actions import LEVELS, LEVERS
from data.packages.reader import InvalidPackage, Package


@dataclass(frozen=True)
class Shadow:
    """How often a challenger would have decided differently."""

    policy_id: str
    decisions: int
    differs: float
    """Share of decisions in which any lever differs from the served level."""
    differs_from_rules: float
    by_lever: dict[str, float]
    crossed: dict[str, list[list[int]]]
    """For each lever, counts of served level i (rows) and the challenger's level j (columns)."""


def shadow(package: Package) -> list[Shadow]:
    """The comparison for each challenger, sorted by id. Raises InvalidPackage when there is no challenger."""
    if "decisions" not in package.tables:
        raise InvalidPackage(f"{package.path}: there are no decisions")
    wanted = [f"{who}_{lever}" for who in ("level", "shadow", "rules") for lever in LEVERS]
    decisions = package.columns("decisions", "shadow_policy_id", *wanted)
    names = np.array(["" if name is None else name for name in decisions["shadow_policy_id"]], dtype=str)
    found = []
    for policy_id in sorted(set(names) - {""}):
        rows = names == policy_id
        served, challenger, rules = (
            np.stack([decisions[f"{who}_{lever}"][rows].astype(np.int64) for lever in LEVERS], axis=1)
            for who in ("level", "shadow", "rules")
        )
        crossed = {}
        for number, lever in enumerate(LEVERS):
            pairs = served[:, number] * len(LEVELS) + challenger[:, number]
            crossed[lever] = np.bincount(pairs, minlength=len(LEVELS) ** 2).reshape(len(LEVELS), -1).tolist()
        found.append(
            Shadow(
                policy_id=policy_id,
                decisions=int(rows.sum()),
                differs=float((served != challenger).any(axis=1).mean()),
                differs_from_rules=float((rules != challenger).any(axis=1).mean()),
                by_lever={
                    lever: float((served != challenger)[:, number].mean()) for number, lever in enumerate(LEVERS)
                },
                crossed=crossed,
            )
        )
    if not found:
        raise InvalidPackage(f"{package.path}: there are no decisions of a challenger in shadow mode")
    return found
