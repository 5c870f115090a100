"""On PostgreSQL a service that lost its lock ends when it is told to, and no restore replaces what it acknowledges."""

import asyncio
import os
import signal
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import asyncpg
import pytest

from api.database_url import PostgresUrl, read_url
from api.db import backup as backups
from api.db import migrate
from api.db.engine import open_database
from api.db.postgres import RESTORE_LOCK
from api.db.service_lock import ServiceRuns, restore_lock
from tests.actors.person import Person
from tests.support import forking
from tests.support.forking import buddy
from tests.support.postgres import postgres_database, server_of
from tests.support.serving import CLIENT, Service, service
from tests.support.stalling import stalling

PATIENCE = 30.0
"""Seconds; a bound for a busy machine."""
HOLDER = """SELECT pid FROM pg_locks WHERE locktype = 'advisory' AND granted
AND (classid::bigint << 32) + objid::bigint = $1
AND database = (SELECT oid FROM pg_database WHERE datname = current_database())"""


@pytest.fixture
def own_url(postgres_url: str, worker: str) -> Iterator[str]:
    server = server_of(postgres_url)
    with postgres_database(server, f"{worker}lock") as url:
        yield url


def ask(url: str, query: str, *arguments: Any) -> list[Any]:
    async def run() -> list[Any]:
        connection = await asyncpg.connect(url)
        try:
            return [row[0] for row in await connection.fetch(query, *arguments)]
        finally:
            await connection.close()

    return asyncio.run(run())


def holders(url: str) -> list[int]:
    return ask(url, HOLDER, RESTORE_LOCK)


def until(what: Any) -> Any:
    deadline = time.monotonic() + PATIENCE
    while not (found := what()):
        assert time.monotonic() < deadline
        time.sleep(0.05)
    return found


def status(running: Service, path: str) -> int:
    return CLIENT.get(f"{running.url}{path}", timeout=PATIENCE).status_code


@contextmanager
def restoring(url: str) -> Iterator[None]:
    """Hold the lock of a restore, in a loop of its own."""
    address = read_url(url)
    assert isinstance(address, PostgresUrl)
    with asyncio.Runner() as runner:
        lock = restore_lock(address)
        runner.run(lock.__aenter__())
        try:
            yield
        finally:
            runner.run(lock.__aexit__(None, None, None))


@pytest.mark.long
def test_it_stops_after_the_server_ended_the_session_of_the_lock(own_url: str, tmp_path: Path) -> None:
    with service(tmp_path, {"DATABASE_URL": own_url}) as running:
        (before,) = until(lambda: holders(own_url))
        ask(own_url, "SELECT pg_terminate_backend($1)", before)
        running.process.terminate()
        assert running.process.wait(PATIENCE) is not None
    with service(tmp_path, {"DATABASE_URL": own_url}) as running:
        (before,) = until(lambda: holders(own_url))
        ask(own_url, "SELECT pg_terminate_backend($1)", before)
        until(lambda: [pid for pid in holders(own_url) if pid != before])  # taken again
        until(lambda: status(running, "/health/ready") == 200)


def test_it_stops_while_the_server_of_the_lock_says_nothing(own_url: str, tmp_path: Path) -> None:
    with stalling(own_url) as proxy, service(tmp_path, {"DATABASE_URL": proxy.url}) as running:
        until(lambda: holders(own_url))
        with proxy.stalled():
            until(lambda: status(running, "/health/ready") == 503)
            running.process.terminate()
            assert running.process.wait(PATIENCE) is not None


def test_a_second_sigterm_ends_it_at_once(own_url: str, tmp_path: Path) -> None:
    """Although a client never ends its request."""
    with stalling(own_url) as proxy, service(tmp_path, {"DATABASE_URL": proxy.url, "DRAIN_SECONDS": "300"}) as running:
        until(lambda: holders(own_url))
        with proxy.stalled():
            running.process.terminate()
            until(lambda: "leaving" in running.log())
            os.kill(running.process.pid, signal.SIGTERM)
            assert running.process.wait(PATIENCE) is not None


@pytest.mark.long
def test_a_service_without_its_lock_still_keeps_a_restore_away(own_url: str, tmp_path: Path) -> None:
    """Its other connections tell."""
    run = buddy(tmp_path, DATABASE_URL=own_url)
    with service(tmp_path, {"DATABASE_URL": own_url}) as running:
        Person(running)
        assert run("db", "backup", "safe.bak").returncode == 0
        os.kill(running.process.pid, signal.SIGSTOP)  # it cannot take the lock again
        try:
            for pid in until(lambda: holders(own_url)):
                ask(own_url, "SELECT pg_terminate_backend($1)", pid)
            until(lambda: not holders(own_url))
            refused = run("db", "restore", "safe.bak", "--yes")
        finally:
            os.kill(running.process.pid, signal.SIGCONT)
        assert refused.returncode == 1
        assert refused.stderr.startswith("error: a service is connected to this database (")


def test_nothing_is_acknowledged_while_a_restore_has_the_lock(own_url: str, tmp_path: Path) -> None:
    with service(tmp_path, {"DATABASE_URL": own_url}) as running:
        person = Person(running)
        until(lambda: holders(own_url))
        query = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'buddy-coach' AND "
        os.kill(running.process.pid, signal.SIGSTOP)
        try:
            ask(own_url, query + "datname = current_database()")
            until(lambda: not holders(own_url))
            with restoring(own_url):
                os.kill(running.process.pid, signal.SIGCONT)
                until(lambda: status(running, "/health/ready") == 503)
                for _ in range(5):
                    answer = CLIENT.post(f"{running.url}/api/users/", json={}, timeout=PATIENCE)
                    assert answer.status_code == 503, answer.text
                    assert status(running, f"/api/users/{person.uuid}/data") == 503
        finally:
            os.kill(running.process.pid, signal.SIGCONT)
        until(lambda: status(running, "/health/ready") == 200)
        assert CLIENT.post(f"{running.url}/api/users/", json={}, timeout=PATIENCE).status_code < 300


def test_a_service_waits_for_a_restore_to_end(own_url: str, tmp_path: Path) -> None:
    """With a bound."""
    prepare(own_url)
    said = tmp_path / "said"
    environment = os.environ | {"DATABASE_URL": own_url, "SECRET_KEY": "a secret for tests that is long enough"}
    with restoring(own_url):
        bounded = environment | {"DATABASE_WAIT_SECONDS": "1"}
        started = forking.start(forking.CLI, ["serve", "--port", "0"], tmp_path, bounded, said, said)
        assert started.wait(PATIENCE) == 1
        assert "the database is being restored" in said.read_text("utf-8").splitlines()[-1]
        refused = forking.run("household", "list", cwd=tmp_path, env=environment)
        assert refused.returncode == 1
        assert refused.stderr.endswith("the database is being restored\n")
        assert refused.stderr.count("\n") == 1


def test_a_restore_whose_lock_is_lost_changes_nothing(
    own_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    prepare(own_url)
    address = read_url(own_url)
    backups.backup(address, tmp_path / "safe.bak")
    ask(own_url, "DELETE FROM badges")
    unpacked = backups._unpacked

    def loses_it(*arguments: Any, **options: Any) -> Any:
        for pid in holders(own_url):
            ask(own_url, "SELECT pg_terminate_backend($1)", pid)
        until(lambda: not holders(own_url))
        return unpacked(*arguments, **options)

    monkeypatch.setattr(backups, "_unpacked", loses_it)
    with pytest.raises(backups.BackupFailed, match="the lock of the restore is lost"):
        backups.restore(address, tmp_path / "safe.bak")
    assert ask(own_url, "SELECT count(*) FROM badges") == [0]


def test_two_restores_refuse_each_other(own_url: str) -> None:
    with restoring(own_url), pytest.raises(ServiceRuns), restoring(own_url):
        pass


def prepare(url: str) -> None:
    async def run() -> None:
        database = open_database(url)
        await migrate.prepare(database)
        await database.close()

    asyncio.run(run())
