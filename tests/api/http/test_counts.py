"""Counts of one process: exactly the limit passes, and invented keys do not fill the memory."""

import secrets

import pytest
from hypothesis import given
from hypothesis import strategies as st
from limits import parse

from api.http.counts import ExactCounts, WeightedCounts

KINDS = {"weighted": WeightedCounts, "exact": ExactCounts}
ITEM = parse("5/minute")
SECONDS = 60


class Clock:
    def __init__(self) -> None:
        self.now = 1_000_000_020.0  # the beginning of a minute

    def __call__(self) -> float:
        return self.now


@given(st.lists(st.integers(0, 40), max_size=60))
def test_no_window_of_any_beginning_holds_more_than_the_limit(pauses: list[int]) -> None:
    clock = Clock()
    counts = ExactCounts(now=clock)
    passed: list[float] = []
    for pause in pauses:
        clock.now += pause
        window = counts.hit(ITEM, "one")
        within = [at for at in passed if at > clock.now - SECONDS]
        assert window.allowed == (len(within) < ITEM.amount)
        if window.allowed:
            passed.append(clock.now)
            assert window.remaining == ITEM.amount - len(within) - 1
        else:
            assert window.remaining == 0
            assert clock.now + window.seconds >= within[0] + SECONDS > clock.now + window.seconds - 1


@pytest.mark.parametrize("kind", KINDS)
@given(pauses=st.lists(st.floats(0, 40), max_size=40))
def test_after_the_seconds_that_it_tells_one_more_passes(kind: str, pauses: list[float]) -> None:
    clock = Clock()
    counts = KINDS[kind](now=clock)
    for pause in pauses:
        clock.now += pause
        window = counts.hit(ITEM, "one")
        assert 1 <= window.seconds <= SECONDS
        if not window.allowed:
            clock.now += window.seconds
            assert counts.hit(ITEM, "one").allowed


@pytest.mark.parametrize("kind", KINDS)
def test_exactly_so_many_pass_and_others_are_not_touched(kind: str) -> None:
    counts = KINDS[kind](now=Clock())
    told = [counts.hit(ITEM, "one") for _ in range(8)]
    assert [window.allowed for window in told] == [True] * 5 + [False] * 3
    assert [window.remaining for window in told] == [4, 3, 2, 1, 0, 0, 0, 0]
    assert counts.hit(ITEM, "other").allowed
    counts.forget(ITEM, "one")
    assert counts.hit(ITEM, "one").allowed


@pytest.mark.parametrize("kind", KINDS)
def test_made_up_keys_do_not_add_up(kind: str) -> None:
    counts = KINDS[kind](100, now=Clock())
    for _ in range(10_000):
        counts.hit(ITEM, secrets.token_hex(16))
    assert len(counts) == 100
    assert counts.hit(ITEM, "one").remaining == 4


def test_times_do_not_add_up() -> None:
    many = parse("1000/hour")
    counts = ExactCounts(1_000, 5_000, now=Clock())
    for key in range(100):
        for _ in range(100):
            counts.hit(many, str(key))
    assert len(counts) <= 51


@pytest.mark.parametrize("kind", KINDS)
def test_what_has_run_out_is_forgotten(kind: str) -> None:
    clock = Clock()
    counts = KINDS[kind](now=clock)
    for key in range(1_000):
        counts.hit(ITEM, str(key))
    clock.now += 2 * SECONDS
    for _ in range(1_000):
        counts.hit(ITEM, "one")
    assert len(counts) == 1
