"""The power of a planned confirm phase for the whole gate, by simulating studies of the planned size and judging them.

The formula of `training.trials.power` is about the bound alone. A promotion also needs overlap, guardrails, segments
and outcomes that are not missing for the wrong reasons, so it is rarer. The studies are those of the simulator, and the
evidence and the verdict are the gate's own.
"""

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import numpy as np
from joblib import Parallel, delayed
from scipy import stats

from coach_model.budget.actions import LEVELS, Levels
from coach_model.budget.context import COLUMN, Contexts
from coach_model.budget.rules import rules_levels
from coach_model.exploration import one_hot
from data.logs.budget import budget_log
from data.packages.reader import Package
from data.synthetic.people import take
from data.synthetic.study import LevelPolicy, Rounds, StudyConfig, metadata, simulate
from data.synthetic.truth import v_decision_difference
from training.budget.evidence import Evidence, gather
from training.budget.gate import judge
from training.budget.oracle import best_policy
from training.budget.reward_model import crossfitted_reward
from training.budget.selection import STATED_ODDS_RATIO
from training.budget.target_policy import TargetPolicy
from training.ope.overlap import overlap
from training.registry.verdicts import PROMOTE
from training.trials.power import Plan, confirm_plan

MIXING = 1e4 * 0.6180339887
"""A mixture is decided by the decimals of this factor times `needs_share`, which has four decimals. It is nearly random
and not related to a segment."""
CALIBRATED_ON = 4_000
"""Rounds by which the candidate's difference is set."""
CALIBRATION_SEED = 88_001
REPLICATIONS, HALVINGS, LARGEST_EFFECT = 16, 12, 16.0
"""Of the search for the candidate's effects."""
LARGEST_PLAN = 50_000
"""Decisions of a study; a larger one is not simulated."""
STEP = 1.15
"""Each further size that is tried has so many times as many participants."""
MOST_SIZES = 16

type Progress = Callable[[str], None]


@dataclass(frozen=True)
class PlannedCandidate:
    """A candidate of the simulator that differs from the rules by a planned difference in a planned share of the
    decisions: the best policy in some contexts, the rules in the others, and levers whose effects are scaled."""

    share: float
    """Share of contexts with the best levels."""
    effect: float
    """Scale of the levers' effects (`StudyConfig.effect`)."""

    def __call__(self, contexts: Contexts) -> Levels:
        return mixed(_best().levels, rules_levels, self.share)(contexts)


@dataclass(frozen=True)
class GatePower:
    """The share of simulated studies that were promoted, with its exact 95 % interval, and what stood against it."""

    plan: Plan
    studies: int
    promoted: int
    power: float
    low: float
    high: float
    against: dict[str, float]
    """What the gate found, and in which share of the studies: a study may have several."""


def mixed(good: LevelPolicy, other: LevelPolicy, share: float) -> LevelPolicy:
    """`good` in that share of the contexts, `other` in the rest. The choice looks random but is deterministic."""

    def levels(contexts: Contexts) -> Levels:
        mixing = np.modf(contexts[:, COLUMN["needs_share"]].astype(float) * MIXING)[0]
        return np.where(mixing[:, None] < share, good(contexts), other(contexts))

    return levels


def planned_candidate(difference: float, differ_share: float) -> PlannedCandidate:
    """The candidate of a plan: its effects are scaled until its true difference is the planned one. Raises ValueError
    when no policy of the simulator differs so often, or gains so much where it differs."""
    rounds = _contexts()
    contexts = rounds.contexts()
    rules, best = rules_levels(contexts), _best().levels(contexts)
    differs = float((best != rules).any(axis=1).mean())
    if differ_share > differs:
        raise ValueError(
            f"the simulator's best policy differs from the rules in {differs:.0%} of the decisions at most"
        )
    share = differ_share / differs
    ours = mixed(_best().levels, rules_levels, share)(contexts)

    def gain(effect: float) -> float:
        return v_decision_difference(rounds, ours, rules, replications=REPLICATIONS, effect=effect).value

    low, high = 0.0, 1.0
    while gain(high) < difference:
        low, high = high, 2 * high
        if high > LARGEST_EFFECT:
            what = f"differs in {differ_share:.0%} of the decisions and is better by {difference:g}"
            raise ValueError(f"the simulator has no candidate that {what}")
    for _ in range(HALVINGS):
        middle = (low + high) / 2
        low, high = (middle, high) if gain(middle) < difference else (low, middle)
    return PlannedCandidate(share, high)


def simulated_power(
    plan: Plan,
    *,
    studies: int = 100,
    odds_ratio: float = STATED_ODDS_RATIO,
    jobs: int = -1,
    progress: Progress = lambda _: None,
) -> GatePower:
    """Simulate `studies` confirm phases of the plan and judge each of them. `jobs` is the number of processes."""
    if plan.participants * plan.weeks > LARGEST_PLAN:
        raise ValueError(f"{plan.participants} participants over {plan.weeks} weeks are too many to simulate")
    candidate = planned_candidate(plan.difference, plan.differ_share)
    run = Parallel(n_jobs=jobs, return_as="generator")
    against: Counter[str] = Counter()
    promoted = 0
    for done, found in enumerate(run(delayed(_judged)(candidate, plan, odds_ratio, seed) for seed in range(studies))):
        progress(f"{done + 1} of {studies} studies of {plan.participants} people")
        promoted += not found
        against.update(found)
    low, high = stats.binomtest(promoted, studies).proportion_ci(0.95, "exact")
    shares = {name: count / studies for name, count in against.most_common()}
    return GatePower(plan, studies, promoted, promoted / studies, float(low), float(high), shares)


def participants_for_gate(
    first: Plan, *, power: float, studies: int = 100, jobs: int = -1, progress: Progress = lambda _: None
) -> GatePower:
    """The first plan, or the next larger one in steps of 15 %, with at least this share of promotions. Raises
    ValueError when even eight times as many participants do not have it."""
    for step in range(MOST_SIZES):
        people = int(np.ceil(first.participants * STEP**step))
        plan = confirm_plan(people, first.weeks, difference=first.difference, differ_share=first.differ_share)
        found = simulated_power(plan, studies=studies, jobs=jobs, progress=progress)
        if found.power >= power:
            return found
    raise ValueError(f"even {people} participants are promoted in {found.power:.0%} of the studies only")


def _judged(candidate: PlannedCandidate, plan: Plan, odds_ratio: float, seed: int) -> list[str]:
    """What stands against a promotion in one simulated study; empty if the candidate is promoted."""
    config = StudyConfig(
        participants=plan.participants, explore_weeks=0, confirm_weeks=plan.weeks, effect=candidate.effect, seed=seed
    )
    study = simulate(config, candidate, "planned")
    log = budget_log(Package(Path("simulated"), study.tables, metadata(config), ""))
    ours, rules = (one_hot(levels, len(LEVELS)) for levels in (log.candidate, log.rules))
    enough = overlap(log, ours, rules).sufficient
    q = crossfitted_reward(log) if enough else np.zeros(ours.shape)
    evidence = gather(log, ours, rules, q, odds_ratio=odds_ratio)
    found = reasons_against(evidence)
    assert (judge(evidence).verdict == PROMOTE) == (not found)  # noqa: S101 - the gate's rules in other words
    return found


def reasons_against(evidence: Evidence) -> list[str]:
    """The kinds of reasons for which the gate does not promote."""
    if evidence.difference is None:
        return ["overlap"]
    bound = evidence.difference.low > 0
    kinds = {
        "bound": not bound,
        "guardrails": any(one.standing not in {"kept", "not seen"} for one in evidence.guardrails),
        "segments": any(one.harmed for one in evidence.segments),
        "missing outcomes": bound and evidence.selection is not None and evidence.selection.difference.low <= 0,
    }
    return [name for name, is_so in kinds.items() if is_so]


@cache
def _best() -> TargetPolicy:
    return best_policy(StudyConfig(participants=300, explore_weeks=12))


@cache
def _contexts() -> Rounds:
    """Decision points of a confirm phase that tries the best policy."""
    config = StudyConfig(participants=1500, explore_weeks=0, confirm_weeks=12, seed=CALIBRATION_SEED)
    rounds: Rounds = simulate(config, _best().levels).rounds
    rng = np.random.default_rng(CALIBRATION_SEED)
    return take(rounds, rng.choice(len(rounds), CALIBRATED_ON, replace=False))
