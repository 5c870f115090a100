"""Effects of a simulated trial are estimated, and the intervals have their nominal coverage."""

from typing import Any

import numpy as np
import pytest

from data.logs.budget import BudgetLog
from training.trials.effects import FEWEST_ROUNDS, lever_effects, mrt_participants, mrt_power, wcls

PEOPLE, WEEKS = 60, 20


def trial(seed: int, effect: float = 0.2, slope: float = 0.1) -> dict[str, Any]:
    """A trial in which participants differ in level and response. The probability of treatment depends on a state that
    also changes the outcome, so plain regression is biased."""
    rng = np.random.default_rng(seed)
    who = np.repeat(np.arange(PEOPLE), WEEKS)
    state = rng.normal(0, 1, PEOPLE * WEEKS)
    probability = np.where(state > 0, 0.7, 0.3)
    treated = rng.random(len(who)) < probability
    own = rng.normal(0, 0.5, PEOPLE)[who]
    response = effect + slope * state + rng.normal(0, 0.2, PEOPLE)[who]
    outcome = own + 0.8 * state**2 * (state > 0) + treated * response + rng.normal(0, 1, len(who))
    return {"outcome": outcome, "treated": treated, "probability": probability, "participant": who, "state": state}


def test_intervals_have_their_coverage_although_the_controls_are_wrong() -> None:
    hits = np.zeros(2)
    plain = 0
    for seed in range(300):
        data = trial(seed)
        state = data.pop("state")
        found = wcls(**data, moderators={"state": state}, controls=state[:, None])  # the square is left out
        hits += [found[0].low <= 0.2 <= found[0].high, found[1].low <= 0.1 <= found[1].high]
        means = [data["outcome"][data["treated"] == one].mean() for one in (True, False)]
        plain += abs(means[0] - means[1] - 0.2) < 0.1
    assert (hits / 300 >= 0.92).all()
    assert (hits / 300 <= 0.98).all()
    assert plain < 60  # the plain difference is far off


def test_by_hand_with_two_coin_tosses_each() -> None:
    """With probability 0.5 and one treated round of two for each participant, the estimate is the difference of the
    means."""
    outcome = np.array([1.0, 0.0, 3.0, 1.0, 2.0, 2.0, 5.0, 1.0])
    treated = np.array([True, False] * 4)
    found = wcls(outcome, treated, np.full(8, 0.5), np.repeat(np.arange(4), 2))
    assert found[0].estimate == pytest.approx(outcome[::2].mean() - outcome[1::2].mean())


def test_effects_that_cannot_be_estimated_are_refused() -> None:
    data = trial(1)
    data.pop("state")
    with pytest.raises(ValueError, match="between 0 and 1"):
        wcls(**data | {"probability": np.ones(len(data["outcome"]))})
    with pytest.raises(ValueError, match="told apart"):
        wcls(**data | {"treated": np.ones(len(data["outcome"]), dtype=bool)})
    with pytest.raises(ValueError, match="told apart"):
        wcls(**data, moderators={"always": np.ones(len(data["outcome"]))})
    with pytest.raises(ValueError, match="too few"):
        wcls(**{name: values[:4] for name, values in data.items()})


def test_every_level_of_every_lever_is_compared_with_hold(log: BudgetLog) -> None:
    found = lever_effects(log)
    assert [one.action for one in found][:4] == ["wants -20 %", "wants -10 %", "wants +10 %", "wants +20 %"]
    assert len(found) == 12
    for one in found:
        assert one.coefficients or one.rounds < 10 * FEWEST_ROUNDS


def test_power_by_simulation_and_sample_size_by_power() -> None:
    planned = mrt_power(40, 12, effect=0.2)
    found = 0
    for seed in range(400):
        rng = np.random.default_rng(seed)
        who = np.repeat(np.arange(40), 12)
        treated = rng.random(480) < 0.5
        outcome = 0.2 * treated + rng.normal(0, 1, 480)
        effect = wcls(outcome, treated, np.full(480, 0.5), who)[0]
        found += effect.p_value < 0.05
    assert found / 400 == pytest.approx(planned, abs=0.08)
    people = mrt_participants(12, power=0.8, effect=0.2)
    assert mrt_power(people, 12, effect=0.2) >= 0.8 > mrt_power(people - 1, 12, effect=0.2)
    with pytest.raises(ValueError, match="not enough"):
        mrt_participants(1, effect=1e-6)
