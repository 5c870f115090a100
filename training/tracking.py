"""Logs a training run to MLflow. The only place that knows mlflow, which takes seconds to import."""

import logging
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

EXPERIMENT = "budget-coach"
DEFAULT_STORE = Path("var/mlflow.db")


def tracking_uri() -> str:
    """`MLFLOW_TRACKING_URI`, else an SQLite file under var/."""
    return os.environ.get("MLFLOW_TRACKING_URI") or f"sqlite:///{DEFAULT_STORE}"


def log_training(card: Mapping[str, Any], artifact: Path) -> str:
    """Log the run that wrote `artifact` and return its id: parameters, metrics, dataset digest, graph and card."""
    DEFAULT_STORE.parent.mkdir(parents=True, exist_ok=True)
    import mlflow  # noqa: PLC0415 - takes seconds, and only training waits for it

    for chatty in ("mlflow", "alembic"):
        logging.getLogger(chatty).setLevel(logging.WARNING)
    mlflow.set_tracking_uri(tracking_uri())
    if mlflow.get_experiment_by_name(EXPERIMENT) is None:
        local = tracking_uri().startswith("sqlite:")
        mlflow.create_experiment(
            EXPERIMENT, (DEFAULT_STORE.parent / "mlartifacts").absolute().as_uri() if local else None
        )
    mlflow.set_experiment(EXPERIMENT)
    with mlflow.start_run(run_name=card["policy_id"]) as run:
        mlflow.set_tags({"policy_id": card["policy_id"], "verdict": card["verdict"], "synthetic": card["synthetic"]})
        mlflow.log_params({"dataset": card["dataset"]["digest"], **card["training"]})
        mlflow.log_metrics(_metrics(card))
        mlflow.log_artifacts(str(artifact), "policy")
    return str(run.info.run_id)


def _metrics(card: Mapping[str, Any]) -> dict[str, float]:
    evaluation = card["evaluation"]
    metrics = {f"additive_{name}": value for name, value in evaluation["additive"]["difference"].items()}
    metrics |= {f"overlap_{name}": value for name, value in evaluation["joint"]["overlap"].items()}
    for name, true in (evaluation["truth"] or {}).items():
        if isinstance(true, dict):
            metrics[f"true_{name}"] = true["value"]
    return metrics
