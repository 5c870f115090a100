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
    chosen: list[int] = []
    served: set[int] = set()
    for place in order:  # everyone's best first
        if candidates[place].participant not in served and len(chosen) < count:
            served.add(candidates[place].participant)
            chosen.append(place)
    obligatory = frozenset(chosen)
    for strict in (True, False):  # what areas and people allow, then what is needed to fill the day
        for place in order:
            if len(chosen) < count and place not in chosen and (not strict or fits(candidates, chosen, place, count)):
                chosen.append(place)
    ranks = {place: rank for rank, place in enumerate(order)}
    certain = tuple(float(place in chosen) for place in range(len(candidates)))
    return Slate(tuple(sorted(chosen, key=ranks.__getitem__)), obligatory, certain)


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


def fits(
    candidates: Sequence[Candidate], chosen: Sequence[int], place: int, count: int, leaving: Candidate | None = None
) -> bool:
    """Whether one more candidate leaves its area, its participant and the adults within their shares of a day of
    `count`, or no further above them than the one whose slot it takes."""
    new, there = candidates[place], [candidates[other] for other in chosen]
    areas = sum(one.area == new.area for one in there) < math.ceil(count * AREA_SHARE)
    people = sum(one.participant == new.participant for one in there) < math.ceil(count * PARTICIPANT_SHARE)
    adults = not new.is_adult or sum(one.is_adult for one in there) < math.ceil(count * ADULT_SHARE)
    if leaving is not None:
        areas = areas or new.area == leaving.area
        people = people or new.participant == leaving.participant
        adults = adults or leaving.is_adult
    return areas and people and adults


def _fitting(slate: Slate, candidates: Sequence[Candidate], slot: int, count: int) -> list[int]:
    """The candidates that may take a slot."""
    rest = [place for place in slate.chosen if place != slot]
    return [
        place
        for place in range(len(candidates))
        if place not in slate.chosen and fits(candidates, rest, place, count, candidates[slot])
    ]
