"""How scores become a day: the constraints that rules and policy share, and the noise of those who learn with us.

A day serves every participant, mixes areas and people, and holds at most so many activities.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass

from coach_model.daily.candidates import Candidate
from coach_model.exploration import uniform

AREA_SHARE = 1 / 3
"""One area takes at most a third of a day, rounded up, while there are others."""
PARTICIPANT_SHARE = 3 / 4
"""One participant gets at most three quarters of a day, rounded up, while there are others."""
ADULT_SHARE = 1 / 4
"""Adults together get at most a quarter of a day, rounded up, while there is something for children."""
EPSILON = 0.2
"""Probability with which a household that takes part in learning sees one slot filled by chance."""


@dataclass(frozen=True)
class Slate:
    """A day: candidates by their place in the list, best first."""

    chosen: tuple[int, ...]
    obligatory: frozenset[int]
    """Those that are there so that each participant is served."""
    inclusion: tuple[float, ...]
    """For each candidate the probability with which it was to be on the slate."""


def best_slate(candidates: Sequence[Candidate], order: Sequence[int], count: int) -> Slate:
    """The slate that takes candidates in `order`, a permutation of their places, as far as the constraints let it."""
    shares = Shares.of(candidates, count)
    chosen: list[int] = []
    waiting = list(dict.fromkeys(candidates[place].participant for place in order))
    for participant in waiting[:count]:  # everyone's best first, in another area than the others' where there is one
        own = [place for place in order if candidates[place].participant == participant]
        mixing = (place for place in own if shares.area_fits(candidates, chosen, place))
        chosen.append(next(mixing, own[0]))
    obligatory = frozenset(chosen)
    fits = (shares.all_fit, shares.area_fits, shares.person_fits, lambda *_: True)
    for may in fits:  # what areas and people allow, then what is needed to fill the day
        for place in order:
            if len(chosen) < count and place not in chosen and may(candidates, chosen, place):
                chosen.append(place)
    ranks = {place: rank for rank, place in enumerate(order)}
    certain = tuple(float(place in chosen) for place in range(len(candidates)))
    return Slate(tuple(sorted(chosen, key=ranks.__getitem__)), obligatory, certain)


@dataclass(frozen=True)
class Shares:
    """How many of a day's activities may be of one area, of one participant, of adults."""

    area: int
    participant: int
    adults: int

    @classmethod
    def of(cls, candidates: Sequence[Candidate], count: int) -> "Shares":
        """The shares of a day of `count`; who is alone may have all of it."""
        alone = len({one.participant for one in candidates}) < 2  # noqa: PLR2004
        adults_only = all(one.is_adult for one in candidates)
        return cls(
            math.ceil(count * AREA_SHARE),
            count if alone else math.ceil(count * PARTICIPANT_SHARE),
            count if adults_only else math.ceil(count * ADULT_SHARE),
        )

    def area_fits(self, candidates: Sequence[Candidate], chosen: Sequence[int], place: int) -> bool:
        """Whether one more candidate leaves its area within its share."""
        return sum(candidates[other].area == candidates[place].area for other in chosen) < self.area

    def person_fits(self, candidates: Sequence[Candidate], chosen: Sequence[int], place: int) -> bool:
        """Whether one more candidate leaves its participant within their share, and the adults within theirs."""
        new, there = candidates[place], [candidates[other] for other in chosen]
        adults = not new.is_adult or sum(one.is_adult for one in there) < self.adults
        return adults and sum(one.participant == new.participant for one in there) < self.participant

    def all_fit(self, candidates: Sequence[Candidate], chosen: Sequence[int], place: int) -> bool:
        """Whether one more candidate leaves all of them within their shares."""
        return self.area_fits(candidates, chosen, place) and self.person_fits(candidates, chosen, place)


def with_noise(slate: Slate, candidates: Sequence[Candidate], count: int, seed: str, epsilon: float = EPSILON) -> Slate:
    """With probability ε, one slot that is not obligatory is filled by a candidate drawn uniformly among those that fit
    there; a slot for which there is none stays. The draw repeats from the seed."""
    free = [place for place in slate.chosen if place not in slate.obligatory]
    fitting = {slot: _fitting(slate, candidates, slot, count) for slot in free}
    inclusion = list(slate.inclusion)
    for slot, others in fitting.items():
        for other in others:
            inclusion[slot] -= epsilon / len(free) / len(others)
            inclusion[other] += epsilon / len(free) / len(others)
    chosen = list(slate.chosen)
    if free and uniform(seed, "explore") < epsilon:
        slot = free[int(uniform(seed, "slot") * len(free))]
        others = fitting[slot]
        if others:
            chosen[chosen.index(slot)] = others[int(uniform(seed, "candidate") * len(others))]
    return Slate(tuple(chosen), slate.obligatory, tuple(inclusion))


def _fitting(slate: Slate, candidates: Sequence[Candidate], slot: int, count: int) -> list[int]:
    """The candidates that may take a slot: they leave all shares kept, or no further exceeded than the one that leaves
    did."""
    shares, leaving = Shares.of(candidates, count), candidates[slot]
    rest = [place for place in slate.chosen if place != slot]

    def fits(place: int) -> bool:
        new = candidates[place]
        area = new.area == leaving.area or shares.area_fits(candidates, rest, place)
        person = new.participant == leaving.participant or shares.person_fits(candidates, rest, place)
        return area and person

    return [place for place in range(len(candidates)) if place not in slate.chosen and fits(place)]


def broken_constraint(candidates: Sequence[Candidate], chosen: Sequence[int], count: int) -> str | None:
    """Which constraint somebody else's choice breaks; None where it is a day that policy or rules could have shown.

    A share may be exceeded only where no candidate that was left out would have kept it.
    """
    if len(set(chosen)) != len(chosen):
        return "one is there twice"
    if len(chosen) != min(count, len(candidates)):
        return f"{len(chosen)} instead of {min(count, len(candidates))}"
    people = {one.participant for one in candidates}
    if len({candidates[place].participant for place in chosen}) < min(count, len(people)):
        return "somebody gets nothing"
    shares, left_out = Shares.of(candidates, count), [p for p in range(len(candidates)) if p not in set(chosen)]
    for place in chosen:
        rest = [other for other in chosen if other != place]
        if not shares.all_fit(candidates, rest, place) and any(
            shares.all_fit(candidates, rest, other) for other in left_out
        ):
            return "one area or person has too much of the day"
    return None
