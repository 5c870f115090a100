"""A real tracking server: the registered model is one that MLflow's own users can load, and its aliases move along."""

import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from coach_model.budget.coach import CONTRACT
from coach_model.onnx_policy import load_policy
from tests.support.artifacts import another
from tests.support.local_servers import free_port
from tests.support.samples import SAMPLE

pytestmark = pytest.mark.long

COMMAND = str(Path(sys.executable).with_name("buddy-train"))
STARTS_WITHIN = 120
READ = """
import json, sys, mlflow, pandas as pd
from coach_model.budget.context import FEATURES
from training.registry.tracking import EXAMPLE
model = mlflow.pyfunc.load_model("models:/budget-coach@champion")
table = pd.DataFrame([EXAMPLE, [1.0] * 10], columns=list(FEATURES))
found = model.predict(table)
version = mlflow.MlflowClient().get_model_version_by_alias("budget-coach", "champion")
print(json.dumps({
    "columns": list(found), "policy_id": found["policy_id"].tolist(), "wants": found["wants_percent"].tolist(),
    "sums": [float(found.filter(like=f"prob_{lever}_").iloc[0].sum()) for lever in ("wants", "culture", "savings")],
    "signature": sorted(model.metadata.signature.inputs.input_names()), "version": version.version,
    "example": model.metadata.saved_input_example_info is not None,
}))
"""


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of a tracking server with a database and a folder of artifacts that only it sees."""
    folder, port = tmp_path_factory.mktemp("mlflow"), free_port()
    command = [str(Path(sys.executable).with_name("mlflow")), "server", "--host", "127.0.0.1", "--port", str(port)]
    command += ["--backend-store-uri", f"sqlite:///{folder}/runs.db", "--artifacts-destination", str(folder / "files")]
    with (folder / "log").open("wb") as log:
        process = subprocess.Popen([*command, "--workers", "1"], cwd=folder, stdout=log, stderr=log)
    address, deadline = f"http://127.0.0.1:{port}", time.monotonic() + STARTS_WITHIN
    try:
        while True:
            try:
                if httpx.get(f"{address}/health").status_code == httpx.codes.OK:
                    break
            except httpx.TransportError:
                assert process.poll() is None, (folder / "log").read_text()
            assert time.monotonic() < deadline, (folder / "log").read_text()
            time.sleep(0.2)
        yield address
    finally:
        process.terminate()
        process.wait(30)


def run(folder: Path, address: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [COMMAND, *arguments],
        cwd=folder,
        env=os.environ | {"MLFLOW_TRACKING_URI": address, "MLFLOW_HTTP_REQUEST_MAX_RETRIES": "0"},
        check=False,
        capture_output=True,
        text=True,
    )


def champion(folder: Path, address: str) -> dict[str, object]:
    """What a stranger's process reads of the model."""
    environment = os.environ | {"MLFLOW_TRACKING_URI": address}
    done = subprocess.run(
        [sys.executable, "-c", READ], cwd=folder, env=environment, check=False, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
    found: dict[str, object] = json.loads(done.stdout.splitlines()[-1])
    return found


def test_the_registered_model_answers_and_its_alias_moves_with_promotion_and_rollback(
    server: str, tmp_path: Path
) -> None:
    trained = run(tmp_path, server, "train", str(SAMPLE), "--out", "candidate")
    assert (trained.returncode, trained.stderr) == (0, ""), trained.stderr
    other = another(tmp_path / "other", "budget/other")  # was never registered
    for artifact in ("candidate", "other"):
        done = run(tmp_path, server, "promote", artifact, "--models", "models", "--despite", "a test")
        assert (done.returncode, done.stderr) == (0, ""), done.stderr
    served = champion(tmp_path, server)
    assert served["policy_id"] == ["budget/other", "budget-rules/1"]  # the second context is outside the support
    assert served["sums"] == pytest.approx([1, 1, 1], abs=1e-6)
    assert served["signature"] == sorted(served["signature"])  # type: ignore[call-overload]
    assert served["example"] is True
    back = run(tmp_path, server, "rollback", "--models", "models")
    assert (back.returncode, back.stderr) == (0, ""), back.stderr
    again = champion(tmp_path, server)
    policy = load_policy(tmp_path / "candidate", CONTRACT)
    assert again["policy_id"] == [policy.policy_id, "budget-rules/1"]
    assert again["version"] != served["version"]
    assert load_policy(other, CONTRACT).policy_id == "budget/other"


def test_a_server_that_is_away_costs_neither_verdict_nor_exit_code(tmp_path: Path) -> None:
    away = f"http://127.0.0.1:{free_port()}"
    another(tmp_path / "candidate", "budget/away")
    judged = run(tmp_path, away, "gate", str(SAMPLE), "candidate", "--json")
    assert judged.returncode == 3
    assert '"verdict": "insufficient evidence"' in judged.stdout
    assert judged.stderr.startswith("warning: not logged: MLflow"), judged.stderr
    assert judged.stderr.count("\n") == 1
    promoted = run(tmp_path, away, "promote", "candidate", "--models", "models", "--despite", "a test")
    assert promoted.returncode == 0
    assert "is served from now on" in promoted.stdout
