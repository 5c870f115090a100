"""Evaluates a trained policy against the rules on held-out people, for its card."""

from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from coach_model.budget.actions import LEVELS, LEVERS
from coach_model.budget.rules import rules_levels
from coach_model.exploration import one_hot
from data.logs.budget import BudgetLog
from data.packages.reader import Package
from data.synthetic.people import take
from data.synthetic.study import SIMULATOR_VERSION, LevelPolicy, Study, StudyConfig, simulate
from data.synthetic.truth import v_decision, v_decision_difference, v_rollout
from training.budget.reward_model import RewardModel
from training.ope.estimators import dr, factored_dr
from training.ope.intervals import clustered_t
from training.ope.overlap import Overlap, calibration, overlap

ROLLOUT_PEOPLE = 1000
"""Number of newly drawn people for the true V_rollout."""
DECIMALS = 4


@dataclass(frozen=True)
class Evaluation:
    """The evaluation on a card. Every number is rounded."""

    verdict: str
    reasons: list[str]
    judged: dict[str, Any]
    joint: dict[str, Any]
    additive: dict[str, Any]
    truth: dict[str, Any] | None


def evaluate(policy: LevelPolicy, model: RewardModel, judges: BudgetLog, package: Package) -> Evaluation:
    """Evaluate `policy` (with its fallback to the rules) on `judges`, the rows of held-out participants.

    Rounds without an observed reward are left out and counted. The joint doubly robust difference is given only with
    enough overlap; the additive one is a sensitivity analysis. A synthetic package also gives the truth.
    """
    seen = judges.where(judges.observed)
    ours, theirs = policy(seen.context), rules_levels(seen.context)
    policies = [one_hot(levels, len(LEVELS)) for levels in (ours, theirs)]
    expected = model.expected_reward(seen)
    support = overlap(seen, policies[0], policies[1], calibration(seen))
    joint: dict[str, Any] = {"estimator": "dr", "overlap": _overlap(support)}
    if support.sufficient:
        rounds = dr(seen, policies[0], expected) - dr(seen, policies[1], expected)
        joint["difference"] = _rounded(asdict(clustered_t(rounds, seen.participant)))
    additive = clustered_t(
        factored_dr(seen, policies[0], expected) - factored_dr(seen, policies[1], expected), seen.participant
    )
    confirmed = bool((seen.phase == "confirm").any())
    reasons = [] if confirmed else ["only explore data: a promotion needs a confirm phase"]
    reasons += [f"too little overlap: {problem}" for problem in support.problems]
    return Evaluation(
        verdict="insufficient evidence",
        reasons=reasons or ["this evaluation is no gate"],
        judged={
            "what": "the shipped artifact: best eligible level, rules outside the support",
            "on": "participants of the split `judge`, none of whom it was learned from",
            "participants": len(np.unique(seen.participant)),
            "decisions": len(judges),
            "observed_share": round(len(seen) / len(judges), DECIMALS),
            "differs_from_rules": {
                lever: round(float((ours[:, i] != theirs[:, i]).mean()), DECIMALS) for i, lever in enumerate(LEVERS)
            },
        },
        joint=joint,
        additive={
            "estimator": "factored_dr",
            "role": "sensitivity: unbiased only if the effects of levers add up",
            "difference": _rounded(asdict(additive)),
        },
        truth=truth_of(policy, package),
    )


def _overlap(found: Overlap) -> dict[str, float]:
    """The overlap as on a card, rounded."""
    where = found.differing
    return {
        "differ_share": round(found.differ_share, DECIMALS),
        "effective_sample_size": round(where.effective_sample_size, DECIMALS),
        "largest_participant_share": round(where.largest_participant_share, DECIMALS),
    }


def resimulated(package: Package, candidate: LevelPolicy | None = None, candidate_id: str = "") -> Study | None:
    """The synthetic study of a package, simulated again. None when the package is not synthetic, or when it has a
    confirm phase and its candidate is not given.

    Raises ValueError when a synthetic package differs from what its simulator gives.
    """
    if package.about.get("simulator") != SIMULATOR_VERSION:
        return None
    config = StudyConfig(**package.about["config"])
    if config.confirm_weeks and candidate is None:
        return None
    study = simulate(config, candidate, candidate_id)
    columns = ("decision_id", "budget_used_ratio", "level_wants")
    stored = package.columns("decisions", *columns)
    for column in columns:
        if not np.array_equal(study.tables["decisions"][column], stored[column]):
            raise ValueError(f"{package.path}: decisions.{column} is not what {SIMULATOR_VERSION} gives for its config")
    return study


def truth_of(policy: LevelPolicy, package: Package, policy_id: str = "") -> dict[str, Any] | None:
    """The true values of a policy in a synthetic study: V_decision and V_rollout (see `data.synthetic.truth`).

    V_decision is over the contexts of the evaluation split; after a confirm phase, over all of its contexts. None when
    the truth is not known.
    """
    if package.about.get("simulator") != SIMULATOR_VERSION:
        return None
    confirmed = bool(package.about["config"].get("confirm_weeks"))
    tried = set(package.columns("decisions", "candidate_id")["candidate_id"]) - {None}
    if confirmed and tried != {policy_id}:
        return None  # the study can only be simulated again with the candidate that it tried
    study = resimulated(package, policy if confirmed else None, policy_id)
    if study is None:
        return None
    participants = study.tables["participants"]
    judges = set(participants["participant_id"][participants["split"] == "judge"])
    decisions = study.tables["decisions"]
    rows = decisions["phase"] == "confirm"
    if not confirmed:
        rows = np.array([name in judges for name in decisions["participant_id"]])
    rounds, effect = take(study.rounds, rows), study.config.effect
    ours, theirs = policy(rounds.contexts()), rules_levels(rounds.contexts())
    values = {
        "v_decision": v_decision(rounds, ours, effect=effect),
        "v_decision_rules": v_decision(rounds, theirs, effect=effect),
        "v_decision_difference": v_decision_difference(rounds, ours, theirs, effect=effect),
    }
    config = StudyConfig(**{**asdict(study.config), "participants": ROLLOUT_PEOPLE})
    values |= {"v_rollout": v_rollout(policy, config), "v_rollout_rules": v_rollout(rules_levels, config)}
    return {"simulator": SIMULATOR_VERSION} | {name: _rounded(asdict(value)) for name, value in values.items()}


def _rounded(values: dict[str, Any]) -> dict[str, Any]:
    return {name: round(value, DECIMALS) if isinstance(value, float) else value for name, value in values.items()}
