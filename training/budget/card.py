"""The card of a budget policy: its origin, its evaluation and its verdict."""

import hashlib
import importlib.metadata
from dataclasses import asdict
from typing import Any

import numpy as np

from coach_model.budget.actions import LEVERS
from coach_model.budget.actions import SCHEMA_VERSION as ACTION_SCHEMA
from coach_model.budget.context import FEATURES
from coach_model.budget.context import SCHEMA_VERSION as CONTEXT_SCHEMA
from coach_model.budget.rules import RULES_VERSION
from coach_model.onnx_policy import CARD_FORMAT
from data.logs.budget import BudgetLog
from data.packages.reader import Package
from data.rewards.reward import REWARD
from training.budget.card_evaluation import Evaluation
from training.budget.onnx_export import IR_VERSION, OPSET
from training.budget.reward_model import RewardModel
from training.budget.target_policy import RULES_MARGIN, SUPPORT_QUANTILE, TEMPERATURE, TargetPolicy
from training.registry.artifact import histograms

LIBRARIES = ("numpy", "scikit-learn", "onnx")


def policy_card(
    graph: bytes,
    policy: TargetPolicy,
    model: RewardModel,
    learners: BudgetLog,
    evaluation: Evaluation,
    package: Package,
    version: str,
) -> dict[str, Any]:
    """The card of `graph`. It contains no times and no paths, so that the same data give the same bytes."""
    digest = hashlib.sha256(graph).hexdigest()
    outside = 1 - float(policy.supported(learners.context).mean())
    return {
        "format": CARD_FORMAT,
        "policy_id": f"budget/{version}+{digest[:8]}",
        "coach": "budget",
        "synthetic": bool(package.about.get("synthetic", False)),
        "verdict": evaluation.verdict,
        "reasons": evaluation.reasons,
        "context_schema": CONTEXT_SCHEMA,
        "action_schema": ACTION_SCHEMA,
        "rules": RULES_VERSION,
        "reward": asdict(REWARD),
        "onnx": {"sha256": digest, "bytes": len(graph), "opset": OPSET, "ir_version": IR_VERSION},
        "dataset": {"digest": package.digest, "about": package.about},
        "training": {
            "participants": len(np.unique(learners.participant)),
            "decisions": len(learners),
            "observed": int(learners.observed.sum()),
            "ridge_penalty": model.penalty,
            "baseline_explains": round(model.explained, 4),
            "rules_margin": RULES_MARGIN,
            "temperature": TEMPERATURE,
        },
        "support": {
            "measure": "squared Mahalanobis distance from the mean training context",
            "threshold": round(float(policy.support_threshold), 4),
            "quantile": SUPPORT_QUANTILE,
            "training_share_outside": round(outside, 4),
        },
        "evaluation": {
            "judged": evaluation.judged,
            "joint": evaluation.joint,
            "additive": evaluation.additive,
            "truth": evaluation.truth,
        },
        "effects": _effects(model),
        "training_contexts": histograms(learners.context, FEATURES),
        "libraries": {name: importlib.metadata.version(name) for name in LIBRARIES},
    }


def _effects(model: RewardModel) -> dict[str, Any]:
    """The effect of each lever on the reward: of one step up from hold in the mean context, of a change of the level,
    and the change of the step's effect for each feature one standard deviation above its mean."""
    return {
        lever: {
            "step_up": round(0.5 * effects[0] + 0.25 * effects[1], 4),
            "change": round(effects[-1], 4),
            "step_up_by_feature": {
                name: round(0.5 * effect, 4) for name, effect in zip(FEATURES, effects[2:-1].tolist(), strict=True)
            },
        }
        for lever, effects in zip(LEVERS, model.effects, strict=True)
    }
