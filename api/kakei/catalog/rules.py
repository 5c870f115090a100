"""Computes the level from points. Pure."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Level:
    """A level, the next one, and the points missing to it; both None at the top level."""

    level: int
    title: str
    next_title: str | None
    points_to_next: int | None


def level_of(total_points: int, levels: Iterable[Mapping[str, Any]]) -> Level:
    """The highest level that the points have reached."""
    ordered = sorted(levels, key=lambda level: level["from_points"])
    reached = [level for level in ordered if level["from_points"] <= total_points]
    here = reached[-1]
    above = ordered[len(reached)] if len(reached) < len(ordered) else None
    if above is None:
        return Level(here["level"], here["title"], None, None)
    return Level(here["level"], here["title"], above["title"], above["from_points"] - total_points)
