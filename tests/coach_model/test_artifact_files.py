"""What lies where an artifact should is read without waiting, or refused."""

import shutil
from importlib import resources
from pathlib import Path

import pytest

from coach_model.budget.coach import CONTRACT
from coach_model.onnx_policy import CARD_FILE, GRAPH_FILE, ArtifactRefused, load_policy
from tests.support.strange_files import STRANGE
from training.registry.promote import contract_of, promote

PACKAGED = Path(str(resources.files("coach_model"))) / "artifacts" / "budget"


@pytest.mark.parametrize("name", [GRAPH_FILE, CARD_FILE])
@pytest.mark.parametrize("kind", STRANGE)
def test_only_regular_files_of_a_bounded_size_are_read(
    kind: str, name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    artifact = tmp_path / "artifact"
    shutil.copytree(PACKAGED, artifact)
    monkeypatch.chdir(artifact)  # the address of a socket is short
    (artifact / name).unlink()
    STRANGE[kind](Path(name))
    with pytest.raises(ArtifactRefused):
        load_policy(artifact, CONTRACT)
    if name == CARD_FILE:
        with pytest.raises(ArtifactRefused):
            contract_of(artifact)
    with pytest.raises(ArtifactRefused):
        promote(artifact, tmp_path / "models")
