"""What a challenger would have done beside the coach that was heard. It compares decisions, never values: a decision
that nobody heard has no outcome."""

from dataclasses import dataclass

import numpy as np

from coach_model.budget.actions import LEVELS, LEVERS
from data.package import InvalidPackage, Package


@dataclass(frozen=True)
class Shadow:
    """How often a challenger would have decided otherwise."""

    policy_id: str
    decisions: int
    differs: float
    """Share of decisions in which any lever differs from what was heard."""
    differs_from_rules: float
    by_lever: dict[str, float]
    crossed: dict[str, list[list[int]]]
    """By lever, how often level i was heard (rows) where the challenger would have taken level j (columns)."""


def shadow(package: Package) -> list[Shadow]:
    """By challenger, in the order of their ids. Raises InvalidPackage where nobody decided in the shadow."""
    if "decisions" not in package.tables:
        raise InvalidPackage(f"{package.path}: there are no decisions")
    wanted = [f"{who}_{lever}" for who in ("level", "shadow", "rules") for lever in LEVERS]
    decisions = package.columns("decisions", "shadow_policy_id", *wanted)
    names = np.array(["" if name is None else name for name in decisions["shadow_policy_id"]], dtype=str)
    found = []
    for policy_id in sorted(set(names) - {""}):
        rows = names == policy_id
        heard, unseen, rules = (
            np.stack([decisions[f"{who}_{lever}"][rows].astype(np.int64) for lever in LEVERS], axis=1)
            for who in ("level", "shadow", "rules")
        )
        crossed = {}
        for number, lever in enumerate(LEVERS):
            pairs = heard[:, number] * len(LEVELS) + unseen[:, number]
            crossed[lever] = np.bincount(pairs, minlength=len(LEVELS) ** 2).reshape(len(LEVELS), -1).tolist()
        found.append(
            Shadow(
                policy_id=policy_id,
                decisions=int(rows.sum()),
                differs=float((heard != unseen).any(axis=1).mean()),
                differs_from_rules=float((rules != unseen).any(axis=1).mean()),
                by_lever={lever: float((heard != unseen)[:, number].mean()) for number, lever in enumerate(LEVERS)},
                crossed=crossed,
            )
        )
    if not found:
        raise InvalidPackage(f"{package.path}: nobody decided in the shadow")
    return found
