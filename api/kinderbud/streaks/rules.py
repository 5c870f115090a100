"""Runs of days with a completion: pure arithmetic over days."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, timedelta

DAY = timedelta(days=1)


@dataclass(frozen=True, order=True)
class Run:
    """Consecutive days with a completion, both ends included."""

    first_on: date
    last_on: date


def with_day(runs: Iterable[Run], day: date) -> set[Run]:
    """The runs after `day` got its first completion. `runs` are those that contain or touch it."""
    touching = set(runs)
    first, last = day, day
    for run in touching:
        if run.first_on <= day <= run.last_on:
            return touching
        first, last = min(first, run.first_on), max(last, run.last_on)
    return {Run(first, last)}


def without_day(runs: Iterable[Run], day: date) -> set[Run]:
    """The runs after `day` lost its last completion."""
    left: set[Run] = set()
    for run in runs:
        if not run.first_on <= day <= run.last_on:
            left.add(run)
            continue
        if run.first_on < day:
            left.add(Run(run.first_on, day - DAY))
        if day < run.last_on:
            left.add(Run(day + DAY, run.last_on))
    return left


def streak(latest: Run | None, today: date) -> int:
    """Consecutive days with a completion up to today, or up to yesterday while today has none. `latest` is the run that
    contains one of these days, if there is one.
    """
    if latest is None or not latest.first_on <= today or latest.last_on < today - DAY:
        return 0
    return (min(latest.last_on, today) - latest.first_on).days + 1
