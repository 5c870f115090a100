"""The coach's note about a day. Pure."""

from collections import Counter
from collections.abc import Sequence

from data.catalog.guides import Area

NOTHING_DUE = "Nothing from your guides is due today. Enjoy the day together, or add something of your own."
NO_PLANS = "Choose a guide for a family member. Then you find a few activities here every day."
AREA_NAMES = {
    Area.MOTOR: "moving",
    Area.SENSORY: "sensing",
    Area.COGNITIVE: "thinking",
    Area.SELF_REGULATION: "calming down",
    Area.LANGUAGE: "talking",
    Area.LITERACY: "books and letters",
    Area.MATH: "numbers and shapes",
    Area.SOCIAL: "being with others",
    Area.REST: "rest",
    Area.RELATIONSHIP: "closeness",
}
NAMED_AREAS = 2


def daily_note(names: Sequence[str], areas: Sequence[str], first_title: str) -> str:
    """A sentence or two about the choice: for whom, in which areas, and where to begin. `names` and `areas` have one
    entry per activity.
    """
    people = _and(list(dict.fromkeys(names)))
    common = [AREA_NAMES[Area(area)] for area, _ in Counter(areas).most_common(NAMED_AREAS)]
    return f"Today is for {people}: {_and(common)} above all. A good beginning: {first_title}."


def _and(words: Sequence[str]) -> str:
    """Joins texts: A, B and C."""
    return " and ".join([", ".join(words[:-1]), words[-1]]) if len(words) > 1 else "".join(words)
