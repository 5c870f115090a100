"""Worlds that try to deceive the gate: outcomes that are missing for opposite reasons, and harm to a part."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any
from unittest import mock

import numpy as np
import numpy.typing as npt
from joblib import Parallel, delayed

from coach_model.budget.actions import LEVELS
from coach_model.exploration import one_hot
from data.logs.bandit import Column
from data.logs.budget import BudgetLog, stays
from data.synthetic import study
from tests.science.candidates import Scenario
from tests.science.trials import logged
from training.budget.evidence import Evidence, gather
from training.budget.missingness import missing_difference, observation_probability
from training.budget.reward_model import crossfitted_reward
from training.budget.selection import selection
from training.ope.estimators import dr
from training.ope.intervals import Interval, clustered_t

ALWAYS = 50.0
"""A logit: the simulated people open the app and upload every week, so that only the world decides what is missing."""


@dataclass(frozen=True)
class Missing:
    """Shares of bad and good weeks whose outcomes are missing, under the candidate and under the rules."""

    candidate: tuple[float, float]
    rules: tuple[float, float]


@dataclass(frozen=True)
class World:
    """A study of this many people in which outcomes go missing; `scenario` has the candidate."""

    name: str
    people: int
    missing: Missing


OPPOSITE = Missing((0.25, 0.15), (0.15, 0.25))
WORLDS = (
    World("opposite, 400 people", 400, OPPOSITE),
    World("opposite, 1,200 people", 1200, OPPOSITE),
    World("opposite and mild, 400 people", 400, Missing((0.22, 0.18), (0.18, 0.22))),
    World("under the candidate only, 400 people", 400, Missing((0.25, 0.15), (0.2, 0.2))),
)
"""The odds of being observed depend on the outcome by a factor of 1.9, 1.9, 1.3 and 1.9."""


@dataclass(frozen=True)
class Deceived:
    """A study of a world in which the candidate is no better: what would promote it."""

    by_observed: bool
    """The lower bound is above zero, with outcomes missing at random by context."""
    by_equal_shares: bool
    """So it is, and the shares of missing outcomes do not differ."""
    within_stated: bool
    """So is that of adversarial selection up to the stated odds ratio. The gate promotes no study without this."""
    by_manski: bool
    overturned_at: float | None


def deceived(scenario: Scenario, world: World, seed: int) -> Deceived:
    """Simulate a study of the world, and what each way to deal with its missing outcomes says."""
    log = hidden(everything_observed(scenario, world.people, seed), world.missing, seed)
    policies = candidate, rules = one_hot(log.candidate, len(LEVELS)), one_hot(log.rules, len(LEVELS))
    q, seen = crossfitted_reward(log), observation_probability(log)

    def interval(per_round: Column) -> Interval:
        return clustered_t(per_round, log.participant)

    found = selection(log, policies, q, seen, interval)
    plain = interval(dr(log, candidate, q, observation=seen) - dr(log, rules, q, observation=seen))
    excess = missing_difference(log, candidate, rules)
    return Deceived(
        plain.low > 0,
        plain.low > 0 and excess.low <= 0 <= excess.high,
        found.difference.low > 0,
        found.without_assumption[0].low > 0,
        found.overturned_at,
    )


def all_deceived(scenario: Scenario, world: World, seeds: Sequence[int], jobs: int = 2) -> Iterator[Deceived]:
    """The studies of many seeds, in `jobs` processes."""
    yield from Parallel(n_jobs=jobs, return_as="generator")(delayed(deceived)(scenario, world, seed) for seed in seeds)


def everything_observed(scenario: Scenario, people: int, seed: int) -> BudgetLog:
    """The scenario's study with this many people, whose outcomes are missing only after they left."""
    config = replace(scenario.config, participants=people)
    with mock.patch.multiple(study, OPENING_LOGIT=ALWAYS, UPLOADING_LOGIT=ALWAYS):
        return logged(config, scenario, seed)


def hidden(log: BudgetLog, missing: Missing, seed: int) -> BudgetLog:
    """The log without the outcomes that the world hides. A week is bad below the median reward."""
    rng = np.random.default_rng([seed, 1])
    bad = log.reward < np.nanmedian(log.reward)
    shares = [np.where(bad, *pair) for pair in (missing.candidate, missing.rules)]
    gone = rng.random(len(log)) < np.where(_acted(log), *shares)
    return replace(log, reward=np.where(gone, np.nan, log.reward))


def evidence_in(log: BudgetLog, **options: Any) -> Evidence:
    """What the gate gathers about the log's candidate."""
    candidate, rules = (one_hot(levels, len(LEVELS)) for levels in (log.candidate, log.rules))
    return gather(log, candidate, rules, crossfitted_reward(log), **options)


def changed(log: BudgetLog, by: Column) -> BudgetLog:
    """The log of a world in which the candidate changes the reward by `by` (n,) where it acts otherwise than the
    rules; the simulated effects must be zero."""
    return replace(log, reward=log.reward + np.where(_acted(log), by, 0))


def leaving(log: BudgetLog, share: float, seed: int) -> BudgetLog:
    """The log without what follows once a person left: in this share of the weeks in which the candidate acted
    otherwise than the rules."""
    rng = np.random.default_rng([seed, 2])
    gone = rng.random(len(log)) < np.where(_acted(log), share, 0)
    first = np.r_[True, log.participant[1:] != log.participant[:-1]]
    before = np.cumsum(gone) - gone
    log = log.where(before == before[np.flatnonzero(first)[np.cumsum(first) - 1]])
    return replace(log, stays=stays(log))


def _acted(log: BudgetLog) -> npt.NDArray[np.bool_]:
    """(n,): whether the levels are the candidate's, and not the rules'."""
    return np.asarray((log.action == log.candidate).all(axis=1) & (log.candidate != log.rules).any(axis=1))
