"""Candidates with a known true difference to the rules, and the confirm phases that try them."""

from dataclasses import dataclass, replace
from functools import cache

import numpy as np

from coach_model.budget.actions import LEVELS, Levels, eligible_levels
from coach_model.budget.context import Contexts
from coach_model.budget.rules import nearest_eligible, rules_levels
from data.synthetic.people import take
from data.synthetic.study import LevelPolicy, StudyConfig, simulate
from data.synthetic.truth import TrueValue, v_decision_difference
from training.budget.oracle import best_policy
from training.trials.gate_power import mixed

CONFIRM = StudyConfig(participants=400, explore_weeks=0, confirm_weeks=12)
"""The simulated study: 400 people, 12 weeks."""
CANDIDATE = "candidate"
TRUTH_PEOPLE = 3000
TRUTH_ROUNDS = 12_000
TRUTH_SEED = 77_001
CANCELLING_SHARE = 0.8075
"""Share of contexts with the best levels; the others have the opposite levels. The mean value is that of the rules."""
BETTER_SHARE = 0.458
"""Share of contexts with the best levels; the others have the rules' levels. The value is 0.03 above the rules."""


@dataclass(frozen=True)
class Scenario:
    """A candidate in a simulated world, with its true difference to the rules."""

    name: str
    config: StudyConfig
    candidate: LevelPolicy
    truth: TrueValue
    differ_share: float


def scenarios() -> dict[str, Scenario]:
    """The scenarios for the gate: no effects; effects that cancel out; truly better by 0.03, once with more missing
    outcomes after bad weeks as in the simulator, and once without."""
    nothing = replace(CONFIRM, effect=0.0)
    best = _best()
    better = mixed(best, rules_levels, BETTER_SHARE)
    found = [
        _scenario("zero effects", nothing, best),
        _scenario("effects that cancel out", CONFIRM, mixed(best, _opposite(best), CANCELLING_SHARE)),
        _scenario("better by 0.03", CONFIRM, better),
        _scenario("better by 0.03, missing at random", replace(CONFIRM, bad_weeks=0.0), better),
    ]
    return {scenario.name: scenario for scenario in found}


@cache
def _best() -> LevelPolicy:
    return best_policy(CONFIRM_LIKE).levels


CONFIRM_LIKE = StudyConfig(participants=300, explore_weeks=12)


def _opposite(policy: LevelPolicy) -> LevelPolicy:
    """The eligible levels that are farthest from those of `policy`."""

    def levels(contexts: Contexts) -> Levels:
        farthest = np.where(policy(contexts) >= 2, 0, len(LEVELS) - 1)
        return nearest_eligible(farthest, eligible_levels(contexts))

    return levels


def _scenario(name: str, config: StudyConfig, candidate: LevelPolicy) -> Scenario:
    truth, differ = _truth(config, candidate, replications=64)
    return Scenario(name, config, candidate, truth, differ)


def _truth(config: StudyConfig, candidate: LevelPolicy, replications: int) -> tuple[TrueValue, float]:
    """The true V_decision of the candidate minus that of the rules over the contexts of a large confirm phase, and the
    share of decisions in which they differ."""
    large = replace(config, participants=TRUTH_PEOPLE, seed=TRUTH_SEED)
    rounds = simulate(large, candidate, CANDIDATE).rounds
    rounds = take(rounds, np.random.default_rng(TRUTH_SEED).choice(len(rounds), TRUTH_ROUNDS, replace=False))
    contexts = rounds.contexts()
    ours, theirs = candidate(contexts), rules_levels(contexts)
    truth = v_decision_difference(rounds, ours, theirs, replications=replications, effect=config.effect)
    return truth, float((ours != theirs).any(axis=1).mean())
