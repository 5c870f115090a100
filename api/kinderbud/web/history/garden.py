"""The picture of the weeks: a column for each week, a plant for each day. More completions make a larger plant.
Pure.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, timedelta

from api.kinderbud.history.rules import WEEKDAYS
from api.kinderbud.streaks.rules import DAY

WEEKS = 12
STEP = 30
"""Units of the drawing from one day to the next, and from one week to the next."""
LEFT, TOP = 38, 20
"""Space for the labels of weekdays and months."""
SPROUT, LEAVES, BLOSSOM = 1, 3, 6
"""The fewest completions for each kind of plant; a day has eight activities by default."""


@dataclass(frozen=True)
class Plant:
    """A day of the picture: its position and its plant."""

    day: date
    count: int
    x: int
    y: int
    kind: str
    is_today: bool


@dataclass(frozen=True)
class Garden:
    """The whole picture: its size, its days, and its text for screen readers."""

    width: int
    height: int
    plants: list[Plant]
    weekdays: list[tuple[str, int]]
    months: list[tuple[str, int]]
    weeks: list[tuple[date, int]]

    @property
    def total(self) -> int:
        """Completions in all weeks."""
        return sum(count for _, count in self.weeks)


def garden(counts: Mapping[date, int], monday: date, today: date) -> Garden:
    """The picture from a Monday up to today. `counts` are completions by day."""
    plants, months, weeks = [], [], []
    for week in range(WEEKS):
        first = monday + timedelta(weeks=week)
        x = LEFT + week * STEP + STEP // 2
        if week == 0 or first.month != (first - 7 * DAY).month:
            months.append((f"{first:%b}", x))
        days = [first + place * DAY for place in range(7)]
        weeks.append((first, sum(counts.get(day, 0) for day in days)))
        for place, day in enumerate(days):
            if day <= today:
                count = counts.get(day, 0)
                plants.append(Plant(day, count, x, TOP + place * STEP + STEP // 2, _kind(count), day == today))
    weekdays = [(name, TOP + place * STEP + STEP // 2 + 4) for place, name in enumerate(WEEKDAYS)]
    return Garden(LEFT + WEEKS * STEP, TOP + 7 * STEP, plants, weekdays, months, weeks)


def _kind(count: int) -> str:
    if count >= BLOSSOM:
        return "blossom"
    if count >= LEAVES:
        return "leaves"
    return "sprout" if count >= SPROUT else "soil"
