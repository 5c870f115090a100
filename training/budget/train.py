"""Trains the budget coach: fits a policy to the training split, evaluates it on the evaluation split, writes graph and
card."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

from coach_model.budget.study import Phase
from data.logs.budget import BudgetLog, budget_log
from data.packages.reader import read_package
from training.budget.card import policy_card
from training.budget.card_evaluation import evaluate, truth_of
from training.budget.onnx_export import policy_graph
from training.budget.reward_model import RewardModel, fit_reward_model
from training.budget.target_policy import TargetPolicy, fit_target_policy
from training.registry.artifact import write_artifact

LEARNED_FROM, ALL_PARTICIPANTS = "learned_from", "all participants of the explore phase"
"""On the card of a policy that did not learn from the training split alone."""

type Progress = Callable[[str], None]


def train(
    dataset: Path, out: Path, version: str, progress: Progress = lambda _: None, *, all_participants: bool = False
) -> dict[str, Any]:
    """Train the budget coach on the package in `dataset`, write the artifact into `out`, return its card.

    The policy learns from the training split, and is evaluated on the others. With `all_participants` it learns from
    all explore rounds instead, which a confirm phase of its own judges by fresh draws. The evaluation is then of the
    policy that the training split alone would give. Raises InvalidPackage for an invalid dataset, ValueError when it is
    too small for training.
    """
    progress(f"reading {dataset}")
    package = read_package(dataset)
    log = budget_log(package)
    learners, judges = log.where(log.learns), log.where(~log.learns)
    if not len(learners) or not len(judges):
        raise ValueError(
            f"{dataset}: {len(learners)} decisions for training and {len(judges)} to judge by; both are needed"
        )
    progress(f"training on {len(learners)} decisions")
    model, policy = learn(learners)
    progress(f"evaluating on {len(judges)} decisions of other people")
    evaluation = evaluate(policy.levels, model, judges, package)
    if all_participants:
        learners = log.where(log.phase == Phase.EXPLORE)
        progress(f"training on all {len(learners)} explore decisions")
        model, policy = learn(learners)
        what = {"what": "the procedure: the policy that the split `learn` alone gives", "on": "the split `judge`"}
        evaluation = replace(evaluation, judged=evaluation.judged | what, truth=truth_of(policy.levels, package))
    graph = policy_graph(policy)
    card = policy_card(graph, policy, model, learners, evaluation, package, version)
    if all_participants:
        card["training"] |= {LEARNED_FROM: ALL_PARTICIPANTS}
    write_artifact(out, graph, card)
    return card


def learn(learners: BudgetLog) -> tuple[RewardModel, TargetPolicy]:
    """Fit the reward model and the target policy to `learners`, the rows of the training split."""
    model = fit_reward_model(learners)
    return model, fit_target_policy(model, learners.context)
