"""A killed export leaves no files, and no incomplete file under its name."""

import json
import os
import subprocess
import sys
import time
import zipfile
from pathlib import Path

import pytest

from api.db import unfinished
from api.kakei.exports import spool
from api.kakei.exports.spool import new_folder, sweep
from tests.support.serving import service

SECRET = "Jx4-of an export that is killed-62bTy"
HOLD = """
import sys, time
from api.kakei.exports.spool import new_folder
with new_folder() as folder:
    (folder / "export.json").write_text("half")
    print(folder, flush=True)
    time.sleep(600)
"""


def test_a_start_sweeps_what_a_killed_service_left_and_no_living_export(tmp_path: Path) -> None:
    def exporting() -> tuple[subprocess.Popen[str], Path]:
        process = subprocess.Popen([sys.executable, "-c", HOLD], cwd=tmp_path, stdout=subprocess.PIPE, text=True)
        assert process.stdout is not None
        return process, tmp_path / process.stdout.readline().strip()

    killed, left = exporting()
    living, kept = exporting()
    try:
        killed.kill()
        killed.wait()
        assert (left / "export.json").exists()
        with service(tmp_path):
            assert not left.exists()
            assert (kept / "export.json").exists()
    finally:
        living.kill()
        for process in (killed, living):
            process.wait()
            assert process.stdout is not None
            process.stdout.close()


def test_a_spool_holds_nothing_afterwards(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(spool, "SPOOL", tmp_path / "spool")
    with new_folder() as folder:
        (folder / "x").touch()
        sweep()
        assert (folder / "x").exists()
    assert list((tmp_path / "spool").iterdir()) == []


@pytest.mark.long
@pytest.mark.parametrize(("kind", "name"), [("json", "out.json"), ("ndjson", "out.ndjson"), ("csv", "out.zip")])
def test_a_killed_command_leaves_no_half_file_under_the_name(kind: str, name: str, tmp_path: Path) -> None:
    """Killed as soon as it writes; a file of that name is whole, and the next export removes the rest."""
    environment = os.environ | {
        "DATABASE_URL": f"sqlite:///{tmp_path}/own.db",
        "SECRET_KEY": SECRET,
    }
    command = [sys.executable, "-m", "api"]
    subprocess.run([*command, "db", "upgrade"], cwd=tmp_path, env=environment, check=True, capture_output=True)
    export = [*command, "research", "export", name, "--format", kind]
    with subprocess.Popen(export, cwd=tmp_path, env=environment, stdout=subprocess.DEVNULL) as process:
        seen: set[str] = set()
        while process.poll() is None and not any(entry.endswith(".part") for entry in seen):
            seen = {path.name for path in tmp_path.iterdir()}
            time.sleep(0.001)
        process.kill()
    if (tmp_path / name).exists():
        assert is_whole(tmp_path / name)
    (tmp_path / name).unlink(missing_ok=True)
    again = subprocess.run(export, cwd=tmp_path, env=environment, check=False, capture_output=True, text=True)
    assert again.returncode == 0, again.stderr
    assert is_whole(tmp_path / name)
    assert {path.name for path in tmp_path.iterdir() if name in path.name} == {name}


def is_whole(file: Path) -> bool:
    if file.suffix == ".zip":
        with zipfile.ZipFile(file) as packed:
            return packed.testzip() is None
    lines = file.read_text(encoding="utf-8").splitlines() if file.suffix == ".ndjson" else [file.read_text("utf-8")]
    return all(isinstance(json.loads(line), dict) for line in lines) and bool(lines)


HOLD_NOTED = """
import sys, time
from pathlib import Path
from api.db.scratch import BACKUP, scratch_folder
from api.db.unfinished import noted
from api.kakei.exports.actions import unfinished_names
there = Path(sys.argv[1])
half, packing = unfinished_names(there / "study.zip")
with noted(half, packing), scratch_folder(there, BACKUP) as folder, noted(folder):
    half.mkdir()
    (half / "decisions.csv").write_text("half")
    packing.write_text("half")
    (folder / "payload").write_text("half")
    print("written", flush=True)
    time.sleep(600)
"""


@pytest.mark.long
@pytest.mark.parametrize("sweeper", ["service", "research export", "db backup"])
def test_what_killed_commands_left_elsewhere_is_swept_at_the_next_start(sweeper: str, tmp_path: Path) -> None:
    """In folders that the user named; of a command that lives nothing is touched."""
    here, elsewhere, busy = tmp_path / "here", tmp_path / "elsewhere", tmp_path / "busy"
    for folder in (here, elsewhere, busy):
        folder.mkdir()
    (elsewhere / "kept.part").touch()
    (elsewhere / ".another.part").touch()
    held = [
        subprocess.Popen([sys.executable, "-c", HOLD_NOTED, str(folder)], cwd=here, stdout=subprocess.PIPE, text=True)
        for folder in (elsewhere, busy)
    ]
    try:
        for process in held:
            assert process.stdout is not None
            assert process.stdout.readline() == "written\n"
        held[0].kill()
        held[0].wait()
        assert len(list(elsewhere.iterdir())) == 5
        if sweeper == "service":
            with service(here):
                pass
        else:
            environment = os.environ | {"DATABASE_URL": f"sqlite:///{here}/own.db", "SECRET_KEY": SECRET}
            for arguments in (["db", "upgrade"], [*sweeper.split(), "out.json"]):
                command = [sys.executable, "-m", "api", *arguments]
                subprocess.run(command, cwd=here, env=environment, check=True, capture_output=True)
        assert {path.name for path in elsewhere.iterdir()} == {"kept.part", ".another.part"}
        assert len(list(busy.iterdir())) == 3
    finally:
        for process in held:
            process.kill()
            process.wait()
            assert process.stdout is not None
            process.stdout.close()


def test_a_note_removes_no_link_and_nothing_of_another_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "precious").mkdir()
    (tmp_path / ".link.part").symlink_to(tmp_path / "precious")
    (tmp_path / ".gone.part").touch()
    unfinished.NOTES.mkdir(parents=True)
    names = [str(tmp_path / name) for name in ("precious", ".link.part", ".gone.part", ".", "..", ".not-there.part")]
    (unfinished.NOTES / "note").write_text(json.dumps(names), encoding="utf-8")
    (unfinished.NOTES / "broken").write_text("[", encoding="utf-8")
    unfinished.sweep()
    assert {path.name for path in tmp_path.iterdir()} == {"precious", ".link.part", "var"}
    assert list(unfinished.NOTES.iterdir()) == []
