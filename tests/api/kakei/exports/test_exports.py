"""Exports: who may have one, what is in it, changes since a release, and the ledger."""

import json
import random
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from data.formats import FORMATS
from data.schema import TABLES
from tests.actors.person import (
    ANSWERS,
    EVENT,
    METRICS,
    MONTH,
    REFLECTION,
    SNAPSHOT,
    WEEK,
    Person,
)
from tests.support.exports import PATH, TOKEN, export, tables
from tests.support.participants import busy
from tests.support.serving import CLIENT, Server, service

DAY: list[tuple[str, dict[str, Any]]] = [
    ("/research/responses", ANSWERS),
    ("/reflections", REFLECTION),
    ("/events", EVENT),
    ("/challenge-metrics", METRICS),
    ("/research/progress-snapshots", SNAPSHOT),
    ("/summaries/weekly", WEEK),
    ("/summaries/monthly", MONTH),
]
"""What a phone sends on a day."""


@pytest.mark.long
def test_every_table_is_there_and_every_column_that_the_schema_names(stored: Server, study: str) -> None:
    found = tables(stored, study_version=study)
    assert set(found) == set(TABLES) - {"changes"}
    for name, rows in found.items():
        table = TABLES[name]
        expected = {c.name for c in table.shipped(identifiers=False)}
        expected |= {c.reason_column for c in table.columns if c.reason_column and not c.identifies}
        assert all(set(row) == expected for row in rows), name
        assert bool(rows) == (name != "outcomes"), name
    assert len(found["participants"]) == 5
    about = export(stored, study_version=study).json()["about"]
    assert about["participants_left_out"] == 1


@pytest.mark.long
@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({}, 403),
        ({"X-Research-Export-Token": "wrong"}, 403),
        ({"X-Research-Export-Token": "x" * 4000}, 403),
        (TOKEN, 200),
    ],
)
def test_only_the_holder_of_the_token_exports(headers: dict[str, str], status: int, stored: Server) -> None:
    answer = CLIENT.get(f"{stored.url}{PATH}/", params={"study_version": "nobody"}, headers=headers, timeout=60)
    assert answer.status_code == status
    if status == 403:
        assert answer.json()["code"] == "export_forbidden"


def test_without_a_token_configured_no_one_exports(tmp_path: Path) -> None:
    with service(tmp_path, {"RESEARCH_EXPORT_TOKEN": ""}) as running:
        answer = CLIENT.get(running.url + PATH, headers=TOKEN)
        assert (answer.status_code, answer.json()["code"]) == (503, "export_not_configured")


@pytest.mark.long
def test_without_the_writers_the_other_formats_are_501(tmp_path: Path) -> None:
    hidden = tmp_path / "hidden"
    hidden.mkdir()
    (hidden / "sitecustomize.py").write_text(
        "import importlib.util as util\nfind = util.find_spec\n"
        "util.find_spec = lambda name, *more: None if name in {'pyarrow', 'pyreadstat'} else find(name, *more)\n"
    )
    with service(tmp_path, {"PYTHONPATH": str(hidden)}, from_shell=True) as running:
        assert {kind: export(running, kind).status_code for kind in FORMATS} == {
            "json": 200,
            "ndjson": 200,
            **dict.fromkeys(("csv", "parquet", "sav", "dta"), 501),
        }


@pytest.mark.long
@pytest.mark.parametrize(
    ("query", "field"),
    [
        ({"format": "xlsx"}, "format"),
        ({"since": "never"}, "since"),
        ({"since": "\x00"}, "since"),
        *(({"tables": names}, "tables") for names in ("events,secrets", "\x00", ",,,", " ", "events,", "events,\x00")),
    ],
)
def test_what_cannot_be_exported_is_422(query: dict[str, str], field: str, stored: Server) -> None:
    answer = CLIENT.get(stored.url + PATH, params=query, headers=TOKEN, timeout=60)
    assert answer.status_code == 422
    assert answer.json()["errors"][0]["field"] == field


@pytest.mark.long
def test_changes_since_a_release_and_tombstones_of_who_must_be_deleted(stored: Server) -> None:
    name = f"since-{stored.process.pid}"
    _, leaves, erased = (busy(stored, name) for _ in range(3))
    first = export(stored, study_version=name)
    release = first.headers["x-release"]
    of = {row["participant_id"] for row in first.json()["tables"]["participants"]}
    leaves.post("/research/consent", {"consented": False})
    assert CLIENT.delete(f"{stored.url}/api/users/{erased.uuid}").status_code == 200
    busy(stored, name)
    since = tables(stored, study_version=name, since=release)
    said = {row["participant_id"]: row["change"] for row in since["changes"]}
    assert sorted(said.values()) == ["added", "changed", "removed", "removed"]
    removed = {pseudonym for pseudonym, change in said.items() if change == "removed"}
    assert removed < of
    assert not removed & {row["participant_id"] for row in since["participants"]}
    everything = json.dumps(tables(stored, study_version=name))
    assert not any(pseudonym in everything for pseudonym in removed)
    assert len(tables(stored, study_version=name)["participants"]) == 2


@pytest.mark.long
def test_every_export_is_in_the_ledger_and_an_operator_withdraws_for_someone(stored: Server) -> None:
    name = f"ledger-{stored.process.pid}"
    person = busy(stored, name)
    answer = export(stored, "csv", study_version=name, tables="events")
    listed = json.loads(stored.buddy("research", "releases", "--json"))
    entry = next(e for e in listed if e["name"] == answer.headers["x-release"])
    assert entry["filters"]["study_version"] == name
    assert entry["rows"] == {"participants": 1, "events": 2}
    assert entry["digest"] == answer.headers["x-digest"]
    assert person.uuid not in json.dumps(entry)
    assert stored.buddy("research", "withdraw", person.uuid, "--yes") == "consent taken back\n"
    assert person.read("/research/consent")["in_force"] is False
    assert tables(stored, study_version=name)["participants"] == []


@pytest.mark.long
def test_everything_twice_out_of_order_from_two_phones_is_the_same_as_once(stored: Server) -> None:
    once, twice = f"once-{stored.process.pid}", f"twice-{stored.process.pid}"
    uploads = [
        (path, body | {"client_timestamp": f"2026-06-{day:02}T10:00:00Z"}) for day in (3, 4, 5) for path, body in DAY
    ]
    uploads = [
        (path, body | ({"total_points": number} if "level" in body else {}))
        for number, (path, body) in enumerate(uploads)
    ]
    orderly, chaotic = Person(stored), Person(stored)
    orderly.consent(study_version=once)
    chaotic.consent(study_version=twice)
    for path, body in uploads:
        assert orderly.post(path, body).status_code in {200, 201}
    chance = random.Random(7)

    def phone(order: list[tuple[str, Any]]) -> None:
        for path, body in order:
            answer = chaotic.post(path, body)
            assert answer.status_code in {200, 201}, answer.text

    with ThreadPoolExecutor(2) as phones:
        for done in [phones.submit(phone, chance.sample(uploads, len(uploads))) for _ in range(2)]:
            done.result()
    keys = {column for table in TABLES.values() for column in table.key if column.endswith("_id")}
    own = {"participant_id", "study_version", "received_at", "split", *keys} - {"item_id"}

    def comparable(study: str) -> dict[str, list[str]]:
        found = tables(stored, study_version=study)
        return {
            name: sorted(json.dumps({key: row[key] for key in row if key not in own}) for row in rows)
            for name, rows in found.items()
            if name not in {"consents", "points"}
        }

    assert comparable(once) == comparable(twice)
    assert len(comparable(once)["events"]) == 3
