"""Trains the daily coach: fits a ranking to some households, evaluates it on the others, writes graph and card."""

import hashlib
import importlib.metadata
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np

from coach_model.daily.candidates import FEATURES
from coach_model.daily.coach import CONTRACT
from coach_model.daily.rules import RULES_VERSION
from coach_model.onnx_policy import CARD_FORMAT, load_policy
from data.logs.daily import DailyLog, read_daily_log
from data.synthetic.households import HouseholdConfig
from training.budget.gate import level_of_look
from training.budget.interim_looks import claim, conclude
from training.budget.onnx_export import IR_VERSION, OPSET
from training.budget.run_gate import rounded
from training.daily.evaluate import Judged, judge, rollout, scores_of
from training.daily.graph import ranking_graph
from training.daily.ranking import PRODUCTS, Ranking, learn_ranking
from training.registry import signing
from training.registry.artifact import histograms, write_artifact

STUDY = "families"
"""The name under which looks are counted: all real households are one study."""
ROLLOUT = HouseholdConfig(households=100, days=56, seed=7)
LIBRARIES = ("numpy", "scikit-learn", "onnx")

type Progress = Callable[[str], None]


def train(
    dataset: Path, out: Path, version: str, progress: Progress = lambda _: None, lives: HouseholdConfig = ROLLOUT
) -> dict[str, Any]:
    """Train the daily coach on a daily log, write the artifact into `out`, return its card. For a log of synthetic
    households, `lives` configures the households of the rollout.

    Raises InvalidDailyLog for an invalid log, TooLittle when it is too small for training.
    """
    progress(f"reading {dataset}")
    log, about = read_daily_log(dataset)
    judges = judging(log)
    learners = log.where(~judges)
    progress(f"training on {int(learners.chosen.sum())} showings")
    ranking = learn_ranking(learners)
    graph = ranking_graph(ranking)
    progress("evaluating on other households")
    judged = judge(log.where(judges), ranking.probability)
    lived = None
    if log.synthetic:
        progress("simulating a rollout")
        lived = rollout(ranking.probability, lives)
    digest = hashlib.sha256(graph).hexdigest()
    card = {
        "format": CARD_FORMAT,
        "policy_id": f"daily/{version}+{digest[:8]}",
        "coach": CONTRACT.coach,
        "synthetic": log.synthetic,
        "verdict": judged.verdict,
        "reasons": judged.reasons,
        "context_schema": CONTRACT.context_schema,
        "action_schema": CONTRACT.action_schema,
        "rules": RULES_VERSION,
        "onnx": {"sha256": digest, "bytes": len(graph), "opset": OPSET, "ir_version": IR_VERSION},
        "dataset": {"digest": about["digest"], "about": {k: v for k, v in about.items() if k != "columns"}},
        "training": _training(learners, ranking),
        "evaluation": rounded(_evaluation(judged)) | {"rollout": rounded(asdict(lived)) if lived else None},
        "effects": _effects(ranking),
        "training_contexts": histograms(learners.features, FEATURES),
        "libraries": {name: importlib.metadata.version(name) for name in LIBRARIES},
    }
    write_artifact(out, graph, card)
    return card


def judge_daily(
    dataset: Path,
    artifact: Path,
    ledger: Path,
    at: str,
    progress: Progress = lambda _: None,
    *,
    keys: tuple[Path, Path] = (signing.KEY, signing.TRUSTED),
) -> dict[str, Any]:
    """Evaluate an artifact on the households that are never used for training, and write the verdict on its card. It is
    signed with the gate's key, the first of `keys`.

    The ledger records each look, and a later look uses a smaller error level. Returns the gate section of the card.
    Raises InvalidDailyLog, ArtifactMissing, ArtifactRefused.
    """
    policy, signer = load_policy(artifact, CONTRACT), signing.signing_key(*keys)
    progress(f"reading {dataset}")
    log, about = read_daily_log(dataset)
    look = claim(
        ledger,
        at,
        (STUDY if not log.synthetic else f"{STUDY} {about['digest']}",),
        about["digest"],
        policy.policy_id,
        None,
    )
    progress("judging")
    judged = judge(log.where(judging(log)), scores_of(policy), 1 - 2 * level_of_look(look.number))
    look = conclude(ledger, look, judged.verdict)
    gate = rounded(_evaluation(judged)) | {
        "verdict": judged.verdict,
        "reasons": judged.reasons,
        "dataset": about["digest"],
        "synthetic": log.synthetic,
        "look": look.number,
    }
    card = dict(policy.card) | {"verdict": judged.verdict, "reasons": judged.reasons, "gate": gate}
    write_artifact(artifact, policy.graph, card)
    signing.sign_judged(artifact, policy.graph, card, asdict(look), signer)
    return gate | {"policy_id": policy.policy_id}


def judging(log: DailyLog) -> Any:
    """(n,): the rows of the households for evaluation."""
    return log.fold == 0


def _training(learners: DailyLog, ranking: Ranking) -> dict[str, Any]:
    return {
        "households": len(np.unique(learners.household)),
        "days": len(learners.slates()),
        "showings": int(learners.chosen.sum()),
        "done": int(np.nansum(learners.done)),
        "support_threshold": ranking.support_threshold,
        "support_outside": round(1 - float(ranking.supported(learners.features).mean()), 4),
    }


def _evaluation(judged: Judged) -> dict[str, Any]:
    return {
        "days": judged.days,
        "households": judged.households,
        "differ_share": judged.differ_share,
        "support": asdict(judged.support),
        "difference": asdict(judged.difference) if judged.difference else None,
        "truth": judged.truth,
    }


def _effects(ranking: Ranking) -> dict[str, float]:
    names = [*FEATURES, *(f"{left} × {right}" for left, right in PRODUCTS)]
    return dict(zip(names, ranking.weights.tolist(), strict=True))
