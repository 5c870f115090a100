"""2,000 random histories of consent, withdrawal and return: the export equals a ten-line rule on the raw tables."""

import asyncio
import random
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

import httpx
import pandas as pd
import pyarrow.parquet as pq
import pyreadstat
import pytest
from sqlalchemy import select

from api.db.engine import open_database
from api.models import Base
from tests.actors.person import ANSWERS, CONSENT, METRICS, REFLECTION, SNAPSHOT, WEEK, somewhere
from tests.support.exports import export, lines, unpacked
from tests.support.serving import Service, service

pytestmark = pytest.mark.long

PEOPLE = 600
STEPS = 5
AT_ONCE = 16
SEED = 20261121
STUDIES = ("truth-a", "truth-b")
OF_TABLE = {
    "events": "events",
    "responses": "responses",
    "reflections": "reflections",
    "challenge_metrics": "challenge_metrics",
    "progress_snapshots": "progress_snapshots",
    "weekly_summaries": "weekly_summaries",
}
"""Table of the dataset, and the raw table that it is read from. Each upload has a client time of its own."""

type Left = set[tuple[str, str, datetime]]
"""Table, pseudonym and client time of every exported row."""


@dataclass(frozen=True)
class Raw:
    """The raw tables, as they are."""

    consents: dict[int, list[Any]]
    pseudonyms: dict[tuple[int, str], str]
    rows: dict[str, Sequence[Any]]

    def allowed(self, study: str | None = None) -> Left:
        """The rule itself, by the times alone."""

        def standing(history: list[Any]) -> bool:
            last = history[-1]
            return bool(last.consented and last.age_confirmed and last.allow_research_export)

        found: Left = set()
        for name, raw in OF_TABLE.items():
            for row in self.rows[raw]:
                history = self.consents[row.user_id]
                before = [entry for entry in history if entry.received_at <= row.received_at]
                if not before or not before[-1].consented or study not in {None, before[-1].study_version}:
                    continue
                of_study = [entry for entry in history if entry.study_version == before[-1].study_version]
                taken_back = [entry.id for entry in history if not entry.consented and entry.id > of_study[-1].id]
                if standing(history) and standing(of_study) and not taken_back:
                    pseudonym = self.pseudonyms[row.user_id, before[-1].study_version]
                    found.add((name, pseudonym, row.client_timestamp))
        return found


@pytest.fixture(scope="module", params=["sqlite", "postgresql"])
def lives(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Any:
    """A service on a database of its own after all those lives, and its raw tables."""
    folder = tmp_path_factory.mktemp("lives")
    url = f"sqlite:///{folder}/x.db"
    if request.param == "postgresql":
        url = request.getfixturevalue("other_postgres_url")
    with service(folder, {"DATABASE_URL": url, "LOG_LEVEL": "warning"}) as running:
        asyncio.run(_live(running))
        yield running, asyncio.run(_raw(url))


def test_exactly_what_may_leave_leaves_in_every_format(lives: tuple[Service, Raw], tmp_path: Path) -> None:
    running, raw = lives
    allowed = raw.allowed()
    withheld = sum(len(rows) for rows in raw.rows.values()) - len(allowed)
    assert len(allowed) > PEOPLE / 4, "the lives are too sad to be a test"
    assert withheld > PEOPLE / 4, "the lives are too happy to be a test"
    assert left_in_json(export(running).json()["tables"]) == allowed
    assert left_in_json(lines(export(running, "ndjson"))) == allowed
    for kind in ("csv", "parquet", "sav", "dta"):
        assert left_in_package(unpacked(export(running, kind), tmp_path / kind), kind) == allowed, kind


def test_and_under_every_filter(lives: tuple[Service, Raw]) -> None:
    running, raw = lives
    for study in STUDIES:
        assert left_in_json(export(running, study_version=study).json()["tables"]) == raw.allowed(study)
    only = {entry for entry in raw.allowed() if entry[0] in {"events", "reflections"}}
    assert left_in_json(export(running, tables="events,reflections").json()["tables"]) == only
    assert left_in_json(export(running, identifiers=True).json()["tables"]) == raw.allowed()
    release = export(running).headers["x-release"]
    since = export(running, since=release).json()["tables"]
    assert left_in_json(since) <= raw.allowed()
    assert not [row for row in since["changes"] if row["change"] == "removed"]


def left_in_json(tables: dict[str, list[dict[str, Any]]]) -> Left:
    return {
        (name, row["participant_id"], datetime.fromisoformat(row["client_timestamp"]))
        for name in OF_TABLE
        for row in tables.get(name, [])
    }


def left_in_package(folder: Path, kind: str) -> Left:
    found: Left = set()
    for name in OF_TABLE:
        file = folder / f"{name}.{kind}"
        if kind == "csv":
            frame = pd.read_csv(file)
        elif kind == "parquet":
            frame = pq.read_table(file, columns=["participant_id", "client_timestamp"]).to_pandas()
        else:
            read = pyreadstat.read_sav if kind == "sav" else pyreadstat.read_dta
            frame, _ = read(file, usecols=["participant_id", "client_timestamp"])
        times = pd.to_datetime(frame["client_timestamp"], utc=True).dt.round("ms")
        found |= {(name, one, at.to_pydatetime()) for one, at in zip(frame["participant_id"], times, strict=True)}
    return found


async def _live(running: Service) -> None:
    """Simulate all people concurrently, in groups."""
    chance = random.Random(SEED)
    limits = httpx.Limits(max_connections=AT_ONCE)
    async with httpx.AsyncClient(base_url=running.url, limits=limits, timeout=60) as client:
        queue = iter([(number, random.Random(chance.random())) for number in range(PEOPLE)])

        async def worker() -> None:
            for number, own in queue:
                await _one_life(client, number, own)

        await asyncio.gather(*(worker() for _ in range(AT_ONCE)))


async def _one_life(client: httpx.AsyncClient, number: int, chance: random.Random) -> None:
    uuid = str(UUID(int=chance.getrandbits(128), version=4))
    base = f"/api/users/{uuid}"
    address = somewhere()
    created = await client.post("/api/users", json={"uuid": uuid}, headers=address)
    assert created.status_code == 201, created.text
    for step in range(STEPS):
        if chance.random() < 0.4:
            path, body = "/research/consent", _change_of_mind(chance)
        else:
            path, body = _upload(chance, number * STEPS + step)
        answer = await client.post(base + path, json=body, headers=address)
        assert answer.status_code in {200, 201, 403}, answer.text


def _change_of_mind(chance: random.Random) -> dict[str, Any]:
    if chance.random() < 0.3:
        return {"consented": False}
    return CONSENT | {
        "study_version": chance.choice(STUDIES),
        "allow_research_export": chance.random() < 0.8,
        "data_mode": chance.choice(("private", "sync")),
    }


def _upload(chance: random.Random, number: int) -> tuple[str, dict[str, Any]]:
    when = {"client_timestamp": (datetime(2026, 1, 1, tzinfo=UTC) + timedelta(seconds=number)).isoformat()}
    event = {"event_name": "something_new", "context": {"n": number}}
    week = {"month_key": 202600 + chance.randint(1, 12), "week_key": chance.randint(1, 5), "logging_days_count": 1}
    return chance.choice(
        [
            ("/events", event | when),
            ("/research/responses", ANSWERS | when),
            ("/reflections", REFLECTION | when),
            ("/challenge-metrics", METRICS | {"metrics": {"expense_log_days": number % 28}} | when),
            ("/research/progress-snapshots", SNAPSHOT | {"total_points": number} | when),
            ("/summaries/weekly", WEEK | week | when),
        ]
    )


async def _raw(url: str) -> Raw:
    database = open_database(url)
    tables = Base.metadata.tables
    try:
        async with database.read() as session:
            consents: dict[int, list[Any]] = defaultdict(list)
            for row in await session.execute(select(tables["consents"]).order_by(tables["consents"].c.id)):
                consents[row.user_id].append(row)
            pseudonyms = {
                (row.user_id, row.study_version): row.pseudonym
                for row in await session.execute(select(tables["participants"]))
            }
            rows = {raw: (await session.execute(select(tables[raw]))).all() for raw in OF_TABLE.values()}
    finally:
        await database.close()
    return Raw(consents, pseudonyms, rows)
