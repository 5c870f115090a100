import json
from pathlib import Path

import pytest

from coach_model.budget.coach import CONTRACT
from coach_model.onnx_policy import LARGEST_FILE, ArtifactMissing, ArtifactRefused, load_policy
from tests.support import artifacts


def test_the_packaged_artifact_is_served() -> None:
    policy = load_policy(artifacts.PACKAGED, CONTRACT)
    assert policy.policy_id == policy.card["policy_id"]
    assert policy.policy_id.startswith("budget/")


def test_an_empty_folder_is_missing_and_half_a_pair_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ArtifactMissing):
        load_policy(tmp_path / "nowhere", CONTRACT)
    (tmp_path / "policy.onnx").write_bytes(artifacts.packaged_graph())
    with pytest.raises(ArtifactRefused, match=r"policy\.json is missing"):
        load_policy(tmp_path, CONTRACT)


@pytest.mark.parametrize(
    ("graph", "changes", "why"),
    [
        (b"", {}, "cannot load it"),
        (artifacts.packaged_graph()[:1000], {}, "cannot load it"),
        (artifacts.packaged_graph(), {"onnx": {"SHA-256": "0" * 64}}, "sha256"),
        (artifacts.packaged_graph(), {"context_schema": "budget-context/2"}, "context_schema"),
        (artifacts.packaged_graph(), {"action_schema": "budget-levels/2"}, "action_schema"),
        (artifacts.packaged_graph(), {"coach": "daily"}, "coach"),
        (artifacts.packaged_graph(), {"format": "something else"}, "format"),
        (artifacts.packaged_graph(), {"policy_id": 7}, "policy_id"),
        (artifacts.another_models_graph(), {}, "inputs are"),
    ],
)
def test_a_pair_that_does_not_match_is_refused(
    graph: bytes, changes: dict[str, object], why: str, tmp_path: Path
) -> None:
    artifacts.write(tmp_path, graph, **changes)
    with pytest.raises(ArtifactRefused, match=why):
        load_policy(tmp_path / "budget", CONTRACT)


@pytest.mark.parametrize(
    "card", ["", "[]", "{}", "nonsense", "[" * 200_000, json.dumps({"format": "buddy-policy-card/1"})]
)
def test_an_invalid_card_is_refused(card: str, tmp_path: Path) -> None:
    artifacts.write(tmp_path, artifacts.packaged_graph())
    (tmp_path / "budget" / "policy.json").write_text(card)
    with pytest.raises(ArtifactRefused, match=r"policy\.json"):
        load_policy(tmp_path / "budget", CONTRACT)


def test_a_huge_file_is_refused_unread(tmp_path: Path) -> None:
    artifacts.write(tmp_path, artifacts.packaged_graph())
    with (tmp_path / "budget" / "policy.onnx").open("wb") as file:
        file.truncate(LARGEST_FILE + 1)
    with pytest.raises(ArtifactRefused, match="larger than"):
        load_policy(tmp_path / "budget", CONTRACT)


def test_a_folder_in_a_files_place_is_refused(tmp_path: Path) -> None:
    artifacts.write(tmp_path, artifacts.packaged_graph())
    (tmp_path / "budget" / "policy.onnx").unlink()
    (tmp_path / "budget" / "policy.onnx").mkdir()
    with pytest.raises(ArtifactRefused):
        load_policy(tmp_path / "budget", CONTRACT)
