import os
import subprocess
import sys
from pathlib import Path

from tests.conftest import SAMPLE

READ = """
import mlflow
(run,) = mlflow.search_runs(experiment_names=["budget-coach"], output_format="list")
files = {f.path for f in mlflow.artifacts.list_artifacts(run_id=run.info.run_id, artifact_path="policy")}
print(run.data.tags["policy_id"], run.data.params["dataset"], run.data.metrics["true_v_decision"], *sorted(files))
"""


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
