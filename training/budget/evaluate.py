"""The use cases of `buddy-train evaluate`: a policy on a dataset package, and a policy on a log from elsewhere."""

from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np

from coach_model.budget.actions import LEVELS
from coach_model.budget.coach import CONTRACT, composite_levels
from coach_model.exploration import one_hot
from coach_model.onnx_policy import load_policy
from data.formats import file_digest
from data.logs.bandit import LoggedBanditData
from data.logs.budget import budget_log
from data.packages.reader import read_package
from training.budget.missingness import observation_probability
from training.budget.reward_model import crossfitted_reward
from training.budget.run_gate import learned_from_all, rounded, rounds_to_judge_by
from training.ope.external_log import read_foreign_log
from training.ope.intervals import clustered_t
from training.ope.overlap import calibration, overlap
from training.ope.valuation import Valuation, value_of

type Progress = Callable[[str], None]
FEWEST_WITH_EVENTS = 30
"""Participants with an unusual reward; below it a note says that intervals are too narrow."""


def evaluate_package(
    dataset: Path, artifact: Path, resamples: int, jobs: int, progress: Progress, *, few_people: str = ""
) -> dict[str, Any]:
    """The value of the artifact and its difference to the rules, by every estimator. Raises InvalidPackage,
    ArtifactRefused."""
    package, policy = read_package(dataset), load_policy(artifact, CONTRACT)
    log, tried = rounds_to_judge_by(budget_log(package), policy)
    candidate, rules = (one_hot(levels, len(LEVELS)) for levels in (composite_levels(policy, log.context), log.rules))
    progress(f"fitting q̂ on {len(log)} decisions")
    enough = overlap(log, candidate, rules, few_people=bool(few_people)).sufficient
    expected = crossfitted_reward(log, jobs=jobs) if enough else np.zeros(candidate.shape)
    progress("estimating")
    found = value_of(
        log,
        candidate,
        expected,
        reference=rules,
        calibration=calibration(log),
        observation=observation_probability(log, jobs=jobs) if enough else None,
        resamples=resamples,
        jobs=jobs,
        few_people=bool(few_people),
    )
    flattered = [] if tried or not learned_from_all(policy) else ["it learned from these people, which flatters it"]
    about = {"dataset": package.digest, "policy_id": policy.policy_id, "notes": [*_of_few(few_people), *flattered]}
    return about | _document(log, found)


def evaluate_foreign(
    file: Path, resamples: int, jobs: int, progress: Progress, *, few_people: str = "", **columns: Any
) -> dict[str, Any]:
    """The value of the target policy of a table. `columns` holds arguments of `read_foreign_log`. Raises InvalidLog."""
    progress(f"reading {file}")
    foreign = read_foreign_log(file, jobs=jobs, **columns)
    progress("estimating")
    found = value_of(
        foreign.log,
        foreign.target,
        foreign.expected_reward,
        observation=foreign.observation,
        resamples=resamples,
        jobs=jobs,
        few_people=bool(few_people),
    )
    notes = [*foreign.notes, *notes_of(foreign.log), *_of_few(few_people)]
    return {"dataset": file_digest(file), "notes": notes} | _document(foreign.log, found)


def _of_few(reason: str) -> list[str]:
    return [f"one participant may have more than 5 % of the weight: {reason}"] if reason else []


def notes_of(log: LoggedBanditData) -> list[str]:
    """What the rewards say about the intervals: with few events a t interval is too narrow."""
    seen = log.reward[log.observed]
    usual = np.median(seen)
    people = len(np.unique(log.participant[log.observed & (log.reward != usual)]))
    if people >= FEWEST_WITH_EVENTS:
        return []
    return [f"only {people} participants have a reward other than {usual:g}: the intervals may be too narrow"]


def _document(log: LoggedBanditData, found: Valuation) -> dict[str, Any]:
    values: dict[str, Any] = rounded(asdict(found))
    reward, who = log.reward[log.observed], log.participant[log.observed]
    logged = clustered_t(reward, who) if len(np.unique(who)) > 1 else None
    return {
        "rounds": len(log),
        "participants": len(np.unique(log.participant)),
        "rewards_missing": int((~log.observed).sum()),
        "behavior_mean": rounded(float(np.nanmean(log.reward))),
        "logged": rounded(asdict(logged)) if logged else None,
        "problems": found.overlap.problems,
        **values,
    }
