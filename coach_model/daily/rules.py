"""The rules of the daily coach: overdue first, then what was not seen for longest. Deterministic."""

from collections.abc import Sequence

from coach_model.daily.candidates import LONGEST_OVERDUE, Candidate, unseen

RULES_VERSION = "daily-rules/1"


def rules_order(candidates: Sequence[Candidate]) -> list[int]:
    """The places of the candidates, the first to be shown first. What nobody does is not overdue for ever: after four
    periods it takes turns with the rest."""

    def urgency(place: int) -> tuple[float, int, int]:
        one = candidates[place]
        return -min(one.overdue, LONGEST_OVERDUE), -unseen(one), one.todo_id

    return sorted(range(len(candidates)), key=urgency)
