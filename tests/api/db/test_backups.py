"""Backups are checked, restores are safe, and erased people stay erased."""

import asyncio
import json
import multiprocessing
import os
import signal
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from datetime import UTC, datetime, timedelta, tzinfo
from pathlib import Path
from typing import Any

import httpx
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import select, text
from sqlalchemy.ext.asyncio import AsyncSession

from api.database_url import read_url
from api.db import backup as backups
from api.db import erasures, migrate, scratch
from api.db.engine import Database, open_database
from api.models import Household, HouseholdParticipant, HouseholdUser
from tests.actors.person import WEEK, Person
from tests.support import services
from tests.support.forking import buddy
from tests.support.serving import CLIENT, service

CALM = httpx.Client(timeout=60, limits=httpx.Limits(max_keepalive_connections=0))


@pytest.fixture(params=["sqlite", "postgresql"])
def own_url(request: pytest.FixtureRequest, tmp_path: Path, worker: str) -> Iterator[str]:
    """An empty database of this test's own."""
    if request.param == "sqlite":
        yield f"sqlite:///{tmp_path}/own.db"
        return
    server = request.getfixturevalue("postgres_url").rpartition("/")[0] + "/postgres"
    with services.postgres_database(server, f"{worker}backup") as url:
        yield url


def on(url: str, work: Any) -> Any:
    async def run() -> Any:
        database = open_database(url)
        try:
            return await work(database)
        finally:
            await database.close()

    return asyncio.run(run())


@pytest.fixture(scope="module")
def small(tmp_path_factory: pytest.TempPathFactory) -> tuple[str, Path]:
    """An SQLite database and its backup."""
    folder = tmp_path_factory.mktemp("small")
    url = f"sqlite:///{folder}/small.db"
    on(url, migrate.prepare)
    backups.backup(read_url(url), folder / "small.bak")
    return url, folder / "small.bak"


@settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))
@given(data=st.data())
def test_a_backup_that_differs_in_a_byte_is_refused(
    small: tuple[str, Path], tmp_path: Path, data: st.DataObject
) -> None:
    """An overwritten, truncated or extended file is not restored, and the database is unchanged."""
    url, file = small
    content = bytearray(file.read_bytes())
    place = data.draw(st.integers(0, len(content) - 1) | st.integers(0, 400))
    match data.draw(st.sampled_from(["flip", "overwrite", "cut", "grow"])):
        case "flip":
            content[place] ^= 1 << data.draw(st.integers(0, 7))
        case "overwrite":
            content[place : place + 200] = bytes(byte ^ 0xFF for byte in content[place : place + 200])
        case "cut":
            del content[place:]
        case "grow":
            content += b"\0" * data.draw(st.integers(1, 5000))
    damaged = tmp_path / "damaged.bak"
    damaged.write_bytes(content)
    before = Path(url.removeprefix("sqlite:///")).read_bytes()
    with pytest.raises(backups.BackupFailed):
        backups.restore(read_url(url), damaged)
    assert Path(url.removeprefix("sqlite:///")).read_bytes() == before
    assert not list(Path(url.removeprefix("sqlite:///")).parent.glob(".restore-*"))


def test_a_damaged_backup_of_postgres_is_refused(own_url: str, tmp_path: Path) -> None:
    on(own_url, migrate.prepare)
    backups.backup(read_url(own_url), tmp_path / "safe.bak")
    content = bytearray((tmp_path / "safe.bak").read_bytes())
    content[len(content) // 2] ^= 1
    (tmp_path / "bad.bak").write_bytes(content)
    with pytest.raises(backups.BackupFailed, match="checksum"):
        backups.restore(read_url(own_url), tmp_path / "bad.bak")


def test_a_backup_says_what_it_is(own_url: str, tmp_path: Path) -> None:
    on(own_url, migrate.prepare)
    backups.backup(read_url(own_url), tmp_path / "safe.bak")
    first, second = (tmp_path / "safe.bak").read_bytes().split(b"\n")[:2]
    assert first.startswith(b"buddy-coach-backup/1 ")
    told = json.loads(second)
    assert told["kind"] == own_url.partition(":")[0]
    assert told["revision"] == migrate.newest_revision()
    assert (tmp_path / "safe.bak").stat().st_mode & 0o777 == 0o600


def test_the_other_kind_and_a_newer_version_are_refused(own_url: str, small: tuple[str, Path], tmp_path: Path) -> None:
    on(own_url, migrate.prepare)
    if not own_url.startswith("sqlite"):
        with pytest.raises(backups.BackupFailed, match="is a backup of sqlite"):
            backups.restore(read_url(own_url), small[1])

    async def later(database: Database) -> None:
        async with database.writing.begin() as connection:
            await connection.exec_driver_sql("UPDATE alembic_version SET version_num = '9999'")

    on(own_url, later)
    backups.backup(read_url(own_url), tmp_path / "newer.bak")
    with pytest.raises(backups.BackupFailed, match="of a newer version"):
        backups.restore(read_url(own_url), tmp_path / "newer.bak")


def test_an_older_backup_is_brought_up_to_date(own_url: str, tmp_path: Path) -> None:
    """Also one without a checksum, where that is said."""
    on(own_url, lambda database: migrate.upgrade(database, "0005"))
    backups.backup(read_url(own_url), tmp_path / "old.bak")
    on(own_url, migrate.prepare)
    backups.restore(read_url(own_url), tmp_path / "old.bak")
    assert on(own_url, migrate.current_revision) == migrate.newest_revision()
    assert on(own_url, migrate.differences) == []
    (tmp_path / "plain.bak").write_bytes((tmp_path / "old.bak").read_bytes().split(b"\n", 2)[2])
    with pytest.raises(backups.BackupFailed, match="--without-checksum"):
        backups.restore(read_url(own_url), tmp_path / "plain.bak")
    backups.restore(read_url(own_url), tmp_path / "plain.bak", without_checksum=True)
    assert on(own_url, migrate.differences) == []


def test_a_restore_waits_for_no_service_and_a_killed_one_is_no_service(own_url: str, tmp_path: Path) -> None:
    run = buddy(tmp_path, DATABASE_URL=own_url)
    with service(tmp_path, {"DATABASE_URL": own_url}) as running:
        CLIENT.get(f"{running.url}/health/live")
        assert run("db", "backup", "safe.bak").returncode == 0
        refused = run("db", "restore", "safe.bak", "--yes")
        assert (refused.returncode, refused.stderr) == (1, "error: a service runs on this database: stop it first\n")
        running.process.kill()
        running.process.wait()
        done = run("db", "restore", "safe.bak", "--yes")
        assert done.returncode == 0, done.stderr


def test_a_restore_is_refused_while_several_workers_run(own_url: str, redis_url: str, tmp_path: Path) -> None:
    run = buddy(tmp_path, DATABASE_URL=own_url)
    settings = {"DATABASE_URL": own_url, "REDIS_URL": redis_url, "WEB_CONCURRENCY": "2"}
    with service(tmp_path, settings) as running:
        person = Person(running)
        assert run("db", "backup", "safe.bak").returncode == 0
        refused = run("db", "restore", "safe.bak", "--yes")
        assert (refused.returncode, refused.stderr) == (1, "error: a service runs on this database: stop it first\n")
        assert person.get("/data").status_code == 200
    done = run("db", "restore", "safe.bak", "--yes")
    assert done.returncode == 0, done.stderr


def test_who_was_erased_after_a_backup_stays_erased(own_url: str, tmp_path: Path) -> None:
    run = buddy(tmp_path, DATABASE_URL=own_url)
    with service(tmp_path, {"DATABASE_URL": own_url}) as running:
        kept, gone = Person(running), Person(running)
        for person in (kept, gone):
            person.post("/summaries/weekly", WEEK)
        run("household", "create", "--name", "Gone", "--user", "Ada:ada@example.org", "--timezone", "Europe/Berlin")
        assert run("db", "backup", "safe.bak").returncode == 0
        assert CALM.delete(f"{running.url}/api/users/{gone.uuid}").status_code == 200
        deleted = run("household", "delete", "1", "--yes")
        assert deleted.returncode == 0, deleted.stderr
    restored = run("db", "restore", "safe.bak", "--yes", "--json")
    assert restored.returncode == 0, restored.stderr
    assert json.loads(restored.stdout)["erased_again"] == {"users": 1, "households": 1}
    with service(tmp_path, {"DATABASE_URL": own_url}) as running:
        assert CALM.get(f"{running.url}/api/users/{gone.uuid}/data").status_code == 404
        assert CALM.get(f"{running.url}/api/users/{kept.uuid}/data").status_code == 200
    again = run("db", "restore", "safe.bak", "--yes", "--json")
    assert json.loads(again.stdout)["erased_again"] == {"users": 1, "households": 1}


def test_an_erasure_that_failed_does_not_count_for_later_backups(own_url: str, tmp_path: Path) -> None:
    """The entry is written before the commit; on SQLite it stays when the commit fails."""
    run = buddy(tmp_path, DATABASE_URL=own_url)
    assert run("db", "upgrade").returncode == 0
    run("household", "create", "--name", "Keep", "--user", "Ada:ada@example.org", "--timezone", "Europe/Berlin")

    async def fail(database: Database) -> None:
        async with AsyncSession(database.writing) as session:
            await session.delete(await session.get_one(Household, 1))
            await session.flush()  # and no commit

    with ledger_clock(datetime.now(UTC) - timedelta(hours=1)):
        on(own_url, fail)
    assert run("db", "backup", "after.bak").returncode == 0
    restored = run("db", "restore", "after.bak", "--yes", "--json")
    assert json.loads(restored.stdout)["erased_again"] == {}
    assert "Keep" in run("household", "list").stdout


@contextmanager
def ledger_clock(now: datetime) -> Iterator[None]:
    """What is entered meanwhile is entered at `now`."""

    class Frozen(datetime):
        @classmethod
        def now(cls, tz: tzinfo | None = None) -> "Frozen":
            return cls.fromisoformat(now.astimezone(tz).isoformat())

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(erasures, "datetime", Frozen)
        yield


@pytest.mark.parametrize("name", ["--keep-name", "--forget-name"])
def test_a_removed_member_stays_removed_and_the_household_has_an_admin(own_url: str, name: str, tmp_path: Path) -> None:
    run = buddy(tmp_path, DATABASE_URL=own_url)
    assert run("db", "upgrade").returncode == 0
    users = ("--user", "Ada:ada@example.org", "--user", "Bob:bob@example.org")
    made = run("household", "create", "--name", "Home", *users, "--timezone", "Europe/Berlin")
    assert made.returncode == 0, made.stderr
    assert run("db", "backup", "safe.bak").returncode == 0
    for command in (
        ("set-role", "1", "bob@example.org", "admin"),
        ("remove-member", "1", "ada@example.org", name, "--yes"),
    ):
        done = run("household", *command)
        assert done.returncode == 0, done.stderr
    restored = run("db", "restore", "safe.bak", "--yes", "--json")
    assert restored.returncode == 0, restored.stderr

    async def members(database: Database) -> tuple[list[tuple[str, str]], set[str]]:
        async with database.read() as session:
            rows = (await session.execute(select(HouseholdUser.email, HouseholdUser.role))).all()
            return [(row.email, row.role) for row in rows], set(
                await session.scalars(select(HouseholdParticipant.name))
            )

    assert on(own_url, members) == (
        [("bob@example.org", "admin")],
        {"Ada" if name == "--keep-name" else "Former member", "Bob"},
    )


def test_without_a_ledger_of_its_own_an_older_database_erases_all_the_same(own_url: str, tmp_path: Path) -> None:
    run = buddy(tmp_path, DATABASE_URL=own_url)
    assert run("db", "upgrade", migrate.newest_revision() or "head").returncode == 0
    assert run("db", "upgrade").returncode == 0
    made = run("household", "create", "--name", "Gone", "--user", "Ada:ada@example.org", "--timezone", "Europe/Berlin")
    assert made.returncode == 0, made.stderr

    async def drop(database: Database) -> None:
        async with database.writing.begin() as connection:
            await connection.execute(text("DROP TABLE IF EXISTS erasure_ledger"))

    on(own_url, drop)
    deleted = run("household", "delete", "1", "--yes")
    assert deleted.returncode == 0, deleted.stderr


@pytest.mark.parametrize("damage", [b'{"key": "XX', b'{"digest": 1}', b"\xff}"])
def test_a_damaged_ledger_stops_a_restore_and_a_missing_one_is_told(damage: bytes, tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path}/own.db"
    run, ledger = buddy(tmp_path, DATABASE_URL=url), tmp_path / "own.db.erasures"
    assert run("db", "upgrade").returncode == 0
    run("household", "create", "--name", "Gone", "--user", "Ada:ada@example.org", "--timezone", "Europe/Berlin")
    run("db", "backup", "safe.bak")
    run("household", "delete", "1", "--yes")
    whole = ledger.read_bytes()
    ledger.write_bytes(damage + whole[len(damage) :] if damage.startswith(b'{"key') else whole + damage + b"\n")
    refused = run("db", "restore", "safe.bak", "--yes")
    assert refused.returncode == 1
    assert "is damaged" in refused.stderr
    assert "there are no households" in run("household", "list").stdout
    ledger.unlink()
    assert "warning:" in run("db", "restore", "safe.bak", "--yes").stderr


def test_a_ledger_that_was_cut_off_goes_on(tmp_path: Path) -> None:
    file = tmp_path / "own.db.erasures"
    with erasures._appending(file) as (key, opened):
        erasures._append(opened, {"digest": "a", "erased_at": "2026-11-29T00:00:00+00:00"})
    with file.open("ab") as opened:
        opened.write(b'{"digest": "b", "era')
    with erasures._appending(file) as (same, opened):
        erasures._append(opened, {"digest": "c", "erased_at": "2026-11-29T00:00:00+00:00"})
    found = erasures.read_file(file)
    assert found is not None
    assert same == key == found.key
    assert set(found.entries) == {"a", "c"}
    assert file.stat().st_mode & 0o777 == 0o600


def test_a_damaged_database_with_a_log_is_replaced(tmp_path: Path) -> None:
    """The remaining WAL must not be applied to the restored database."""
    url, file = f"sqlite:///{tmp_path}/own.db", tmp_path / "own.db"
    on(url, migrate.prepare)
    backups.backup(read_url(url), tmp_path / "safe.bak")
    file.write_bytes(b"broken" * 1000)
    (tmp_path / "own.db-wal").write_bytes(b"stale" * 1000)
    backups.restore(read_url(url), tmp_path / "safe.bak")
    with closing(sqlite3.connect(file)) as database:
        assert database.execute("PRAGMA integrity_check").fetchone() == ("ok",)
        assert database.execute("SELECT count(*) FROM badges").fetchone()[0] >= 20
    assert {path.name for path in tmp_path.iterdir()} == {"own.db", "own.db.erasures", "own.db.service", "safe.bak"}


@pytest.mark.parametrize("schema", ["public", "app"])
def test_tables_that_are_not_ours_stay(postgres_url: str, worker: str, tmp_path: Path, schema: str) -> None:
    """Of the same database, in our schema and in another one."""
    server = postgres_url.rpartition("/")[0] + "/postgres"
    with services.postgres_database(server, f"{worker}schema") as plain:

        async def others(database: Database) -> None:
            async with database.writing.begin() as connection:
                for statement in (
                    "CREATE SCHEMA app",
                    "CREATE TABLE public.theirs (id int PRIMARY KEY)",
                    "INSERT INTO public.theirs VALUES (7)",
                    "CREATE TABLE app.theirs AS SELECT * FROM public.theirs",
                ):
                    await connection.exec_driver_sql(statement)

        async def left(database: Database) -> tuple[Any, ...]:
            async with database.reading.connect() as connection:
                return tuple(
                    [
                        (await connection.exec_driver_sql(f"SELECT {what}")).scalar_one()
                        for what in (
                            "(SELECT id FROM public.theirs)",
                            "(SELECT id FROM app.theirs)",
                            f"(SELECT count(*) > 0 FROM {schema}.badges)",  # noqa: S608
                            f"(SELECT count(*) FROM pg_tables WHERE tablename = 'badges' AND schemaname <> '{schema}')",  # noqa: S608
                        )
                    ]
                )

        on(plain, others)
        url = plain if schema == "public" else f"{plain}?options=-csearch_path=app"
        on(url, migrate.prepare)
        backups.backup(read_url(url), tmp_path / "safe.bak")
        for _ in range(2):
            backups.restore(read_url(url), tmp_path / "safe.bak")
            assert on(url, left) == (7, 7, True, 0)
        other = f"{plain}?options=-csearch_path=app" if schema == "public" else plain
        with pytest.raises(backups.BackupFailed, match=f"the backup holds {schema}"):
            backups.restore(read_url(other), tmp_path / "safe.bak")
        assert on(url, left) == (7, 7, True, 0)


def test_the_error_of_a_program_is_shown_and_not_its_caret() -> None:
    said = 'psql:/x/restore.sql:12: ERROR:  relation "a" exists\nDETAIL:  why\nLINE 1: CREATE TABLE a\n        ^\n'
    assert backups._complaint(said) == 'relation "a" exists DETAIL:  why'
    assert backups._complaint("pg_dump: error: aborting\n") == "aborting"
    assert backups._complaint("") == "failed"


def test_what_is_no_file_is_not_restored(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    for file in (Path("/dev/null"), tmp_path / "pipe", tmp_path):
        with pytest.raises(backups.BackupFailed, match="is no ordinary file"):
            backups.restore(read_url(f"sqlite:///{tmp_path}/own.db"), file)


def test_sizes_are_named_only_where_they_differ(small: tuple[str, Path], tmp_path: Path) -> None:
    content = bytearray(small[1].read_bytes())
    content[-1] ^= 1
    (tmp_path / "flip.bak").write_bytes(content)
    with pytest.raises(backups.BackupFailed, match=r"its checksum is wrong: bytes of it were changed$"):
        backups.restore(read_url(small[0]), tmp_path / "flip.bak")


@pytest.mark.parametrize("prefix", [scratch.BACKUP, scratch.RESTORE])
def test_what_a_killed_process_left_is_removed_and_what_lives_stays(tmp_path: Path, prefix: str) -> None:
    context = multiprocessing.get_context("fork")
    ready = context.Event()

    def hold() -> None:
        with scratch.scratch_folder(tmp_path, prefix) as folder:
            (folder / "payload").write_text("personal", encoding="utf-8")
            ready.set()
            signal.pause()

    process = context.Process(target=hold)
    process.start()
    assert ready.wait(30)
    scratch.sweep(tmp_path)
    (left,) = tmp_path.iterdir()
    assert (left / "payload").exists()
    process.kill()
    process.join()
    assert left.exists()
    with scratch.scratch_folder(tmp_path, prefix) as folder:
        assert list(tmp_path.iterdir()) == [folder]
    assert not list(tmp_path.iterdir())
