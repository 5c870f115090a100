"""Simulated confirm phases: the gate's verdict and all intervals, compared with a known truth."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from joblib import Parallel, delayed

from coach_model.budget.actions import LEVELS
from coach_model.exploration import one_hot
from data.logs.budget import BudgetLog, budget_log
from data.packages.reader import Package
from data.synthetic.study import StudyConfig, metadata, simulate
from tests.science.candidates import CANDIDATE, Scenario
from training.budget.evidence import gather
from training.budget.gate import judge
from training.budget.missingness import SMALLEST_OBSERVATION, observation_probability
from training.budget.reward_model import crossfitted_reward
from training.ope.estimators import ESTIMATORS
from training.ope.intervals import Interval, clustered_bootstrap, clustered_t, confidence_sequence, empirical_bernstein
from training.ope.overlap import overlap

BOOTSTRAP = 400
"""Number of resamples. The percentiles of 1,000 resamples differ by less than the simulation's noise."""


@dataclass(frozen=True)
class Trial:
    """One simulated study: the verdict, and the intervals of the difference by name."""

    seed: int
    verdict: str
    reasons: tuple[str, ...]
    effective_sample_size: float
    overlaps: bool
    intervals: dict[str, Interval]


def logged(config: StudyConfig, candidate: Scenario | None, seed: int) -> BudgetLog:
    """The log of one simulated study, as if read from its package."""
    config = replace(config, seed=seed)
    study = simulate(config, candidate.candidate if candidate else None, CANDIDATE)
    return budget_log(Package(Path("simulated"), study.tables, metadata(config), ""))


def trial(scenario: Scenario, seed: int) -> Trial:
    """Simulate the scenario's confirm phase with this seed, judge its candidate, and compute all intervals."""
    log = logged(scenario.config, scenario, seed)
    candidate, rules = (one_hot(levels, len(LEVELS)) for levels in (log.candidate, log.rules))
    q = crossfitted_reward(log)
    seen = observation_probability(log)
    judgement = judge(gather(log, candidate, rules, q, observation=seen))
    differences = {
        name: estimator(log, candidate, q, observation=seen) - estimator(log, rules, q, observation=seen)
        for name, estimator in ESTIMATORS.items()
    }
    best, who = differences["dr"], log.participant
    reach = 2 / (float(log.propensity.min()) * SMALLEST_OBSERVATION)
    intervals = {f"{name}, t": clustered_t(rounds, who) for name, rounds in differences.items()}
    intervals |= {
        "dr, bootstrap": clustered_bootstrap(best, who, resamples=BOOTSTRAP, seed=seed),
        "dr, confidence sequence": confidence_sequence(best, who, planned_rounds=len(log)),
        "dr, empirical Bernstein": empirical_bernstein(best, who, bounds=(-reach, reach)),
    }
    support = overlap(log, candidate, rules)
    size = support.differing.effective_sample_size
    return Trial(seed, judgement.verdict, tuple(judgement.reasons), size, support.sufficient, intervals)


def trials(scenario: Scenario, seeds: Sequence[int], jobs: int = 2) -> Iterator[Trial]:
    """The trials of many seeds, simulated in `jobs` processes, in the order in which they end."""
    run = Parallel(n_jobs=jobs, return_as="generator")
    yield from run(delayed(trial)(scenario, seed) for seed in seeds)


def share_held(intervals: Sequence[Interval], truth: float) -> float:
    """The share of intervals that contain the truth."""
    return float(np.mean([one.low <= truth <= one.high for one in intervals]))


def coverage(found: Sequence[Trial], truth: float) -> dict[str, float]:
    """Name of an interval to the share of the trials with overlap in which it contained the truth."""
    judged = [one for one in found if one.overlaps]
    return {name: share_held([one.intervals[name] for one in judged], truth) for name in judged[0].intervals}


def bias(found: Sequence[Trial], truth: float) -> dict[str, float]:
    """Name of an interval to its mean estimate minus the truth."""
    return {
        name: float(np.mean([one.intervals[name].estimate for one in found]) - truth) for name in found[0].intervals
    }


def promoted(found: Sequence[Trial]) -> float:
    """The share of the trials whose candidate was promoted."""
    return float(np.mean([one.verdict == "promote" for one in found]))
