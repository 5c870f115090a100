"""Promotion and rollback: they work on files, lose nothing, and need the gate's verdict."""

import json
import subprocess
import sys
from itertools import pairwise
from pathlib import Path

import pytest

from coach_model.budget.coach import CONTRACT
from coach_model.onnx_policy import PROMOTED, ArtifactRefused, load_policy
from tests.support.artifacts import PACKAGED, judged
from training.registry.artifact import write_artifact
from training.registry.promote import NotPromoted, promote, put_in_shadow, rollback, take_from_shadow
from training.registry.signing import VERDICT_FILE

SERVED = "budget"


@pytest.fixture
def candidates(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> list[Path]:
    """Three artifacts that the gate of this working folder has promoted."""
    monkeypatch.chdir(tmp_path)
    return [judged(tmp_path / f"candidate-{n}", f"budget/test+{n}") for n in range(3)]


def served(models: Path) -> str:
    return load_policy(models / SERVED, CONTRACT).policy_id


def test_several_promotions_can_be_rolled_back_one_by_one(candidates: list[Path], tmp_path: Path) -> None:
    models = tmp_path / "models"
    for number, candidate in enumerate(candidates):
        change = promote(candidate, models)
        assert (change.policy_id, served(models)) == (f"budget/test+{number}", f"budget/test+{number}")
    for number in (1, 0):
        assert rollback(models).policy_id == served(models) == f"budget/test+{number}"
    with pytest.raises(NotPromoted, match="nothing to go back to"):
        rollback(models)
    actions = [json.loads(line)["action"] for line in (models / "history.jsonl").read_text().splitlines()]
    assert actions == ["promote"] * 3 + ["rollback"] * 2


def test_after_a_rollback_another_artifact_can_be_promoted_and_rolled_back(
    candidates: list[Path], tmp_path: Path
) -> None:
    models = tmp_path / "models"
    promote(candidates[0], models)
    promote(candidates[1], models)
    rollback(models)
    promote(candidates[2], models)
    assert rollback(models).policy_id == "budget/test+0"


def test_a_verdict_without_a_judgement_is_refused(candidates: list[Path], tmp_path: Path) -> None:
    policy = load_policy(candidates[0], CONTRACT)
    write_artifact(candidates[0], policy.graph, {k: v for k, v in policy.card.items() if k != "gate"})
    with pytest.raises(NotPromoted, match="card is not the one"):
        promote(candidates[0], tmp_path / "models")


def test_an_interrupted_promotion_is_recorded_when_it_is_repeated(candidates: list[Path], tmp_path: Path) -> None:
    models = tmp_path / "models"
    promote(candidates[0], models)
    policy = load_policy(candidates[1], CONTRACT)
    write_artifact(models / SERVED, policy.graph, dict(policy.card))  # killed before the history was written
    assert promote(candidates[1], models).before == "budget/test+0"
    with pytest.raises(NotPromoted, match="already"):
        promote(candidates[1], models)
    assert rollback(models).policy_id == "budget/test+0"


@pytest.mark.parametrize("verdict", ["insufficient evidence", "reject", ""])
def test_without_the_gates_verdict_a_reason_is_needed(verdict: str, candidates: list[Path], tmp_path: Path) -> None:
    policy = load_policy(candidates[0], CONTRACT)
    write_artifact(candidates[0], policy.graph, dict(policy.card) | {"verdict": verdict})
    models = tmp_path / "models"
    with pytest.raises(NotPromoted, match="verdict"):
        promote(candidates[0], models)
    assert not models.exists()
    change = promote(candidates[0], models, despite="a demonstration")
    assert (change.reason, change.verdict) == ("a demonstration", verdict)


def test_an_invalid_artifact_is_never_promoted(candidates: list[Path], tmp_path: Path) -> None:
    (candidates[0] / "policy.onnx").write_bytes(b"nothing")
    with pytest.raises(ArtifactRefused):
        promote(candidates[0], tmp_path / "models")
    assert not (tmp_path / "models").exists()


def test_in_the_default_folder_the_packaged_artifact_is_the_former_one(candidates: list[Path]) -> None:
    promote(candidates[0])
    assert rollback().policy_id == served(PROMOTED) == load_policy(PACKAGED, CONTRACT).policy_id


def test_an_interrupted_promotion_can_be_repeated(candidates: list[Path], tmp_path: Path) -> None:
    models = tmp_path / "models"
    promote(candidates[0], models)
    (models / SERVED / "policy.onnx").write_bytes((candidates[1] / "policy.onnx").read_bytes())
    assert promote(candidates[1], models).before == "budget/test+0"
    assert rollback(models).policy_id == served(models) == "budget/test+0"


def test_promoting_the_same_artifact_twice_is_refused(candidates: list[Path], tmp_path: Path) -> None:
    promote(candidates[0], tmp_path / "models")
    with pytest.raises(NotPromoted, match="already"):
        promote(candidates[0], tmp_path / "models")


def test_a_challenger_needs_no_verdict_and_replaces_nothing(candidates: list[Path], tmp_path: Path) -> None:
    models = tmp_path / "models"
    promote(candidates[0], models)
    put_in_shadow(PACKAGED, models)
    assert served(models) == "budget/test+0"
    assert load_policy(models / "budget-challenger", CONTRACT).policy_id == load_policy(PACKAGED, CONTRACT).policy_id
    take_from_shadow(models)
    with pytest.raises(NotPromoted, match="no challenger"):
        take_from_shadow(models)


def test_the_history_keeps_the_signed_verdict(candidates: list[Path], tmp_path: Path) -> None:
    promote(candidates[0], tmp_path / "models")
    kept = tmp_path / "models" / "history" / "budget-test-0" / VERDICT_FILE
    assert kept.read_bytes() == (candidates[0] / VERDICT_FILE).read_bytes()


RACE = """
import sys
from pathlib import Path
from training.registry.promote import NotPromoted, promote, rollback
for turn in range(12):
    try:
        promote(Path(sys.argv[1]), Path("models"), despite="a race")
        if turn % 3 == 2: rollback(Path("models"))
    except NotPromoted as refused:
        assert "already" in str(refused) or "nothing" in str(refused), refused
"""


def test_promotions_at_once_follow_each_other(candidates: list[Path], tmp_path: Path) -> None:
    """Without a lock, a graph was left with the card of another one, and histories lost lines."""
    racing = [
        subprocess.Popen([sys.executable, "-c", RACE, str(candidate)], cwd=tmp_path, stderr=subprocess.PIPE)
        for candidate in candidates
    ]
    assert [one.communicate()[1].decode() for one in racing] == ["", "", ""]
    assert all(one.returncode == 0 for one in racing)
    models = tmp_path / "models"
    lines = [json.loads(line) for line in (models / "history.jsonl").read_text().splitlines()]
    assert served(models) == lines[-1]["policy_id"]
    for before, after in pairwise(lines):
        if after["action"] == "promote":
            assert after["before"] == before["policy_id"]
    while len(lines) > 1:
        try:
            rollback(models)
        except NotPromoted:
            break
        load_policy(models / SERVED, CONTRACT)
