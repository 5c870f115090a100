"""What an export keeps back: private words, codes, small cells, and links between studies."""

import json
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from tests.actors.person import (
    EVENT,
    REFLECTION,
)
from tests.support.exports import export, tables, unpacked
from tests.support.participants import RING, busy
from tests.support.serving import Server


@pytest.mark.long
@pytest.mark.parametrize("stored", ["postgresql"], indirect=True)
def test_private_words_leave_in_no_format_and_no_log(kind: str, stored: Server, tmp_path: Path) -> None:
    name = f"private-{stored.process.pid}"
    busy(stored, name)
    answer = export(stored, kind, study_version=name)
    assert answer.status_code == 200
    content = [answer.content]
    if kind not in {"json", "ndjson"}:
        content = [file.read_bytes() for file in unpacked(answer, tmp_path).iterdir()]
        if kind == "parquet":
            content.append(str([pq.read_table(f).to_pylist() for f in tmp_path.glob("*/*.parquet")]).encode())
    for part in content:
        assert b"Aiko" not in part
    assert "Aiko" not in stored.log()


@pytest.mark.long
def test_words_leave_only_if_the_mode_was_sync_when_written_and_is_now(stored: Server) -> None:
    name = f"words-{stored.process.pid}"
    person = busy(stored, name, "sync")
    first = tables(stored, study_version=name)
    assert RING in first["reflections"][0]["reflection_text"]
    assert {"note": RING, "screens": 3} in [event["context"] for event in first["events"]]
    person.patch("/research/data-mode", {"data_mode": "private"})
    person.post("/reflections", REFLECTION | {"reflection_text": f"Later: {RING}"})
    second = tables(stored, study_version=name)
    assert {row["reflection_text_missing"] for row in second["reflections"]} == {"WITHDRAWN", "PRIVATE"}
    assert RING not in json.dumps(second)
    assert {event["values_withheld"] for event in second["events"]} == {1, 2}
    person.patch("/research/data-mode", {"data_mode": "sync"})
    third = tables(stored, study_version=name)
    assert sorted(row["reflection_text_missing"] or "" for row in third["reflections"]) == ["", "PRIVATE"]


@pytest.mark.long
def test_participant_codes_leave_only_when_asked_for_and_mark_the_file(stored: Server, study: str) -> None:
    plainly, marked = export(stored, study_version=study), export(stored, study_version=study, identifiers=True)
    assert "participant_code" not in plainly.text
    assert {row["participant_code"] for row in marked.json()["tables"]["participants"]} == {"P-001"}
    assert "IDENTIFIERS" in marked.headers["content-disposition"]
    assert "IDENTIFIERS" not in plainly.headers["content-disposition"]


@pytest.mark.long
def test_small_cells_are_suppressed_reported_and_refused_when_strict(stored: Server) -> None:
    name = f"small-{stored.process.pid}"
    for number in range(6):
        busy(stored, name, user_profile="student" if number else "retired")
    answer = export(stored, study_version=name)
    shown = [row["user_profile"] for row in answer.json()["tables"]["participants"]]
    assert sorted(map(str, shown)) == ["None", *["student"] * 5]
    report = answer.json()["summary"]["disclosure"]
    assert (report["k_before"], report["k_after"], report["participants_in_small_cells"]) == (1, 5, 1)
    refused = export(stored, study_version=name, strict=True)
    assert (refused.status_code, refused.json()["code"]) == (409, "cells_too_small")


@pytest.mark.long
def test_two_studies_cannot_be_linked_and_pseudonyms_are_renewed_on_demand(stored: Server) -> None:
    one, two = f"one-{stored.process.pid}", f"two-{stored.process.pid}"
    people = [busy(stored, one) for _ in range(3)]
    for person in people:
        person.consent(study_version=two)
        person.post("/events", EVENT | {"client_timestamp": "2026-07-01T00:00:00Z"})
    first = [row["participant_id"] for row in tables(stored, study_version=one)["participants"]]
    second = [row["participant_id"] for row in tables(stored, study_version=two)["participants"]]
    assert len({*first, *second}) == 6
    assert first == sorted(first)
    assert second == sorted(second)
    said = stored.buddy("research", "rotate-pseudonyms", one, "--yes")
    assert said == f"3 participants of {one} have new pseudonyms\n"
    again = [row["participant_id"] for row in tables(stored, study_version=one)["participants"]]
    assert not {*first} & {*again}
