"""Backups are checked, and restores are safe."""

import json
import multiprocessing
import os
import signal
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from api.database_url import read_url
from api.db import backup as backups
from api.db import migrate, scratch
from api.db.engine import Database
from tests.actors.person import Person
from tests.support.databases import on
from tests.support.forking import buddy
from tests.support.postgres import postgres_database, server_of
from tests.support.serving import CLIENT, service


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


@pytest.mark.long
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


@pytest.mark.long
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


@pytest.mark.long
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


@pytest.mark.long
@pytest.mark.parametrize("schema", ["public", "app"])
def test_tables_that_are_not_ours_stay(postgres_url: str, worker: str, tmp_path: Path, schema: str) -> None:
    """Of the same database, in our schema and in another one."""
    server = server_of(postgres_url)
    with postgres_database(server, f"{worker}schema") as plain:

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
