"""Writes an artifact: the graph and its card. The card states the policy's origin, its evaluation and its verdict."""

import hashlib
import importlib.metadata
import json
import os
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from coach_model.budget.actions import LEVERS
from coach_model.budget.actions import SCHEMA_VERSION as ACTION_SCHEMA
from coach_model.budget.context import FEATURES
from coach_model.budget.context import SCHEMA_VERSION as CONTEXT_SCHEMA
from coach_model.budget.rules import RULES_VERSION
from coach_model.onnx_policy import CARD_FILE, CARD_FORMAT, GRAPH_FILE
from data.logs.budget import BudgetLog
from data.packages.reader import Package
from data.rewards.reward import REWARD
from training.budget.card_evaluation import Evaluation
from training.budget.onnx_export import IR_VERSION, OPSET
from training.budget.reward_model import RewardModel
from training.budget.target_policy import RULES_MARGIN, SUPPORT_QUANTILE, TEMPERATURE, TargetPolicy

LIBRARIES = ("numpy", "scikit-learn", "onnx")
HISTOGRAM_BINS = 10
SMALLEST_CELL = 5
"""A count below this could identify a person and is suppressed."""


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


def write_artifact(folder: Path, graph: bytes, card: dict[str, Any]) -> None:
    """Write the pair into `folder`, each file by an atomic rename. Between the two renames a reader sees a pair that
    does not match, and refuses it."""
    folder.mkdir(parents=True, exist_ok=True)
    card_bytes = (json.dumps(card, indent=2, ensure_ascii=False) + "\n").encode()
    for name, content in ((GRAPH_FILE, graph), (CARD_FILE, card_bytes)):
        new = folder / f".{name}.new"
        with new.open("wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        new.replace(folder / name)


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


def histograms(contexts: npt.NDArray[np.float32], names: Sequence[str]) -> dict[str, list[int | None]]:
    """For each feature, the number of training contexts (n, d) in each tenth of [0, 1]; None for suppressed counts."""
    counts = {
        name: np.histogram(contexts[:, column], HISTOGRAM_BINS, (0, 1))[0].tolist() for column, name in enumerate(names)
    }
    return {name: _suppressed(cells) for name, cells in counts.items()}


def _suppressed(cells: list[int]) -> list[int | None]:
    """Small cells as None. When only one cell is small, the smallest other cell is suppressed too, because the total
    would reveal the first."""
    small = [0 < cell < SMALLEST_CELL for cell in cells]
    if sum(small) == 1:
        rest = [index for index, cell in enumerate(cells) if cell >= SMALLEST_CELL]
        small[min(rest, key=lambda index: cells[index])] = True
    return [None if hidden else cell for cell, hidden in zip(cells, small, strict=True)]
