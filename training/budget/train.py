"""Trains the budget coach: fits a policy to the training split, evaluates it on the evaluation split, writes graph and
card."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

from data.logs.budget import BudgetLog, budget_log
from data.packages.reader import read_package
from training.budget.card import policy_card
from training.budget.card_evaluation import evaluate
from training.budget.onnx_export import policy_graph
from training.budget.reward_model import RewardModel, fit_reward_model
from training.budget.target_policy import TargetPolicy, fit_target_policy
from training.registry.artifact import write_artifact

type Progress = Callable[[str], None]


def train(dataset: Path, out: Path, version: str, progress: Progress = lambda _: None) -> dict[str, Any]:
    """Train the budget coach on the package in `dataset`, write the artifact into `out`, return its card.

    Raises InvalidPackage for an invalid dataset, ValueError when it is too small for training.
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
    graph = policy_graph(policy)
    progress(f"evaluating on {len(judges)} decisions of other people")
    evaluation = evaluate(policy.levels, model, judges, package)
    card = policy_card(graph, policy, model, learners, evaluation, package, version)
    write_artifact(out, graph, card)
    return card


def learn(learners: BudgetLog) -> tuple[RewardModel, TargetPolicy]:
    """Fit the reward model and the target policy to `learners`, the rows of the training split."""
    model = fit_reward_model(learners)
    return model, fit_target_policy(model, learners.context)
