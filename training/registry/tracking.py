"""Logs runs to MLflow and registers models. Only this module and the model that it logs (`training.registry.pyfunc`)
import mlflow, because the import takes seconds."""

import importlib.metadata
import logging
import os
import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from coach_model.budget.actions import LEVELS, LEVERS
from coach_model.budget.context import FEATURES

EXPERIMENT = "budget-coach"
BUDGET = "budget"
FOLDER = "policy"
"""Where a run has graph and card."""
MODEL = "coach"
"""The name of the model that a run logs."""
EXAMPLE = (0.62, 0.48, 0.21, 0.08, 0.05, 0.3, 0.5, 0.5, 0.5, 0.4)
"""A context as `FEATURES`, for the model's input example."""
DEFAULT_STORE = Path("var/mlflow.db")
DEFAULTS = {
    "MLFLOW_HTTP_REQUEST_MAX_RETRIES": "2",
    "MLFLOW_HTTP_REQUEST_TIMEOUT": "10",
    "MLFLOW_ENABLE_ARTIFACTS_PROGRESS_BAR": "false",
}
"""Retries and seconds: when the server does not answer, the warning comes within a minute."""
LONGEST_LINE = 300
"""Characters of MLflow's message that are shown."""


class TrackingFailed(ValueError):
    """A run could not be logged. The message is one line and holds no password."""


@contextmanager
def tracked() -> Iterator[None]:
    """Around all logging. What MLflow, its store or a missing driver raises becomes TrackingFailed."""
    try:
        yield
    except TrackingFailed:
        raise
    except Exception as error:  # MLflow passes on what its stores raise
        line = next(filter(None, map(str.strip, str(error).splitlines())), "")
        known = line.replace(tracking_uri(), "…") if "@" in tracking_uri() else line
        said = re.sub(r"://\S*@", "://…@", known)[:LONGEST_LINE]  # a password
        raise TrackingFailed(f"MLflow (MLFLOW_TRACKING_URI, --no-track): {type(error).__name__}: {said}") from error


def tracking_uri() -> str:
    """`MLFLOW_TRACKING_URI`, else an SQLite file under var/."""
    return os.environ.get("MLFLOW_TRACKING_URI") or f"sqlite:///{DEFAULT_STORE}"


@tracked()
def log_trained(card: Mapping[str, Any], artifact: Path) -> str:
    """Log the training run of `artifact` (parameters, metrics, dataset digest, graph and card) and return the run's id.
    The artifact becomes the `challenger` version of the coach's registered model."""
    if card["coach"] != BUDGET:
        run_id = log_run("train", dict(card) | {"dataset": card["dataset"]["digest"]}, files=[artifact])
        set_alias("challenger", card["policy_id"], artifact, run_id)
        return run_id
    mlflow = _mlflow()
    with mlflow.start_run(run_name=card["policy_id"]) as run:
        mlflow.set_tags({"policy_id": card["policy_id"], "verdict": card["verdict"], "synthetic": card["synthetic"]})
        mlflow.log_params({"dataset": card["dataset"]["digest"], **card["training"]})
        mlflow.log_metrics(_metrics(card))
        mlflow.log_artifacts(str(artifact), FOLDER)
    set_alias("challenger", card["policy_id"], artifact, str(run.info.run_id))
    return str(run.info.run_id)


@tracked()
def log_run(kind: str, document: Mapping[str, Any], files: Sequence[Path] = ()) -> str:
    """Log the result of a command and return the run's id. Every number of `document` becomes a metric; policy id,
    verdict and study become tags; the document and `files` become artifacts."""
    mlflow = _mlflow()
    with mlflow.start_run(run_name=f"{kind} {document.get('policy_id', '')}".strip()) as run:
        mlflow.set_tag("command", kind)
        for name in ("policy_id", "verdict", "study"):
            if name in document:
                mlflow.set_tag(name, document[name])
        mlflow.log_param("dataset", document.get("dataset", ""))
        mlflow.log_metrics({_metric(path): value for path, value in _numbers(document).items()})
        mlflow.log_dict(dict(document), f"{kind}.json")
        for file in files:
            log = mlflow.log_artifacts if file.is_dir() else mlflow.log_artifact
            log(str(file), *((FOLDER,) if file.is_dir() else ()))
    return str(run.info.run_id)


def model_of(policy_id: str) -> str:
    """The name of the registered model of a policy. Each coach has one."""
    return f"{policy_id.partition('/')[0]}-coach"


@tracked()
def set_alias(alias: str, policy_id: str, artifact: Path, run_id: str | None = None) -> None:
    """Point the alias of the registered model to the version with this policy.

    A missing version is created as a part of the run `run_id`, or of a new one. It holds the artifact itself: a folder
    of this machine is none of the server's, and holds another policy after the next promotion.
    """
    mlflow, model = _mlflow(), model_of(policy_id)
    client = mlflow.MlflowClient()
    if not client.search_registered_models(f"name='{model}'"):
        client.create_registered_model(model, description=f"Policies of the {model}.")
    known = client.search_model_versions(f"name='{model}' and tag.policy_id='{policy_id}'")
    version = known[0] if known else None
    if version is None:
        with mlflow.start_run(run_id=run_id, run_name=None if run_id else f"register {policy_id}") as run:
            mlflow.set_tag("policy_id", policy_id)
            source, model_id = _log_model(mlflow, policy_id, artifact)
        tags = {"policy_id": policy_id}
        version = client.create_model_version(model, source, run.info.run_id, tags=tags, model_id=model_id)
    client.set_registered_model_alias(model, alias, version.version)


def _log_model(mlflow: Any, policy_id: str, artifact: Path) -> tuple[str, str | None]:
    """Log the artifact in the run. Returns where it is, and the id of the model: the budget coach is one that MLflow
    can load and serve."""
    if model_of(policy_id) != EXPERIMENT:
        mlflow.log_artifacts(str(artifact), FOLDER)
        return f"{mlflow.active_run().info.artifact_uri}/{FOLDER}", None
    example = _example()
    answers = mlflow.types.Schema(
        [mlflow.types.ColSpec(kind, name) for lever in LEVERS for name, kind in _of_lever(lever)]
        + [mlflow.types.ColSpec("string", name) for name in ("source", "policy_id")]
        + [mlflow.types.ColSpec("double", f"prob_{lever}_{level}") for lever in LEVERS for level in range(len(LEVELS))]
    )
    asked = mlflow.types.Schema([mlflow.types.ColSpec("double", name) for name in FEATURES])
    logged = mlflow.pyfunc.log_model(
        name=MODEL,
        python_model=str(Path(__file__).with_name("pyfunc.py")),
        artifacts={FOLDER: str(artifact)},
        signature=mlflow.models.ModelSignature(inputs=asked, outputs=answers),
        input_example=example,
        pip_requirements=[f"buddy-coach=={importlib.metadata.version('buddy-coach')}", f"mlflow=={mlflow.__version__}"],
    )
    return str(logged.artifact_path), str(logged.model_id)


def _of_lever(lever: str) -> list[tuple[str, str]]:
    return [(f"{lever}_percent", "long"), (f"{lever}_because", "string")]


def _example() -> Any:
    """A table of one usual context."""
    import pandas as pd  # noqa: PLC0415 - MLflow brings it

    return pd.DataFrame([EXAMPLE], columns=list(FEATURES))


def _mlflow() -> Any:
    """The mlflow module, configured with the store and the experiment."""
    DEFAULT_STORE.parent.mkdir(parents=True, exist_ok=True)
    import mlflow  # noqa: PLC0415 - the import takes seconds

    for name, value in DEFAULTS.items():
        os.environ.setdefault(name, value)
    for logger in ("mlflow", "alembic"):
        logging.getLogger(logger).setLevel(logging.ERROR)
    mlflow.set_tracking_uri(tracking_uri())
    if mlflow.get_experiment_by_name(EXPERIMENT) is None:
        local = tracking_uri().startswith("sqlite:")
        mlflow.create_experiment(
            EXPERIMENT, (DEFAULT_STORE.parent / "mlartifacts").absolute().as_uri() if local else None
        )
    mlflow.set_experiment(EXPERIMENT)
    return mlflow


def _numbers(document: Any, name: str = "") -> dict[str, float]:
    """Dotted path to value, for every number in a document."""
    if isinstance(document, bool) or document is None:
        return {}
    if isinstance(document, int | float):
        return {name: float(document)}
    if isinstance(document, Mapping):
        inner = [_numbers(one, f"{name}.{key}".strip(".")) for key, one in document.items()]
        return {path: value for found in inner for path, value in found.items()}
    if isinstance(document, list | tuple):
        listed = [_numbers(one, f"{name}.{_named(one, place)}") for place, one in enumerate(document)]
        return {path: value for found in listed for path, value in found.items()}
    return {}


def _metric(path: str) -> str:
    """A path as a metric name with only the characters that MLflow allows."""
    return re.sub(r"[^A-Za-z0-9_ /.-]+", "_", path)


def _named(document: Any, place: int) -> str:
    """The name of a list entry in a metric's path: its own name if it has one, else its position."""
    if isinstance(document, Mapping):
        for key in ("estimator", "name", "action", "policy_id"):
            if key in document:
                return str(document[key])
    return str(place)


def _metrics(card: Mapping[str, Any]) -> dict[str, float]:
    evaluation = card["evaluation"]
    metrics = {f"additive_{name}": value for name, value in evaluation["additive"]["difference"].items()}
    metrics |= {f"overlap_{name}": value for name, value in evaluation["joint"]["overlap"].items()}
    for name, true in (evaluation["truth"] or {}).items():
        if isinstance(true, dict):
            metrics[f"true_{name}"] = true["value"]
    return metrics
