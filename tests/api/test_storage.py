"""Migrations and the catalogue, on both kinds of database, without a server."""

import asyncio
from collections.abc import Awaitable, Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import text

from api import seeds, storage
from api.database import Database, open_database
from data.catalog import catalogue
from tests import services

type Run = Callable[[Callable[[Database], Awaitable[Any]]], Any]


@pytest.fixture(params=["sqlite", "postgresql"])
def empty(request: pytest.FixtureRequest, tmp_path: Path, worker: str) -> Iterator[Run]:
    """Runs something on an empty database of this test's own."""

    def on(url: str) -> Run:
        def run(work: Callable[[Database], Awaitable[Any]]) -> Any:
            async def connected() -> Any:
                database = open_database(url)
                try:
                    return await work(database)
                finally:
                    await database.close()

            return asyncio.run(connected())

        return run

    if request.param == "sqlite":
        yield on(f"sqlite:///{tmp_path}/empty.db")
        return
    server = request.getfixturevalue("postgres_url").rpartition("/")[0] + "/postgres"
    with services.postgres_database(server, f"{worker}storage") as url:
        yield on(url)


async def tables(database: Database) -> set[str]:
    query = "SELECT name FROM sqlite_master WHERE type = 'table'"
    if database.reading.dialect.name == "postgresql":
        query = "SELECT tablename FROM pg_tables WHERE schemaname = 'public'"
    async with database.read() as session:
        return {row[0] for row in await session.execute(text(query))}


def test_migrations_and_models_are_in_step_and_go_back_and_forth(empty: Run) -> None:
    empty(storage.prepare)
    assert empty(storage.differences) == []
    assert empty(storage.current_revision) == storage.newest_revision()
    empty(lambda database: storage.downgrade(database, "base"))
    assert empty(tables) <= {"alembic_version"}
    empty(storage.prepare)
    assert empty(storage.differences) == []


def test_two_processes_may_prepare_at_once(empty: Run) -> None:
    async def both(database: Database) -> None:
        await asyncio.gather(storage.prepare(database), storage.prepare(database))

    empty(both)
    assert empty(storage.differences) == []


def test_an_upgrade_changes_only_what_nobody_edited(empty: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    empty(storage.prepare)

    async def edit(database: Database) -> None:
        async with database.write() as session:
            await session.execute(text("UPDATE badges SET title = 'Ours' WHERE id = 1"))

    async def titles(database: Database) -> list[str]:
        async with database.read() as session:
            return [row[0] for row in await session.execute(text("SELECT title FROM badges WHERE id < 4 ORDER BY id"))]

    empty(edit)
    newer = {
        name: tuple(entry | {"title": f"New {entry['id']}"} if name == "badges" else entry for entry in catalogue(name))
        for name in seeds.SEEDED
    }
    monkeypatch.setattr(seeds, "catalogue", newer.__getitem__)
    empty(storage.prepare)
    assert empty(titles) == ["Ours", "New 2", "New 3"]
    empty(storage.prepare)
    assert empty(titles) == ["Ours", "New 2", "New 3"]


def test_amounts_are_stored_exactly(empty: Run) -> None:
    empty(storage.prepare)

    async def target(database: Database) -> set[str]:
        async with database.read() as session:
            return {
                row[0] for row in await session.execute(text("SELECT DISTINCT target_value FROM challenge_templates"))
            }

    values = empty(target)
    assert values
    assert not any(isinstance(value, float) for value in values)


@pytest.mark.parametrize("url", ["mysql://localhost/x", "nonsense", ""])
def test_other_databases_are_refused_in_words(url: str) -> None:
    with pytest.raises(ValueError, match=r"sqlite and postgresql|URL"):
        open_database(url)
