"""Compares the trained policy with the best policy of its class, by true values in simulated studies.

The best memoryless policy of the deployed class is the same linear-score policy, fitted to the true expected rewards of
all eligible actions, in far more contexts than a study has, and without margin and support limit.
"""

from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from coach_model.budget.actions import LEVELS, previous_levels
from coach_model.budget.rules import rules_levels
from coach_model.exploration import one_hot
from data.logs.budget import budget_log
from data.packages.reader import Package
from data.synthetic.people import take
from data.synthetic.study import Rounds, StudyConfig, metadata, simulate
from data.synthetic.truth import ACTIONS, action_values, v_decision, v_decision_difference
from training.budget.reward_model import Standardisation, effect_columns
from training.budget.target_policy import TargetPolicy, greedy_policy
from training.budget.train import learn

ORACLE_PEOPLE = 4000
ORACLE_ROUNDS = 20_000
ORACLE_SEED = 9_002
UNSEEN_PEOPLE = 1500
UNSEEN_ROUNDS = 6000
UNSEEN_SEED = 9_001
"""Seed of the people for the comparison. Studies use smaller seeds, so their people are different."""


@dataclass(frozen=True)
class Reach:
    """True values over contexts of unseen people. `closed` is the learned gain as a share of the best policy's gain."""

    seed: int
    rules: float
    learned: float
    best: float
    gain: float
    gain_error: float
    closed: float


def best_policy(config: StudyConfig) -> TargetPolicy:
    """The best memoryless policy of the deployed class for the population of `config`."""
    rounds = simulate(replace(config, participants=ORACLE_PEOPLE, seed=ORACLE_SEED)).rounds
    rounds = take(rounds, np.random.default_rng(ORACLE_SEED).choice(len(rounds), ORACLE_ROUNDS, replace=False))
    values = action_values(rounds, replications=4, effect=config.effect)
    row, action = np.nonzero(~np.isnan(values))
    contexts = rounds.contexts()
    standardise = Standardisation(contexts.mean(axis=0, dtype=float), contexts.std(axis=0, dtype=float))
    taken = effect_columns(
        standardise(contexts)[row], previous_levels(contexts)[row], one_hot(ACTIONS[action], len(LEVELS))
    )
    columns = taken.reshape(len(row), -1)
    count = np.bincount(row, minlength=len(rounds))
    means = (
        np.stack([np.bincount(row, column, len(rounds)) for column in columns.T], axis=1)
        / np.maximum(count, 1)[:, None]
    )
    centred_values = values[row, action] - np.nanmean(values[count > 0], axis=1)[np.cumsum(count > 0)[row] - 1]
    effects, *_ = np.linalg.lstsq(columns - means[row], centred_values)
    return greedy_policy(standardise, effects.reshape(taken.shape[1:]), rules_margin=0.0)


@dataclass(frozen=True)
class Yardstick:
    """Decision points of unseen people, the value of the rules there, and the gain of the best policy."""

    rounds: Rounds
    rules: float
    reachable: float


def yardstick(config: StudyConfig) -> Yardstick:
    """The yardstick for the studies of `config`."""
    rounds = simulate(replace(config, participants=UNSEEN_PEOPLE, seed=UNSEEN_SEED)).rounds
    rounds = take(rounds, np.random.default_rng(UNSEEN_SEED).choice(len(rounds), UNSEEN_ROUNDS, replace=False))
    contexts = rounds.contexts()
    rules, best = rules_levels(contexts), best_policy(config).levels(contexts)
    reachable = v_decision_difference(rounds, best, rules, effect=config.effect).value
    return Yardstick(rounds, v_decision(rounds, rules, effect=config.effect).value, reachable)


def reach(config: StudyConfig, by: Yardstick, *, all_participants: bool = False) -> Reach:
    """Simulate the study of `config`, train a policy on its training split or on all participants, and compute its true
    value in the rounds of `by`."""
    study = simulate(config)
    log = budget_log(Package(Path("simulated"), study.tables, metadata(config), ""))
    _, policy = learn(log if all_participants else log.where(log.learns))
    contexts = by.rounds.contexts()
    gain = v_decision_difference(by.rounds, policy.levels(contexts), rules_levels(contexts), effect=config.effect)
    closed = gain.value / by.reachable if by.reachable else float("nan")
    return Reach(config.seed, by.rules, by.rules + gain.value, by.rules + by.reachable, gain.value, gain.error, closed)
