"""Simulates one week: from state and levels to outcome and next state.

All values are arrays over people (or over copies of them, when the truth is computed). The only random input is
`Noise`. The same noise with other levels gives the counterfactual week: the week under another decision of the coach.
"""

from dataclasses import dataclass, replace

import numpy as np

from coach_model.budget.actions import HOLD, LEVELS, Levels
from coach_model.budget.context import Contexts
from data.rewards.reward import SHORTEST_PART_DAYS, Outcome, Reward, reward_of
from data.synthetic.people import Array, People

WEEK_OF_CYCLE = 7 / 30.44
"""A week as a share of an average month."""
SHOCK_PERSISTENCE = 0.4
"""Week-to-week correlation of a category's spending around its habit."""
SHOCK_SPREAD = np.array([0.15, 0.35, 0.50, 0.80])
"""Standard deviation of the logarithm of a week's spending in a category around its habit."""
PAYDAY_UPLIFT = np.array([0.05, 0.18, 0.18, 0.0])
"""Logarithm of the extra spending in the first week of a cycle, by category."""
DECEMBER_UPLIFT = np.array([0.05, 0.25, 0.25, 0.20])
"""Logarithm of the extra spending in December, by category."""
SUMMER_UPLIFT = np.array([0.0, 0.05, 0.20, 0.0])
"""Logarithm of the extra spending in July and August, by category."""
PASS_THROUGH = 0.2
"""Share of the money left over in a week that is added to the savings; a deficit is taken from them."""
LOGGING_SPREAD = 0.5
"""Week-to-week standard deviation of the logit of logging a day's spending."""

EFFECT_ON_SPENDING = np.array([0.45, 0.45])
"""Decrease of the logarithm of wants and culture spending for each unit of fit of their lever."""
EFFECT_ON_SAVING = 1.0
"""Increase of the logarithm of saving for each unit of fit of the savings lever."""
EFFECT_ON_LOGGING = 1.1
"""Increase of the logit of logging for each unit of fit, summed over the levers."""
FATIGUE_OF_A_CHANGE = 0.12
"""Decrease of the logit of logging for each changed lever."""
FATIGUE_PERSISTENCE = 0.7
FIT_BOUNDS = (-1.0, 1.0)


@dataclass(frozen=True)
class State:
    """The state of each person at a decision."""

    shocks: Array  # (n, 4) logarithm of spending around habit
    recent: Array  # (n, 4 weeks, 4 categories) spending as a share of a cycle's money
    spent: Array  # (n,) spent share of this cycle's budget
    saved: Array  # (n,) saved share of this cycle's goal
    fatigue: Array  # (n,) logit
    levels: Levels  # (n, 3) in force


@dataclass(frozen=True)
class Noise:
    """The random numbers of a week."""

    shocks: Array  # (n, 4) standard normal
    logging: Array  # (n,) standard normal
    days: Array  # (n, 7) uniform


@dataclass(frozen=True)
class Week:
    """The outcome of a week and its reward."""

    outcome: Outcome
    reward: Reward


def draw_noise(count: int, rng: np.random.Generator) -> Noise:
    return Noise(rng.standard_normal((count, 4)), rng.standard_normal(count), rng.random((count, 7)))


def first_state(people: People, rng: np.random.Generator) -> State:
    """Every person spends as usual, at the start of a cycle, with all levels on hold. Simulate a few weeks before
    measuring."""
    count = len(people)
    return State(
        shocks=rng.normal(0, SHOCK_SPREAD, (count, 4)),
        recent=np.repeat(people.shares[:, None, :] * WEEK_OF_CYCLE, 4, axis=1),
        spent=np.zeros(count),
        saved=np.zeros(count),
        fatigue=np.zeros(count),
        levels=np.full((count, 3), HOLD),
    )


def contexts_of(people: People, state: State) -> Contexts:
    """(n, 10): the contexts that the app sends, rounded to four decimals."""
    shares = np.clip(state.recent.sum(axis=1) / (4 * WEEK_OF_CYCLE), 0, 1)
    columns = [state.spent, *shares.T, state.saved, *LEVELS[state.levels].T, people.risk_profile]
    return np.clip(np.stack(columns, axis=1), 0, 1).round(4).astype(np.float32)


def ideal_demand(people: People, state: State) -> Array:
    """(n, 3) in (-1, 1): the best demand for each person now, from -1 (-20 %) to 1 (+20 %)."""
    shares = state.recent.sum(axis=1) / (4 * WEEK_OF_CYCLE)
    wants = (shares[:, 1] - 0.25) / 0.08
    culture = (shares[:, 2] - 0.11) / 0.05
    essentials = (shares[:, 0] + shares[:, 3] - 0.55) / 0.12
    used = (np.clip(state.spent, 0, 1) - 0.5) / 0.3
    progress = (np.clip(state.saved, 0, 1) - 0.5) / 0.3
    risk = (people.risk - 0.5) / 0.22
    ideal = np.stack(
        [
            -0.2 - 0.6 * wants - 0.4 * used + 0.6 * risk + 0.2 * progress,
            0.3 - 0.5 * culture - 0.4 * used - 0.4 * risk + 0.4 * progress,
            0.1 - 0.6 * essentials - 0.4 * used + 0.6 * risk - 0.4 * progress,
        ],
        axis=1,
    )
    return np.tanh(ideal + people.ideal_offset)


def fit_of(people: People, state: State, levels: Levels) -> Array:
    """(n, 3): how well the demand of each lever fits: an inverted U, zero on hold, largest at the ideal, negative far
    beyond it.

    With demand u and ideal u* it is u*² - (u - u*)² = 2 u u* - u², bounded, times the person's responsiveness.
    """
    demand = (LEVELS[levels].astype(np.float64) - 0.5) * 2
    fit = 2 * demand * ideal_demand(people, state) - demand**2
    return np.clip(fit, *FIT_BOUNDS) * people.responsiveness


def live_a_week(
    people: People, state: State, levels: Levels, date: np.datetime64 | Array, noise: Noise, effect: float = 1.0
) -> tuple[Week, State]:
    """Simulate the week that starts on `date` (one day, or one for each row) under `levels`. `effect` scales the
    effects of the levers. Returns the week and the state after it."""
    fit = effect * fit_of(people, state, levels)
    changed = effect * (levels != state.levels).sum(axis=1)
    fatigue = FATIGUE_PERSISTENCE * state.fatigue + FATIGUE_OF_A_CHANGE * changed

    start = np.asarray(date).astype("datetime64[D]")
    elapsed_before, _ = cycle_position(start, people.cycle_start_day)
    elapsed, days_into_cycle = cycle_position(start + np.timedelta64(7, "D"), people.cycle_start_day)
    month = start.astype("datetime64[M]").astype(int) % 12 + 1

    innovation = noise.shocks * SHOCK_SPREAD * np.sqrt(1 - SHOCK_PERSISTENCE**2)
    shocks = SHOCK_PERSISTENCE * state.shocks + innovation
    log_spending = shocks - SHOCK_SPREAD**2 / 2
    log_spending = log_spending + (elapsed_before < WEEK_OF_CYCLE)[:, None] * PAYDAY_UPLIFT
    log_spending += np.asarray(month == 12)[..., None] * DECEMBER_UPLIFT  # noqa: PLR2004
    log_spending += np.asarray((month == 7) | (month == 8))[..., None] * SUMMER_UPLIFT  # noqa: PLR2004
    log_spending[:, 1:3] -= EFFECT_ON_SPENDING * fit[:, :2]
    spending = WEEK_OF_CYCLE * people.shares * np.exp(log_spending)

    budget = 1 - people.goal
    put_aside = WEEK_OF_CYCLE * people.goal * people.adherence * np.exp(EFFECT_ON_SAVING * fit[:, 2])
    left_over = WEEK_OF_CYCLE * budget - spending.sum(axis=1)
    spent_in_week = spending.sum(axis=1) / budget
    saved_in_week = (put_aside + PASS_THROUGH * left_over) / people.goal

    # When a cycle began inside the week, only the days since then count.
    part = np.minimum(days_into_cycle / 7, 1)
    new_cycle = part < 1
    spent = np.where(new_cycle, 0, state.spent) + part * spent_in_week
    saved = np.maximum(np.where(new_cycle, 0, state.saved) + part * saved_in_week, 0)

    logit = people.logging + EFFECT_ON_LOGGING * fit.sum(axis=1) - fatigue + LOGGING_SPREAD * noise.logging
    logging_days = (noise.days < (1 / (1 + np.exp(-logit)))[:, None]).sum(axis=1)
    outcome = Outcome(
        spent_share=np.minimum(spent, 1) - np.where(new_cycle, 0, np.minimum(state.spent, 1)),
        saved_share=np.minimum(saved, 1) - np.where(new_cycle, 0, np.minimum(state.saved, 1)),
        elapsed_share=np.where(
            days_into_cycle < SHORTEST_PART_DAYS, np.nan, elapsed - np.where(new_cycle, 0, elapsed_before)
        ),
        budget_used_up=(spent >= 1).astype(float),
        goal_reached=(saved >= 1).astype(float),
        logging_days=logging_days.astype(float),
    )
    recent = np.concatenate([state.recent[:, 1:], spending[:, None, :]], axis=1)
    after = replace(state, shocks=shocks, recent=recent, spent=spent, saved=saved, fatigue=fatigue, levels=levels)
    return Week(outcome, reward_of(outcome)), after


def cycle_position(date: Array, start_day: Array) -> tuple[Array, Array]:
    """Elapsed share of the budget cycle in [0, 1) and whole days since it began, on `date`."""
    month = date.astype("datetime64[M]")
    day_of_month = (date - month.astype("datetime64[D]")).astype(int) + 1
    one_month = np.timedelta64(1, "M")
    began_month = np.where(day_of_month >= start_day, month, month - one_month)
    offset = (start_day - 1).astype("timedelta64[D]")
    began = began_month.astype("datetime64[D]") + offset
    ends = (began_month + one_month).astype("datetime64[D]") + offset
    days = (date - began).astype(int)
    return days / (ends - began).astype(int), days
