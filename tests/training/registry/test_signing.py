"""Signed verdicts: a promotion believes a trusted gate, and nothing that was changed after it signed."""

import json
import os
import stat
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from coach_model.budget.coach import CONTRACT
from coach_model.onnx_policy import load_policy
from tests.support.artifacts import LOOK, another, judged
from training.cli import app
from training.registry.promote import NotPromoted, promote
from training.registry.signing import (
    KEY,
    TRUSTED,
    VERDICT_FILE,
    public_line,
    sign_judged,
    signing_key,
    trust,
    trusted_keys,
    verified,
)

type Change = Callable[[Any], None]


@pytest.fixture
def candidate(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An artifact that the gate of this working folder has promoted."""
    monkeypatch.chdir(tmp_path)
    return judged(tmp_path / "candidate", "budget/test+1")


def edit(file: Path, change: Change) -> None:
    document = json.loads(file.read_bytes())
    change(document)
    file.write_text(json.dumps(document))


def refused(candidate: Path, match: str) -> None:
    with pytest.raises(NotPromoted, match=match):
        promote(candidate, Path("models"))
    assert not Path("models").exists()


def test_a_signed_verdict_promotes(candidate: Path) -> None:
    statement = verified(candidate, load_policy(candidate, CONTRACT))
    assert (statement.verdict, statement.look, statement.dataset) == ("promote", 1, "d" * 64)
    assert promote(candidate, Path("models")).verdict == "promote"


def test_a_hand_edited_card_is_no_proof(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    honest = judged(tmp_path / "honest", "budget/test+2", verdict="insufficient evidence")
    refused(honest, "verdict is 'insufficient evidence'")

    def lie(card: Any) -> None:
        card["verdict"] = card["gate"]["verdict"] = "promote"

    edit(honest / "policy.json", lie)
    refused(honest, "verdict is not the one that the gate has signed")
    edit(honest / VERDICT_FILE, lambda document: document["statement"].update(verdict="promote"))
    refused(honest, "changed after it was signed")
    (honest / VERDICT_FILE).unlink()
    refused(honest, "no gate has signed")


@pytest.mark.parametrize("field", ["dataset", "policy_id", "graph", "card", "ledger_entry", "at", "verdict"])
def test_every_part_of_the_statement_is_signed(field: str, candidate: Path) -> None:
    edit(candidate / VERDICT_FILE, lambda document: document["statement"].update({field: "something else"}))
    refused(candidate, "changed after it was signed")


def test_the_verdict_of_another_artifact_is_not_this_ones(candidate: Path, tmp_path: Path) -> None:
    other = judged(tmp_path / "other", "budget/test+3")
    (other / VERDICT_FILE).write_bytes((candidate / VERDICT_FILE).read_bytes())
    refused(other, "its policy_id is not the one")
    twin = another(tmp_path / "twin", "budget/test+1", verdict="promote", gate={"verdict": "promote", "better": True})
    (twin / VERDICT_FILE).write_bytes((candidate / VERDICT_FILE).read_bytes())
    refused(twin, "its card is not the one")


def test_a_gate_that_is_not_trusted_promotes_nothing_until_its_key_is_copied(candidate: Path) -> None:
    line = trusted_keys()[0]
    TRUSTED.write_text("# no gate yet\n\n")
    refused(candidate, "does not trust the key")
    done = CliRunner().invoke(app, ["gate-key", "--trust", line])
    assert done.exit_code == 0, done.output
    assert promote(candidate, Path("models")).verdict == "promote"
    assert CliRunner().invoke(app, ["gate-key"]).stdout.strip() == line


def test_what_was_judged_is_signed_and_not_what_lies_in_the_folder(candidate: Path, tmp_path: Path) -> None:
    graph, card = (candidate / "policy.onnx").read_bytes(), json.loads((candidate / "policy.json").read_bytes())
    other = judged(tmp_path / "other", "budget/test+9")
    for name in ("policy.onnx", "policy.json"):
        (candidate / name).write_bytes((other / name).read_bytes())  # while the gate judged
    sign_judged(candidate, graph, card, LOOK, signing_key())
    refused(candidate, "its policy_id is not the one")


@pytest.mark.parametrize("part", ["synthetic", "training", "evaluation", "training_contexts", "reasons"])
def test_every_part_of_the_card_is_signed(part: str, candidate: Path) -> None:
    edit(candidate / "policy.json", lambda card: card.update({part: {"other": 1}}))
    refused(candidate, "its card is not the one")


def test_a_line_may_have_a_comment(candidate: Path) -> None:
    line = trusted_keys()[0]
    TRUSTED.write_text(f"{line}   the machine in the cellar\n")
    assert trusted_keys() == [line]
    assert promote(candidate, Path("models")).verdict == "promote"
    trust(f"{line} again")
    assert len(TRUSTED.read_text().splitlines()) == 2
    TRUSTED.write_bytes(b"\xff\xfe")
    with pytest.raises(ValueError, match=r"gate-trusted\.txt: not a file of trusted keys"):
        trusted_keys()


def test_invented_people_need_a_reason(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    refused(judged(tmp_path / "candidate", "budget/test+4", synthetic=True), "invented people")


@pytest.mark.parametrize(
    "content",
    [b"", b"{}", b"[]", b"null", b"\xff\xfe", b'{"statement": {"verdict": "promote"}}', b"[" * 100_000, None],
    ids=["empty", "no fields", "a list", "null", "no text", "half", "deep", "unsigned"],
)
def test_a_strange_verdict_is_refused_in_one_line(content: bytes | None, candidate: Path) -> None:
    if content is None:
        edit(candidate / VERDICT_FILE, lambda document: document.update(signature="AAAA"))
        refused(candidate, "changed after it was signed")
    else:
        (candidate / VERDICT_FILE).write_bytes(content)
        refused(candidate, "not a signed verdict")


def test_a_pipe_in_place_of_the_verdict_does_not_block(candidate: Path) -> None:
    (candidate / VERDICT_FILE).unlink()
    os.mkfifo(candidate / VERDICT_FILE)
    refused(candidate, "not a signed verdict")


def test_the_key_is_private_and_made_once(candidate: Path) -> None:
    assert stat.S_IMODE(KEY.stat().st_mode) == stat.S_IRUSR | stat.S_IWUSR
    line = public_line(signing_key().public_key())
    assert trusted_keys() == [line]
    signed = (candidate / VERDICT_FILE).read_bytes()
    judged(candidate, "budget/test+1")
    assert (candidate / VERDICT_FILE).read_bytes() == signed  # the same look is the same bytes
    trust(line)
    assert trusted_keys() == [line]


def test_several_processes_make_one_key(tmp_path: Path) -> None:
    code = "from training.registry.signing import *; print(public_line(signing_key().public_key()))"
    making = [
        subprocess.Popen([sys.executable, "-c", code], cwd=tmp_path, stdout=subprocess.PIPE, text=True)
        for _ in range(4)
    ]
    lines = {one.communicate()[0] for one in making}
    assert len(lines) == 1
    assert (tmp_path / TRUSTED).read_text() in lines
    assert [file.name for file in (tmp_path / KEY).parent.iterdir() if file.name.startswith(".")] == []


@pytest.mark.parametrize("text", ["", "no key", "-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n"])
def test_a_damaged_key_is_said_and_never_replaced(text: str, tmp_path: Path) -> None:
    file = tmp_path / "key.pem"
    file.write_text(text)
    with pytest.raises(ValueError, match="not a private key"):
        signing_key(file, tmp_path / "trusted.txt")
    assert file.read_text() == text


@pytest.mark.parametrize("line", ["nonsense", "ed25519", "ed25519 AAAA", "rsa AAAA", "ed25519 ünsinn"])
def test_a_line_that_is_no_key_is_named(line: str, tmp_path: Path) -> None:
    file = tmp_path / "trusted.txt"
    file.write_text(f"# ours\n{line}\n")
    with pytest.raises(ValueError, match="line 2: not a public key"):
        trusted_keys(file)
    with pytest.raises(ValueError, match="not a public key"):
        trust(line, file)
