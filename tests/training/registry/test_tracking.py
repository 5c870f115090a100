import os
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.support.artifacts import PACKAGED, another
from tests.support.samples import SAMPLE

READ = """
import mlflow
(run,) = mlflow.search_runs(experiment_names=["budget-coach"], output_format="list")
files = {f.path for f in mlflow.artifacts.list_artifacts(run_id=run.info.run_id, artifact_path="policy")}
print(run.data.tags["policy_id"], run.data.params["dataset"], run.data.metrics["true_v_decision"], *sorted(files))
"""


@pytest.mark.long
def test_a_training_run_is_logged_with_its_dataset_its_figures_and_its_artifact(tmp_path: Path) -> None:
    environment = os.environ | {"MLFLOW_TRACKING_URI": ""}
    train = [str(Path(sys.executable).with_name("buddy-train")), "train", str(SAMPLE), "--out", str(tmp_path / "out")]
    subprocess.run(train, check=True, cwd=tmp_path, env=environment, stdout=subprocess.DEVNULL)
    environment |= {"MLFLOW_TRACKING_URI": f"sqlite:///{tmp_path}/var/mlflow.db"}
    read = subprocess.run(
        [sys.executable, "-c", READ], check=True, cwd=tmp_path, env=environment, capture_output=True, text=True
    )
    policy_id, dataset, value, *files = read.stdout.split()
    assert policy_id.startswith("budget/")
    assert len(dataset) == 64
    assert 0 < float(value) < 1
    assert files == ["policy/policy.json", "policy/policy.onnx"]


JUDGED = """
import mlflow
from mlflow import MlflowClient
(run,) = mlflow.search_runs(
    experiment_names=["budget-coach"], output_format="list", filter_string="tags.command = 'gate'"
)
files = {f.path for f in mlflow.artifacts.list_artifacts(run_id=run.info.run_id)}
client = MlflowClient()
champion = client.get_model_version_by_alias("budget-coach", "champion").tags["policy_id"]
metric = run.data.metrics["evidence.overlap.differing.effective_sample_size"]
print(run.data.tags["verdict"].replace(" ", "_"), run.data.params["dataset"], metric, champion, *sorted(files))
"""


@pytest.mark.long
def test_a_verdict_and_a_promotion_are_logged_with_their_page_and_the_models_alias(tmp_path: Path) -> None:
    environment = os.environ | {"MLFLOW_TRACKING_URI": ""}
    command = str(Path(sys.executable).with_name("buddy-train"))
    quiet: dict[str, Any] = {"cwd": tmp_path, "env": environment, "stdout": subprocess.DEVNULL}
    shutil.copytree(PACKAGED, tmp_path / "candidate")
    subprocess.run([command, "gate", str(SAMPLE), "candidate"], check=False, **quiet)
    another(tmp_path / "promoted", "budget/promoted")
    subprocess.run([command, "promote", "promoted", "--models", "models", "--despite", "a test"], check=True, **quiet)
    environment = environment | {"MLFLOW_TRACKING_URI": f"sqlite:///{tmp_path}/var/mlflow.db"}
    read = subprocess.run(
        [sys.executable, "-c", JUDGED], check=True, cwd=tmp_path, env=environment, capture_output=True, text=True
    )
    verdict, dataset, size, champion, *files = read.stdout.split()
    assert verdict == "insufficient_evidence"
    assert len(dataset) == 64
    assert 0 < float(size) < 100
    assert champion == "budget/promoted"
    assert files == ["gate.json", "policy", "report.html"]


@pytest.mark.long
@pytest.mark.parametrize(
    "uri",
    ["garbage://x", "nosuch", "http://user:s3cretword@[", "mysql://u:s3cretword@h/x", "mysql://u:pa/s3cretword@h/x"],
)
def test_a_store_that_cannot_be_used_is_a_warning_without_a_password(uri: str, tmp_path: Path) -> None:
    """The policy is in shadow mode: the result comes first, and keeps its exit code."""
    command = str(Path(sys.executable).with_name("buddy-train"))
    shutil.copytree(PACKAGED, tmp_path / "candidate")
    (tmp_path / "policy").write_text("no folder")
    environment = os.environ | {"MLFLOW_TRACKING_URI": uri, "MLFLOW_HTTP_REQUEST_MAX_RETRIES": "0"}
    ended = subprocess.run(
        [command, "promote", "--shadow", "candidate", "--models", "models"],
        cwd=tmp_path,
        env=environment,
        check=False,
        capture_output=True,
        text=True,
    )
    assert ended.returncode == 0
    assert "decides in shadow mode" in ended.stdout
    warned = r"warning: not logged: MLflow \(MLFLOW_TRACKING_URI, --no-track\): [^\n]+\n"
    assert re.fullmatch(warned, ended.stderr), ended.stderr
    assert "s3cretword" not in ended.stderr


@pytest.mark.parametrize("arguments", [["promote", b"\xff"], ["rollback", "--models", b"a\xe9"]])
def test_an_argument_that_is_no_utf8_is_one_line(arguments: list[Any], tmp_path: Path) -> None:
    command = str(Path(sys.executable).with_name("buddy-train"))
    ended = subprocess.run([command, *arguments], check=False, cwd=tmp_path, capture_output=True, text=True)
    assert (ended.returncode, ended.stdout) == (2, "")
    assert ended.stderr == "error: an argument is no text in UTF-8\n"
