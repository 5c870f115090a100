"""What a guardrail's difference shows, over all intervals."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from training.budget.guardrails import GUARDRAILS, MINIMUM_RELEVANT_DIFFERENCE, standing_of
from training.ope.intervals import Interval

MARGIN = 0.01


def around(estimate: float, error: float) -> Interval:
    return Interval(estimate, error, estimate - 1.97 * error, estimate + 1.97 * error, 200)


@settings(deadline=None)
@given(estimate=st.floats(-0.1, 0.1), error=st.floats(0, 0.1))
def test_only_a_harm_that_is_shown_vetoes(estimate: float, error: float) -> None:
    found = around(estimate, error)
    standing = standing_of(found, MARGIN)
    if standing == "kept":
        assert found.low >= -MARGIN
    if standing in {"broken", "doubtful"}:
        assert estimate < -MARGIN
    if standing == "not seen":
        assert found.low < -MARGIN
        assert estimate >= -MARGIN or estimate + 1.64 * error > 0
    assert standing != "unknown"


@settings(deadline=None)
@given(estimate=st.floats(-0.1, 0.1), error=st.floats(1e-4, 0.1), better=st.floats(0, 0.1))
def test_a_better_outcome_never_stands_worse(estimate: float, error: float, better: float) -> None:
    order = ["broken", "doubtful", "not seen", "kept"]
    worse, improved = (standing_of(around(value, error), MARGIN) for value in (estimate, estimate + better))
    assert order.index(worse) <= order.index(improved)


def test_a_harm_is_seen_by_large_studies_and_noise_is_no_harm() -> None:
    assert standing_of(around(-0.02, 0.003), MARGIN) == "broken"
    assert standing_of(around(-0.02, 0.006), MARGIN) == "doubtful"
    assert standing_of(around(-0.02, 0.02), MARGIN) == "not seen"
    assert standing_of(around(-0.005, 0.02), MARGIN) == "not seen"
    assert standing_of(around(0.0, 0.001), MARGIN) == "kept"


def test_a_margin_costs_the_minimum_relevant_difference() -> None:
    for rail in GUARDRAILS:
        assert rail.margin * rail.cost == pytest.approx(MINIMUM_RELEVANT_DIFFERENCE)
