"""Exports: the participants in them, the formats, and the ledger."""

import asyncio
import json
import random
import time
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import asyncpg
import duckdb
import httpx
import pandas as pd
import pyarrow.parquet as pq
import pyreadstat
import pytest

from data.formats import FORMATS
from data.logs.budget import budget_log
from data.packages.reader import InvalidPackage, read_package
from data.schema import TABLES, Column
from data.schema.missing import MEANING, SPSS, STATA, Missing
from tests.actors.person import (
    ANSWERS,
    EVENT,
    METRICS,
    MONTH,
    PROFILE,
    REFLECTION,
    SNAPSHOT,
    WEEK,
    Person,
)
from tests.support import forking
from tests.support.exports import PATH, TOKEN, export, lines, tables, unpacked
from tests.support.serving import CLIENT, Server, service

HEADER = "X-Research-Export-Token"
ON_ONE_DATABASE = pytest.mark.parametrize("stored", ["postgresql"], indirect=True)
"""For tests of formats, which do not depend on the database; test_export_truth.py writes all formats from both."""
RING = "Grandmother Aiko's ring"
"""A text that only one person writes."""

REVIEW = {
    "phase": "monthly",
    "instrument_key": "monthly_review",
    "response_type": "survey",
    "responses": {"t1": RING, "t2": None},
}
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


def busy(stored: Server, study: str, mode: str = "private", **profile: Any) -> Person:
    """A person with a row in every table."""
    person = Person(stored)
    person.put("/profile", PROFILE | {"time_zone": "Asia/Manila"} | profile)
    person.consent(study_version=study, data_mode=mode)
    soon = f"{datetime.now(UTC) + timedelta(minutes=1):%Y-%m-%dT%H:%M:%SZ}"
    own = {"context": {"note": RING, "screens": 3}, "event_name": "something_new", "client_timestamp": soon}
    for path, body in (
        ("/research/responses", ANSWERS),
        ("/research/responses", ANSWERS | {"responses": {f"q{n}": 4 for n in range(1, 7)}}),
        ("/research/responses", REVIEW),
        ("/reflections", REFLECTION | {"reflection_text": f"I sold {RING}.", "intended_action": RING}),
        ("/events", EVENT),
        ("/events", EVENT | own),
        ("/challenge-metrics", METRICS),
        ("/research/progress-snapshots", SNAPSHOT | {"level_title": RING, "game_metrics": {"gem": RING}}),
        ("/summaries/weekly", WEEK | {"spent_wants": -99, "total_spent": 2201.5}),  # refunds
        ("/summaries/monthly", MONTH),
    ):
        answer = person.post(path, body)
        assert answer.status_code in {200, 201}, answer.text
    person.accept(1)
    person.ask_coach().raise_for_status()
    return person


@pytest.fixture(scope="module")
def study(stored: Server) -> str:
    """A study of six people; one shares their words, one withdrew."""
    name = f"study-{stored.process.pid}"
    people = [busy(stored, name, "sync" if number == 0 else "private") for number in range(6)]
    people[5].post("/research/consent", {"consented": False})
    return name


@pytest.fixture(params=list(FORMATS))
def kind(request: pytest.FixtureRequest) -> str:
    return str(request.param)


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


def test_without_a_token_configured_nobody_exports(tmp_path: Path) -> None:
    with service(tmp_path, {"RESEARCH_EXPORT_TOKEN": ""}) as running:
        answer = CLIENT.get(running.url + PATH, headers=TOKEN)
        assert (answer.status_code, answer.json()["code"]) == (503, "export_not_configured")


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


@ON_ONE_DATABASE
def test_a_package_passes_every_check(kind: str, stored: Server, study: str, tmp_path: Path) -> None:
    answer = export(stored, kind, study_version=study)
    if kind in {"json", "ndjson"}:
        return
    folder = unpacked(answer, tmp_path)
    done = forking.run("research", "validate", str(folder), "--json")
    checks = {check["what"]: check for check in json.loads(done.stdout)}
    assert set(checks) == {"digests", "schema", "frictionless", "croissant"}
    assert all(check["fine"] for check in checks.values()), checks
    if kind != "csv":
        return
    (folder / "events.csv").write_text("touched")
    assert forking.run("research", "validate", str(folder)).returncode == 1


def test_what_is_exported_is_what_training_reads(stored: Server, study: str, tmp_path: Path) -> None:
    folder = unpacked(export(stored, "csv", study_version=study), tmp_path)
    package = read_package(folder)
    assert set(package.tables) == set(TABLES) - {"changes"}
    assert len(package.tables["decisions"]["decision_id"]) == 5
    with pytest.raises(InvalidPackage, match=r"no decision points of a study \(5 decisions"):
        budget_log(package)


@ON_ONE_DATABASE
def test_all_formats_read_back_to_the_same_values(stored: Server, study: str, tmp_path: Path) -> None:
    truth = tables(stored, study_version=study)
    assert lines(export(stored, "ndjson", study_version=study)) == {name: rows for name, rows in truth.items() if rows}
    folders = {
        kind: unpacked(export(stored, kind, study_version=study), tmp_path) for kind in ("csv", "parquet", "sav", "dta")
    }
    for name, rows in truth.items():
        columns = TABLES[name].shipped(identifiers=False)
        parquet = pq.read_table(folders["parquet"] / f"{name}.parquet").to_pylist()
        assert [{key: plain(value) for key, value in row.items()} for row in parquet] == [
            {key: as_text(TABLES[name], key, value) for key, value in row.items()} for row in rows
        ], name
        codes = [str(reason) for reason in Missing]
        csv = pd.read_csv(folders["csv"] / f"{name}.csv", keep_default_na=False, na_values=codes)
        duck = duckdb.read_parquet(str(folders["parquet"] / f"{name}.parquet")).to_arrow_table().to_pylist()
        assert duck == pq.read_table(folders["parquet"] / f"{name}.parquet").to_pylist(), name
        assert len(csv) == len(rows), name
        sav, of_sav = pyreadstat.read_sav(folders["sav"] / f"{name}.sav", user_missing=True)
        dta, of_dta = pyreadstat.read_dta(folders["dta"] / f"{name}.dta", user_missing=True)
        for column in columns:
            told = [cell(row, column) for row in rows]
            assert of_sav.column_names_to_labels[column.name] == column.label[:256]
            assert of_dta.column_names_to_labels[column.name] == column.label[:80]
            if column.type in {"integer", "number"}:
                assert [as_number(value, SPSS) for value in told] == sav[column.name].tolist(), (name, column.name)
                stata = [value if isinstance(value, str) else float(value) for value in dta[column.name].tolist()]
                assert [as_number(value, STATA) for value in told] == stata, (name, column.name)
                assert [None if isinstance(value, Missing) else value for value in told] == [
                    None if pd.isna(value) else value for value in csv[column.name].tolist()
                ]
            if column.missing and any(isinstance(value, Missing) for value in told) and column.type == "integer":
                labels = of_sav.variable_value_labels[column.name]
                assert all(labels[SPSS[reason]] == MEANING[reason] for reason in column.missing)
            if column.categories and column.type == "string" and rows:
                labels = of_sav.variable_value_labels[column.name]
                assert [value for value in told if not isinstance(value, Missing)] == [
                    labels[number] for number in sav[column.name].tolist() if number > 0
                ]


def cell(row: dict[str, Any], column: Column) -> Any:
    """The value of a JSON cell, or why there is none."""
    if row[column.name] is not None:
        return row[column.name]
    reason = row[column.reason_column] if column.reason_column else column.missing[0]
    return Missing(reason)


def as_number(value: Any, codes: dict[Missing, Any]) -> Any:
    return codes[value] if isinstance(value, Missing) else float(value)


def as_text(table: Any, name: str, value: Any) -> Any:
    """A JSON value as Parquet holds it."""
    types = {column.name: column.type for column in table.columns}
    if types.get(name) == "json" and value is not None:
        return json.loads(json.dumps(value))
    return value


def plain(value: Any) -> Any:
    """A Parquet value as JSON shows it."""
    if hasattr(value, "hour"):
        return f"{value:%Y-%m-%dT%H:%M:%S}.{value.microsecond // 1000:03}Z"
    if hasattr(value, "year"):
        return value.isoformat()
    if isinstance(value, str) and value[:1] in {"{", "["}:
        return json.loads(value)
    return value


@ON_ONE_DATABASE
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


def test_participant_codes_leave_only_when_asked_for_and_mark_the_file(stored: Server, study: str) -> None:
    plainly, marked = export(stored, study_version=study), export(stored, study_version=study, identifiers=True)
    assert "participant_code" not in plainly.text
    assert {row["participant_code"] for row in marked.json()["tables"]["participants"]} == {"P-001"}
    assert "IDENTIFIERS" in marked.headers["content-disposition"]
    assert "IDENTIFIERS" not in plainly.headers["content-disposition"]


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


def test_every_export_is_in_the_ledger_and_an_operator_withdraws_for_somebody(stored: Server) -> None:
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


def test_a_client_that_goes_away_leaves_nothing_behind(stored: Server, study: str) -> None:
    with pytest.raises(httpx.ReadTimeout):
        CLIENT.get(stored.url + PATH, params={"format": "csv", "study_version": study}, headers=TOKEN, timeout=0.4)
    deadline = time.monotonic() + 10
    children = Path(f"/proc/{stored.process.pid}/task/{stored.process.pid}/children")
    while children.read_text().strip() and time.monotonic() < deadline:
        time.sleep(0.1)
    assert not children.read_text().strip()
    spool = stored.log_file.parent / "var" / "exports"
    while list(spool.iterdir()) and time.monotonic() < deadline:
        time.sleep(0.1)
    assert not list(spool.iterdir())
    assert export(stored, study_version=study).status_code == 200


def test_an_export_that_is_cut_in_the_middle_leaves_no_session_open(postgres_url: str, tmp_path: Path) -> None:
    """Stops in the middle, because another session locks a table that it is about to read."""

    async def cut() -> None:
        holder = await asyncpg.connect(postgres_url)
        watcher = await asyncpg.connect(postgres_url)
        try:
            transaction = holder.transaction()
            await transaction.start()
            await holder.execute("LOCK TABLE events IN ACCESS EXCLUSIVE MODE")
            client = httpx.AsyncClient(timeout=60)
            work = asyncio.create_task(client.get(running.url + PATH, headers=TOKEN))
            assert await sessions(watcher, 1), "the export did not get to the table"
            work.cancel()
            await client.aclose()
            assert await sessions(watcher, 0), "the session outlived its client"
            await transaction.rollback()
        finally:
            await holder.close()
            await watcher.close()

    async def sessions(watcher: asyncpg.Connection, expected: int) -> bool:
        """Whether so many sessions come to wait for a lock, within a while."""
        waiting = (
            "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'"
        )
        for _ in range(100):
            if await watcher.fetchval(waiting) == expected:
                return True
            await asyncio.sleep(0.1)
        return False

    with service(tmp_path, {"DATABASE_URL": postgres_url}) as running:
        asyncio.run(cut())
        assert export(running).status_code == 200


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
