"""Builds a day's slate from a ranking: the constraints that rules and policy share, and the exploration noise of
households that take part in learning.

A slate has something for every participant, mixes areas and people, and has a maximum number of activities.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass

from coach_model.daily.candidates import Candidate
from coach_model.exploration import uniform

AREA_SHARE = 1 / 3
"""One area takes at most this share of a day, rounded up, while other areas have candidates."""
PARTICIPANT_SHARE = 3 / 4
"""One participant gets at most this share of a day, rounded up, while other participants have candidates."""
ADULT_SHARE = 1 / 4
"""Adults together get at most this share of a day, rounded up, while children have candidates."""
EPSILON = 0.2
"""Probability with which one slot is filled at random, in households that take part in learning."""


@dataclass(frozen=True)
class Slate:
    """A day's activities: positions in the list of candidates, best first."""

    chosen: tuple[int, ...]
    obligatory: frozenset[int]
    """The positions that were chosen so that each participant gets something."""
    inclusion: tuple[float, ...]
    """For each candidate, the probability that it is on the slate."""


def best_slate(candidates: Sequence[Candidate], order: Sequence[int], count: int) -> Slate:
    """The slate that takes candidates in `order`, a permutation of their positions, as far as the constraints allow."""
    shares = Shares.of(candidates, count)
    chosen: list[int] = []
    waiting = list(dict.fromkeys(candidates[place].participant for place in order))
    for participant in waiting[:count]:  # first each participant's best, in an area that is not used yet if possible
        own = [place for place in order if candidates[place].participant == participant]
        mixing = (place for place in own if shares.area_fits(candidates, chosen, place))
        chosen.append(next(mixing, own[0]))
    obligatory = frozenset(chosen)
    constraints = (shares.all_fit, shares.area_fits, shares.person_fits, lambda *_: True)
    for fits in constraints:  # the strictest constraint first; the last one fills the day
        for place in order:
            if len(chosen) < count and place not in chosen and fits(candidates, chosen, place):
                chosen.append(place)
    ranks = {place: rank for rank, place in enumerate(order)}
    certain = tuple(float(place in chosen) for place in range(len(candidates)))
    return Slate(tuple(sorted(chosen, key=ranks.__getitem__)), obligatory, certain)


@dataclass(frozen=True)
class Shares:
    """The largest number of a day's activities of one area, for one participant, and for adults."""

    area: int
    participant: int
    adults: int

    @classmethod
    def of(cls, candidates: Sequence[Candidate], count: int) -> "Shares":
        """The limits for a day of `count` activities. A single participant may have all of them."""
        alone = len({one.participant for one in candidates}) < 2  # noqa: PLR2004
        adults_only = all(one.is_adult for one in candidates)
        return cls(
            math.ceil(count * AREA_SHARE),
            count if alone else math.ceil(count * PARTICIPANT_SHARE),
            count if adults_only else math.ceil(count * ADULT_SHARE),
        )

    def area_fits(self, candidates: Sequence[Candidate], chosen: Sequence[int], place: int) -> bool:
        """Whether the area of candidate `place` stays within its limit when the candidate is added to `chosen`."""
        return sum(candidates[other].area == candidates[place].area for other in chosen) < self.area

    def person_fits(self, candidates: Sequence[Candidate], chosen: Sequence[int], place: int) -> bool:
        """Whether the candidate's participant and the adults stay within their limits when it is added to `chosen`."""
        new, present = candidates[place], [candidates[other] for other in chosen]
        adults = not new.is_adult or sum(one.is_adult for one in present) < self.adults
        return adults and sum(one.participant == new.participant for one in present) < self.participant

    def all_fit(self, candidates: Sequence[Candidate], chosen: Sequence[int], place: int) -> bool:
        """Whether area, participant and adults all stay within their limits when the candidate is added to `chosen`."""
        return self.area_fits(candidates, chosen, place) and self.person_fits(candidates, chosen, place)


def with_noise(slate: Slate, candidates: Sequence[Candidate], count: int, seed: str, epsilon: float = EPSILON) -> Slate:
    """The slate after exploration: with probability ε, one slot that is not obligatory, drawn uniformly, gets a
    candidate drawn uniformly from those that fit there. A slot without such a candidate stays as it is.

    The same seed gives the same draw. `inclusion` of the result holds the exact probabilities.
    """
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
    """The candidates that may take the place of candidate `slot`: each limit still holds, or is exceeded no further
    than before."""
    shares, leaving = Shares.of(candidates, count), candidates[slot]
    rest = [place for place in slate.chosen if place != slot]

    def fits(place: int) -> bool:
        new = candidates[place]
        area = new.area == leaving.area or shares.area_fits(candidates, rest, place)
        person = new.participant == leaving.participant or shares.person_fits(candidates, rest, place)
        return area and person

    return [place for place in range(len(candidates)) if place not in slate.chosen and fits(place)]


def broken_constraint(candidates: Sequence[Candidate], chosen: Sequence[int], count: int) -> str | None:
    """The constraint that a choice from outside (such as Claude's) breaks; None when the policy or the rules could have
    shown this day too.

    A limit may be exceeded only when no candidate that was left out would have kept it.
    """
    if len(set(chosen)) != len(chosen):
        return "an activity is chosen twice"
    if len(chosen) != min(count, len(candidates)):
        return f"{len(chosen)} activities instead of {min(count, len(candidates))}"
    people = {one.participant for one in candidates}
    if len({candidates[place].participant for place in chosen}) < min(count, len(people)):
        return "a participant gets nothing"
    shares, left_out = Shares.of(candidates, count), [p for p in range(len(candidates)) if p not in set(chosen)]
    for place in chosen:
        rest = [other for other in chosen if other != place]
        if not shares.all_fit(candidates, rest, place) and any(
            shares.all_fit(candidates, rest, other) for other in left_out
        ):
            return "one area or person has too much of the day"
    return None
