"""How candidates become a day: for whom, with which areas, and with which probability of each candidate."""

import math
from collections import Counter
from itertools import pairwise
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from coach_model.daily.candidates import Candidate, Showings
from coach_model.daily.rules import rules_order
from coach_model.daily.slate import Slate, best_slate, with_noise
from coach_model.exploration import decision_seed

AREAS = ["motor", "math", "literacy", "sensory", "social"]
DRAWS = 20_000


def candidate(
    todo_id: int, participant: int, area: str, overdue: float = 1.0, unseen_days: int | None = None
) -> Candidate:
    known = (todo_id, participant, area, "daily", 5, overdue, True, Showings(), unseen_days, 0, 0.5, False)
    return Candidate(*known)


def day_of(order: str) -> list[Candidate]:
    """Candidates from words such as `1motor 2math`: participant and area."""
    return [candidate(place, int(word[0]), word[1:]) for place, word in enumerate(order.split())]


@st.composite
def many(draw: st.DrawFn) -> list[Candidate]:
    """Some candidates of one to five people in one to five areas, in no order."""
    people, areas = draw(st.integers(1, 5)), draw(st.integers(1, 5))
    least = draw(st.sampled_from([1, 6, 12]))  # hypothesis prefers lists that are too short for shares to matter
    rows = st.tuples(
        *(st.integers(1, people), st.sampled_from(AREAS[:areas])),
        *(st.sampled_from([1.0, 1.5, 4.0, 9.0]), st.none() | st.integers(1, 30)),
    )
    return [
        candidate(todo_id, *row)
        for todo_id, row in enumerate(draw(st.lists(rows, min_size=least, max_size=25)), start=draw(st.integers(1, 99)))
    ]


counts = st.integers(3, 15)


def shares(candidates: list[Candidate], chosen: tuple[int, ...]) -> tuple[Counter[str], Counter[int]]:
    areas = Counter(candidates[place].area for place in chosen)
    return areas, Counter(candidates[place].participant for place in chosen)


@given(many(), counts)
def test_a_day_is_as_full_as_it_can_be_and_never_fuller(candidates: list[Candidate], count: int) -> None:
    slate = best_slate(candidates, rules_order(candidates), count)
    assert len(set(slate.chosen)) == len(slate.chosen) == min(count, len(candidates))
    assert slate.inclusion == tuple(float(place in slate.chosen) for place in range(len(candidates)))


@given(many(), counts)
def test_each_person_gets_their_own_most_urgent_while_there_is_room(candidates: list[Candidate], count: int) -> None:
    slate = best_slate(candidates, rules_order(candidates), count)
    people = {one.participant for one in candidates}
    served = {candidates[place].participant for place in slate.chosen}
    assert len(served) == min(count, len(people))
    assert len(slate.obligatory) == len(served)
    assert slate.obligatory <= set(slate.chosen)


@given(many(), counts)
def test_no_area_and_no_one_takes_more_than_a_share_while_others_wait(candidates: list[Candidate], count: int) -> None:
    slate = best_slate(candidates, rules_order(candidates), count)
    areas, people = shares(candidates, slate.chosen)
    area_cap, person_cap = math.ceil(count / 3), math.ceil(count * 3 / 4)
    over = [
        place
        for place in slate.chosen
        if place not in slate.obligatory
        and (areas[candidates[place].area] > area_cap or people[candidates[place].participant] > person_cap)
    ]
    waiting = [
        place
        for place, one in enumerate(candidates)
        if place not in slate.chosen and areas[one.area] < area_cap and people[one.participant] < person_cap
    ]
    assert not (over and waiting)


@given(many(), counts)
def test_no_swap_within_a_person_mixes_areas_better_and_none_within_an_area_mixes_people_better(
    candidates: list[Candidate], count: int
) -> None:
    slate = best_slate(candidates, rules_order(candidates), count)
    areas, people = shares(candidates, slate.chosen)
    for chosen in (candidates[place] for place in slate.chosen if place not in slate.obligatory):
        for other in (one for place, one in enumerate(candidates) if place not in slate.chosen):
            if other.participant == chosen.participant and areas[chosen.area] > math.ceil(count / 3):
                assert areas[other.area] >= math.ceil(count / 3), (chosen, other)
            if other.area == chosen.area and people[chosen.participant] > math.ceil(count * 3 / 4):
                assert people[other.participant] >= math.ceil(count * 3 / 4), (chosen, other)


def test_siblings_who_are_all_due_everything_do_not_all_get_the_same_area() -> None:
    """On a family's first day all todos are equally urgent, so the areas can be mixed."""
    candidates = day_of("1motor 1math 1literacy 2motor 2math 2literacy 3motor 3math 3literacy")
    slate = best_slate(candidates, rules_order(candidates), 3)
    areas, people = shares(candidates, slate.chosen)
    assert set(people) == {1, 2, 3}
    assert max(areas.values()) == 1


def test_one_area_does_not_fill_a_day_that_others_could_share() -> None:
    candidates = day_of("1motor 1motor 1motor 1motor 1math 1literacy 1sensory 1social")  # an only child
    slate = best_slate(candidates, range(8), 6)
    assert slate.chosen == (0, 1, 4, 5, 6, 7)


def test_one_child_does_not_fill_a_day_that_another_could_share() -> None:
    candidates = day_of("1motor 1math 1literacy 1sensory 1social 1rest 2motor 2math")
    assert best_slate(candidates, range(8), 4).chosen == (0, 1, 2, 6)


def test_a_day_that_only_one_area_can_fill_is_filled_by_it() -> None:
    assert best_slate(day_of("1motor 1motor 1motor 1motor"), range(4), 3).chosen == (0, 1, 2)


@given(many())
def test_the_rules_put_the_overdue_first_then_the_unseen_and_then_the_oldest(candidates: list[Candidate]) -> None:
    order = rules_order(candidates)
    assert sorted(order) == list(range(len(candidates)))
    ranked = [candidates[place] for place in order]
    for first, second in pairwise(ranked):
        late, later = min(second.overdue, 4), min(first.overdue, 4)  # four periods late is the maximum
        unseen = [14 if one.unseen_days is None else min(one.unseen_days, 14) for one in (first, second)]
        assert later >= late
        if later == late:
            assert unseen[0] >= unseen[1]
            assert unseen[0] > unseen[1] or first.todo_id < second.todo_id


@given(many(), counts, st.randoms(use_true_random=False))
def test_the_rules_choose_the_same_day_however_the_candidates_are_listed(
    candidates: list[Candidate], count: int, chance: Random
) -> None:
    shuffled = list(candidates)
    chance.shuffle(shuffled)
    one, other = (
        [listed[place].todo_id for place in best_slate(listed, rules_order(listed), count).chosen]
        for listed in (candidates, shuffled)
    )
    assert one == other


# Exploration for households in the learning data


@given(many(), counts, st.integers(0, 10**6), st.floats(0, 1))
def test_noise_changes_at_most_one_slot_that_no_one_depends_on(
    candidates: list[Candidate], count: int, number: int, epsilon: float
) -> None:
    best = best_slate(candidates, rules_order(candidates), count)
    noisy = with_noise(best, candidates, count, decision_seed(str(number)), epsilon)
    assert noisy == with_noise(best, candidates, count, decision_seed(str(number)), epsilon)
    assert len(set(noisy.chosen)) == len(best.chosen)
    assert sum(one != other for one, other in zip(best.chosen, noisy.chosen, strict=True)) <= 1
    assert set(noisy.chosen) >= best.obligatory == noisy.obligatory
    assert sum(noisy.inclusion) == pytest.approx(len(best.chosen), abs=1e-9)
    assert all(-1e-9 <= chance <= 1 + 1e-9 for chance in noisy.inclusion)
    assert all(noisy.inclusion[place] == 1 for place in best.obligatory)
    assert all(noisy.inclusion[place] > 0 for place in noisy.chosen)  # the observed result was possible


@given(many(), counts, st.integers(0, 10**6))
def test_noise_keeps_areas_and_people_within_their_shares(candidates: list[Candidate], count: int, number: int) -> None:
    best = best_slate(candidates, rules_order(candidates), count)
    noisy = with_noise(best, candidates, count, decision_seed(str(number)), 1.0)
    (areas, people), (areas_then, people_then) = (shares(candidates, slate.chosen) for slate in (best, noisy))
    assert all(held <= max(math.ceil(count / 3), areas[area]) for area, held in areas_then.items())
    assert all(held <= max(math.ceil(count * 3 / 4), people[one]) for one, held in people_then.items())


MIXED = "1motor 1math 2motor 2literacy 1social 1motor 2math 2social 1literacy 2sensory 1motor 2motor"


@pytest.mark.parametrize("epsilon", [0.2, 1.0])
@pytest.mark.parametrize(
    ("words", "count"), [(MIXED, 5), (MIXED, 3), ("1motor 1motor 1motor 1math 1math 2rest", 4), ("1motor 1math", 8)]
)
def test_a_candidate_is_on_as_many_of_many_days_as_its_propensity_says(words: str, count: int, epsilon: float) -> None:
    candidates = day_of(words)
    best = best_slate(candidates, rules_order(candidates), count)
    seen: Counter[int] = Counter()
    slate: Slate = best
    for number in range(DRAWS):
        slate = with_noise(best, candidates, count, decision_seed(f"{words}/{number}"), epsilon)
        seen.update(slate.chosen)
    for place, chance in enumerate(slate.inclusion):
        within = 4.5 * math.sqrt(chance * (1 - chance) / DRAWS) if 0 < chance < 1 else 0
        assert abs(seen[place] / DRAWS - chance) <= within + 1e-12, (place, chance, seen[place] / DRAWS)


def test_without_noise_the_best_day_stays() -> None:
    best = best_slate(day_of(MIXED), range(12), 5)
    assert with_noise(best, day_of(MIXED), 5, decision_seed("any"), 0.0) == best
