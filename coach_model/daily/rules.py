"""The rules of the daily coach: the most overdue todo first, then the one not seen for longest. Deterministic."""

from collections.abc import Sequence

from coach_model.daily.candidates import LONGEST_OVERDUE, Candidate, unseen

RULES_VERSION = "daily-rules/1"


def rules_order(candidates: Sequence[Candidate]) -> list[int]:
    """The positions of the candidates, the most urgent first.

    Overdue periods are capped at `LONGEST_OVERDUE`, so that a todo that is never done takes turns with the others.
    """

    def urgency(place: int) -> tuple[float, int, int]:
        one = candidates[place]
        return -min(one.overdue, LONGEST_OVERDUE), -unseen(one), one.todo_id

    return sorted(range(len(candidates)), key=urgency)
