"""When a process says that it is ready, and how it starts and stops."""

import asyncio
import contextlib
import os
import signal
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from sqlalchemy import text

from api.db.budget import GRACE_SECONDS
from api.db.engine import open_database
from api.db.readiness import FRESH_SECONDS, PROBE_SECONDS, Readiness
from api.kakei.coach.schemas import EXAMPLE_CONTEXT
from tests.support import forking
from tests.support.databases import empty_database
from tests.support.local_servers import ServiceMissing, free_port, unavailable
from tests.support.postgres import postgres_binaries, postgres_cluster
from tests.support.serving import CLIENT, DEFAULTS, service
from tests.support.stalling import Stalling, stalling


@pytest.fixture(params=["sqlite", "postgresql"])
def own_url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    with empty_database(request.param, request, tmp_path) as url:
        yield url


def execute(url: str, *statements: str) -> None:
    async def run() -> None:
        database = open_database(url)
        async with database.write() as session:
            for statement in statements:
                await session.execute(text(statement))
        await database.close()

    asyncio.run(run())


def ready_of(url: str) -> httpx.Response:
    return CLIENT.get(f"{url}/health/ready", timeout=30)


@pytest.mark.long
@pytest.mark.parametrize("revision", ["0001", "9999"])
def test_the_schema_of_another_version_is_not_ready(own_url: str, revision: str, tmp_path: Path) -> None:
    with service(tmp_path, {"DATABASE_URL": own_url}) as running:
        assert ready_of(running.url).status_code == 200
        execute(own_url, f"UPDATE alembic_version SET version_num = '{revision}'")  # noqa: S608
        time.sleep(FRESH_SECONDS)
        answer = ready_of(running.url)
        assert (answer.status_code, answer.json()["code"]) == (503, "not_ready")
        assert [error["field"] for error in answer.json()["errors"]] == ["database"]
        assert revision in answer.json()["detail"]
        assert int(answer.headers["retry-after"]) > 0
        assert CLIENT.get(f"{running.url}/health/live").status_code == 200


def test_a_database_without_tables_is_not_ready(own_url: str) -> None:
    async def ask() -> str | None:
        database = open_database(own_url)
        try:
            return await Readiness(database).complaint()
        finally:
            await database.close()

    assert asyncio.run(ask()) == "the database has no tables"


def test_probes_do_not_pile_up_on_a_database_that_hangs(postgres_url: str) -> None:
    async def ask(proxy: Stalling) -> tuple[set[str | None], int]:
        database = open_database(proxy.url)
        try:
            readiness = Readiness(database)
            with proxy.stalled():
                found = await asyncio.gather(*(readiness.complaint() for _ in range(50)))
            return set(found), readiness.probes
        finally:
            await database.close()

    with stalling(postgres_url) as proxy:
        assert asyncio.run(ask(proxy)) == ({"the database does not answer"}, 1)
    assert PROBE_SECONDS + GRACE_SECONDS < 2


def test_ready_turns_red_before_the_socket_closes(tmp_path: Path) -> None:
    """Requests are answered all the while; a second SIGTERM ends the wait, which `service` sends in the end."""
    with service(tmp_path, {"DRAIN_SECONDS": "300"}) as running:
        assert ready_of(running.url).status_code == 200
        os.kill(running.process.pid, signal.SIGTERM)
        while ready_of(running.url).status_code == 200:
            pass
        red = ready_of(running.url)
        assert [error["field"] for error in red.json()["errors"]] == ["process"]
        for _ in range(20):
            assert CLIENT.post(f"{running.url}/coach/suggestions", json=EXAMPLE_CONTEXT).status_code == 200
        assert running.process.poll() is None


def test_the_wait_ends_by_itself(tmp_path: Path) -> None:
    with service(tmp_path, {"DRAIN_SECONDS": "1"}) as running:
        os.kill(running.process.pid, signal.SIGTERM)
        assert running.process.wait(30) == -signal.SIGTERM


@pytest.mark.long
def test_every_worker_says_so_before_it_stops(redis_url: str, tmp_path: Path) -> None:
    settings = {"DRAIN_SECONDS": "4", "WEB_CONCURRENCY": "2", "REDIS_URL": redis_url}
    with service(tmp_path, settings) as running:
        while running.log().count("Application startup complete") < 2:  # `service` waits for the first worker
            assert running.process.poll() is None
            time.sleep(0.05)
        os.kill(running.process.pid, signal.SIGTERM)
        seen = set()
        while running.process.poll() is None:
            with contextlib.suppress(httpx.TransportError):
                seen.add(ready_of(running.url).status_code)
        assert seen == {200, 503}
        assert running.log().count("not ready any more") == 2


def test_serve_waits_for_a_database_that_comes_later(tmp_path: Path) -> None:
    binaries = postgres_binaries(os.environ)
    if binaries is None:
        unavailable(ServiceMissing("initdb and pg_ctl are not installed."), os.environ)
    with postgres_cluster(binaries, "fsync=off") as cluster:
        out = tmp_path / "out"
        with cluster.stopped():
            environment = os.environ | DEFAULTS | {"DATABASE_URL": cluster.url, "DATABASE_WAIT_SECONDS": "120"}
            port = free_port()
            command = ["serve", "--port", str(port)]
            process = forking.start(forking.CLI, command, tmp_path, environment, out, out)
            while "waiting for the database, 0 of 120 s" not in (out.read_text() if out.exists() else ""):
                assert process.poll() is None
                time.sleep(0.1)
        try:
            wait_until_ready(port, process)
        finally:
            process.terminate()
            process.wait(30)


def wait_until_ready(port: int, process: forking.Forked) -> None:
    while True:
        assert process.poll() is None
        with contextlib.suppress(httpx.TransportError):
            if ready_of(f"http://127.0.0.1:{port}").status_code == 200:
                return
        time.sleep(0.1)


def test_it_does_not_wait_for_ever_nor_for_what_waiting_does_not_mend(tmp_path: Path, postgres_url: str) -> None:
    def serve(url: str, seconds: str) -> subprocess.CompletedProcess[str]:
        settings = {"PATH": os.environ["PATH"], "DATABASE_URL": url, "DATABASE_WAIT_SECONDS": seconds}
        return forking.run("serve", "--port", "0", cwd=tmp_path, env=DEFAULTS | settings)

    away = serve(f"postgresql://me:s3cret@127.0.0.1:{free_port()}/x", "2")
    assert away.returncode == 1
    assert "waiting for the database, 0 of 2 s" in away.stdout
    assert len(away.stderr.splitlines()) == 1
    assert "DATABASE_WAIT_SECONDS" in away.stderr
    assert "s3cret" not in away.stdout + away.stderr
    missing = serve(postgres_url.rpartition("/")[0] + "/nowhere", "600")
    assert (missing.returncode, len(missing.stderr.splitlines())) == (1, 1)
    assert "nowhere" in missing.stderr
