import json
import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import onnxruntime as ort
import pytest

from coach_model.budget.coach import CONTRACT, composite_levels
from coach_model.onnx_policy import load_policy
from data.logs.budget import budget_log
from data.packages.reader import InvalidPackage, Package, read_package, write_package
from data.synthetic.study import StudyConfig, metadata, simulate
from tests.support.artifacts import PACKAGED
from tests.support.contexts import random_contexts
from tests.support.samples import SAMPLE
from training.budget.run_gate import rounds_to_judge_by
from training.budget.train import train

ROOT = Path(__file__).parents[3]
VERSION = "2026.11.1"
COMMAND = str(Path(sys.executable).with_name("buddy-train"))


def trained_elsewhere(out: Path, **environment: str) -> tuple[bytes, bytes]:
    """The artifact that a new process makes from the sample."""
    command = [COMMAND, "train", str(SAMPLE), "--out", str(out), "--no-track"]
    subprocess.run(
        [*command, "--version", VERSION], check=True, env=os.environ | environment, cwd=ROOT, stdout=subprocess.DEVNULL
    )
    return (out / "policy.onnx").read_bytes(), (out / "policy.json").read_bytes()


@pytest.mark.long
def test_hash_seed_and_threads_do_not_change_a_byte(tmp_path: Path) -> None:
    one = trained_elsewhere(tmp_path / "one", PYTHONHASHSEED="0", OMP_NUM_THREADS="1", OPENBLAS_NUM_THREADS="1")
    two = trained_elsewhere(tmp_path / "two", PYTHONHASHSEED="4242", OMP_NUM_THREADS="2", OPENBLAS_NUM_THREADS="2")
    assert one == two


@pytest.mark.long
@pytest.mark.parametrize("kernels", ["", "Prescott", "Nehalem"])
def test_the_packaged_artifact_comes_from_the_sample(kernels: str, tmp_path: Path) -> None:
    """The bytes are equal. If a processor rounds a weight differently, at least the decisions are equal."""
    graph, card = trained_elsewhere(tmp_path, **({"OPENBLAS_CORETYPE": kernels} if kernels else {}))
    packaged = (PACKAGED / "policy.onnx").read_bytes()
    if graph == packaged:
        assert card == (PACKAGED / "policy.json").read_bytes()
    else:
        rows = random_contexts(100_000, seed=8)
        levels = [ort.InferenceSession(g).run(["level"], {"context": rows})[0] for g in (graph, packaged)]
        assert (levels[0] == levels[1]).all(axis=1).mean() >= 0.999


def test_the_card_states_the_verdict_and_the_evaluation() -> None:
    card = json.loads((PACKAGED / "policy.json").read_text())
    assert card["synthetic"] is True
    assert card["verdict"] == "insufficient evidence"
    assert any("confirm" in reason for reason in card["reasons"])
    assert "difference" not in card["evaluation"]["joint"]  # too little overlap: no value, no interval
    truth, estimate = card["evaluation"]["truth"], card["evaluation"]["additive"]["difference"]
    assert truth["v_decision"]["value"] > truth["v_decision_rules"]["value"]
    assert estimate["low"] <= truth["v_decision_difference"]["value"] <= estimate["high"]
    for counts in card["training_contexts"].values():
        assert all(count is None or count == 0 or count >= 5 for count in counts)
        assert counts.count(None) != 1  # a single suppressed count could be computed by subtraction


def test_a_dataset_that_is_too_small_is_refused_and_nothing_is_written(tmp_path: Path) -> None:
    config = StudyConfig(participants=6, explore_weeks=2, seed=3)
    study = simulate(config)
    write_package(tmp_path / "few", study.tables, name="few", title="Few", about=metadata(config))
    with pytest.raises(ValueError, match=r"participants|judge"):
        train(tmp_path / "few", tmp_path / "out", VERSION)
    with pytest.raises(InvalidPackage, match="descriptor"):
        train(tmp_path / "nowhere", tmp_path / "out", VERSION)
    assert not (tmp_path / "out").exists()


def test_a_synthetic_package_that_differs_from_its_simulator_is_refused(tmp_path: Path) -> None:
    config = StudyConfig(participants=60, explore_weeks=4, seed=3)
    about = metadata(replace(config, seed=4))
    write_package(tmp_path / "lie", simulate(config).tables, name="lie", title="Lie", about=about)
    with pytest.raises(ValueError, match="is not what"):
        train(tmp_path / "lie", tmp_path / "out", VERSION)


def test_data_of_unknown_origin_are_used_without_a_truth(tmp_path: Path) -> None:
    config = StudyConfig(participants=80, explore_weeks=6, seed=9)
    write_package(tmp_path / "real", simulate(config).tables, name="real", title="Real", about={}, kind="parquet")
    card = train(tmp_path / "real", tmp_path / "out", VERSION)
    assert card["synthetic"] is False
    assert card["evaluation"]["truth"] is None
    assert np.isfinite(card["evaluation"]["additive"]["difference"]["estimate"])


def test_commands_fail_with_one_clear_line(tmp_path: Path) -> None:
    command = [COMMAND, "train", str(tmp_path / "nowhere"), "--out", str(tmp_path / "out")]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 2
    assert done.stderr.startswith("error: ")
    assert len(done.stderr.strip().splitlines()) == 1


@pytest.mark.long
def test_a_policy_that_learned_from_all_is_judged_by_its_own_confirm_phase_alone(tmp_path: Path) -> None:
    config = StudyConfig(participants=120, explore_weeks=8, seed=11)
    about = metadata(config)
    write_package(tmp_path / "explore", simulate(config).tables, name="e", title="E", about=about, kind="parquet")
    split = train(tmp_path / "explore", tmp_path / "split", VERSION)
    card = train(tmp_path / "explore", tmp_path / "all", VERSION, all_participants=True)
    assert card["training"]["participants"] == 120 > split["training"]["participants"]
    assert card["training"]["learned_from"] == "all participants of the explore phase"
    assert "learned_from" not in split["training"]
    assert card["evaluation"]["additive"] == split["evaluation"]["additive"]  # that of the procedure
    assert card["evaluation"]["judged"]["what"].startswith("the procedure")

    policy, other = load_policy(tmp_path / "all", CONTRACT), load_policy(tmp_path / "split", CONTRACT)
    explored = budget_log(read_package(tmp_path / "explore"))
    rows, tried = rounds_to_judge_by(explored, policy)
    assert not tried
    confirmed = replace(config, explore_weeks=2, confirm_weeks=4, seed=12)
    study = simulate(confirmed, lambda contexts: composite_levels(policy, contexts), policy.policy_id)
    log = budget_log(Package(tmp_path, study.tables, metadata(confirmed), ""))
    log = replace(log, candidate_id=np.where(log.week < 4, other.policy_id, policy.policy_id).astype(object))
    rows, tried = rounds_to_judge_by(log, policy)
    assert tried
    assert set(rows.candidate_id) == {policy.policy_id}
    rows, _ = rounds_to_judge_by(log, other)
    assert set(rows.candidate_id) == {policy.policy_id, other.policy_id}
    assert not rows.learns[rows.candidate_id == policy.policy_id].any()
