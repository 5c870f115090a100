"""The true values of policies in a synthetic study, with their Monte Carlo errors.

There are two different values (see `docs/simulator.md`):

- `V_decision`: the mean reward of the next week after one decision of the policy, over the logged contexts. Estimators
  estimate this value, and the gate uses it.
- `V_rollout`: the mean weekly reward when the policy acts for the whole study. It includes the contexts and the fatigue
  that the policy itself causes.
"""

import itertools
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from coach_model.budget.actions import LEVELS, LEVERS, Levels, eligible_levels
from data.synthetic.people import Array, draw_people, take
from data.synthetic.study import WARM_UP_WEEKS, LevelPolicy, Rounds, StudyConfig
from data.synthetic.world import contexts_of, draw_noise, first_state, live_a_week

type Column = npt.NDArray[np.float64]

ACTIONS: Levels = np.array(list(itertools.product(range(len(LEVELS)), repeat=len(LEVERS))))
"""(125, 3): all joint actions, in the order of the columns that `action_values` returns."""


@dataclass(frozen=True)
class TrueValue:
    """A mean reward and its standard error from the Monte Carlo draws."""

    value: float
    error: float

    def __str__(self) -> str:
        return f"{self.value:.4f} ± {self.error:.4f}"


def decision_rewards(
    rounds: Rounds, levels: Levels, rng: np.random.Generator, replications: int = 64, effect: float = 1.0
) -> Column:
    """(n, replications): next week's reward under `levels` (n, 3); NaN where a new budget cycle hides it.

    Two calls with generators of the same seed compare two policies in the same weeks.
    """
    rewards = [
        live_a_week(rounds.people, rounds.state, levels, rounds.date, draw_noise(len(rounds), rng), effect)[0].reward
        for _ in range(replications)
    ]
    return np.stack([reward.reward for reward in rewards], axis=1)


def v_decision(
    rounds: Rounds, levels: Levels, *, seed: int = 0, replications: int = 64, effect: float = 1.0
) -> TrueValue:
    """V_decision of the policy that takes `levels` (n, 3) in these rounds."""
    return _mean(decision_rewards(rounds, levels, np.random.default_rng(seed), replications, effect))


def v_decision_difference(
    rounds: Rounds,
    levels: Levels,
    reference: Levels,
    *,
    seed: int = 0,
    replications: int = 64,
    effect: float = 1.0,
) -> TrueValue:
    """V_decision of `levels` minus that of `reference`, both in the same simulated weeks."""
    ours, theirs = (
        decision_rewards(rounds, chosen, np.random.default_rng(seed), replications, effect)
        for chosen in (levels, reference)
    )
    return _mean(ours - theirs)


def v_rollout(policy: LevelPolicy, config: StudyConfig, *, seed: int = 0, effect: float | None = None) -> TrueValue:
    """Mean weekly reward when `policy` decides every week of `config` for newly drawn participants.

    Participants do not drop out and every week counts, so that policies are compared on the same people and weeks. The
    error is the standard error of the mean over people.
    """
    rng = np.random.default_rng(seed)
    people = draw_people(config.participants, rng)
    state = first_state(people, rng)
    weeks: list[Array] = []
    for week in range(-WARM_UP_WEEKS, config.explore_weeks + config.confirm_weeks):
        date = np.datetime64(config.start, "D") + (7 * week + people.weekday).astype("timedelta64[D]")
        levels = policy(contexts_of(people, state)) if week >= 0 else state.levels
        noise = draw_noise(len(people), rng)
        lived, state = live_a_week(people, state, levels, date, noise, config.effect if effect is None else effect)
        if week >= 0:
            weeks.append(lived.reward.reward)
    per_person = np.nanmean(np.stack(weeks, axis=1), axis=1)
    return TrueValue(float(per_person.mean()), float(per_person.std(ddof=1) / np.sqrt(len(per_person))))


def action_values(rounds: Rounds, *, seed: int = 0, replications: int = 16, effect: float = 1.0) -> Column:
    """(n, 125): the expected reward of every joint action in every round; NaN where the action is not eligible or the
    reward is not observed."""
    rng = np.random.default_rng(seed)
    eligible = eligible_levels(contexts_of(rounds.people, rounds.state))
    allowed = np.stack([eligible[:, lever, ACTIONS[:, lever]] for lever in range(len(LEVERS))]).all(axis=0)
    row, action = np.nonzero(allowed)
    copies = take(rounds, row)
    values = np.full(allowed.shape, np.nan)
    values[row, action] = 0
    for _ in range(replications):
        noise = take(draw_noise(len(rounds), rng), row)
        week, _ = live_a_week(copies.people, copies.state, ACTIONS[action], copies.date, noise, effect)
        values[row, action] += week.reward.reward / replications
    return values


def _mean(rewards: Column) -> TrueValue:
    seen = ~np.isnan(rewards).any(axis=1)
    per_round = rewards[seen]
    within = per_round.var(axis=1, ddof=1) / per_round.shape[1]
    return TrueValue(float(per_round.mean()), float(np.sqrt(within.sum()) / len(per_round)))
