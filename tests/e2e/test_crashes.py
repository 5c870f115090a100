"""Kills at any moment, and outages of the database: acknowledged data stays, and no client gets a 500."""

import os
import random
import secrets
import socketserver
import threading
import time
import uuid
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import httpx
import pytest

from api.kakei.coach.schemas import EXAMPLE_CONTEXT
from tests.support.clients import phones, week
from tests.support.databases import empty_database, rows
from tests.support.local_servers import ServiceMissing, free_port, unavailable
from tests.support.postgres import Cluster, postgres_binaries, postgres_cluster
from tests.support.serving import service

pytestmark = pytest.mark.long

WEEKS = 5
"""Uploads of a writer for one user before it creates the next."""
LONGEST_BURST_SECONDS = 0.4
RECOVERY_SECONDS = 5.0
"""The longest time with 503s after the database is back."""
CALM_SECONDS = 0.6
"""This time without a 503 counts as recovered."""

type Week = tuple[str, int]
"""A user's uuid, and the week of the month."""


@dataclass
class Load:
    """Concurrent writers and their acknowledged writes."""

    url: str
    writers: int
    sent: dict[Week, dict[str, Any]] = field(default_factory=dict)
    kept_weeks: set[Week] = field(default_factory=set)
    """Writes acknowledged with a 2xx, like `kept_users`."""
    kept_users: set[str] = field(default_factory=set)
    answers: list[tuple[float, int]] = field(default_factory=list)
    """The time of each answer (time.monotonic), and its status."""
    wrong: list[str] = field(default_factory=list)
    stop: threading.Event = field(default_factory=threading.Event)
    unplugged: threading.Event = field(default_factory=threading.Event)
    """From this time on connections may break, since the service is killed."""

    def acknowledged(self) -> int:
        return len(self.kept_users) + len(self.kept_weeks)

    def statuses(self) -> dict[int, int]:
        return Counter(status for _, status in self.answers)

    def latest(self, bad: bool) -> float:
        """The time of the latest 503, or of the latest other answer; 0 if there was none."""
        return max((moment for moment, status in self.answers if (status == 503) == bad), default=0.0)

    @contextmanager
    def running(self) -> Iterator[None]:
        """Run writers until the block ends or the service is gone."""
        self.stop.clear()
        self.unplugged.clear()
        with ThreadPoolExecutor(self.writers) as pool:
            writers = [pool.submit(self._write) for _ in range(self.writers)]
            try:
                yield
            finally:
                self.stop.set()
        for writer in writers:
            writer.result()
        assert not self.wrong, f"{len(self.wrong)} of {len(self.answers)}: {self.wrong[:3]}"

    def _write(self) -> None:
        with phones(self.url, keep_connections=1) as client:
            try:
                while not self.stop.is_set():
                    self._write_one_user(client, str(uuid.uuid4()))
            except httpx.TransportError as error:
                if not self.unplugged.is_set():
                    self.wrong.append(repr(error))

    def _write_one_user(self, client: httpx.Client, user: str) -> None:
        if not self._accepted(client.post("/api/users", json={"uuid": user})):
            return
        self.kept_users.add(user)
        path = f"/api/users/{user}/summaries/weekly"
        for week_key in range(1, WEEKS + 1):
            body = week(random.randrange(1, 10_000), 202606, week_key)
            self.sent[user, week_key] = body
            if self._accepted(client.post(path, json=body)):
                self.kept_weeks.add((user, week_key))
        self._accepted(client.get(path))

    def _accepted(self, answer: httpx.Response) -> bool:
        """Whether the answer is a 2xx. The only other valid answer is a 503 with `Retry-After`."""
        self.answers.append((time.monotonic(), answer.status_code))
        if answer.status_code == 503 and int(answer.headers.get("Retry-After", 0)) > 0:
            time.sleep(0.02)  # shorter than requested: the writers must be active at the crash
        elif not answer.is_success:
            self.wrong.append(f"{answer.request.method} {answer.status_code} {answer.headers} {answer.text}")
        return answer.is_success

    def assert_kept(self) -> None:
        """Every acknowledged write can be read, and every row is as it was sent."""
        assert self.kept_users
        assert self.kept_weeks
        with phones(self.url, keep_connections=1) as client:
            for user in self.kept_users:
                answer = client.get(f"/api/users/{user}/summaries/weekly")
                assert answer.status_code == 200, f"{user} is lost: {answer.text}"
                stored = {(user, item["week_key"]): item for item in answer.json()["items"]}
                lost = {kept for kept in self.kept_weeks if kept[0] == user} - stored.keys()
                assert not lost
                for key, item in stored.items():
                    assert {name: item[name] for name in self.sent[key]} == self.sent[key]


@pytest.mark.parametrize(("kind", "kills"), [("sqlite", 20), ("postgresql", 6)])
def test_a_service_that_is_killed_comes_back_with_every_write_that_it_acknowledged(
    kind: str, kills: int, request: pytest.FixtureRequest, tmp_path: Path
) -> None:
    seed = int(os.environ.get("CRASH_SEED") or secrets.randbits(32))
    print(f"CRASH_SEED={seed} repeats these moments")
    moments = random.Random(seed)
    port = free_port()
    load = Load(f"http://127.0.0.1:{port}", writers=4)
    with empty_database(kind, request, tmp_path) as url:
        for _ in range(kills):
            before = load.acknowledged()
            with service(tmp_path, {"DATABASE_URL": url}, port) as running, load.running():
                while load.acknowledged() == before and not load.wrong:
                    time.sleep(0.005)
                time.sleep(moments.uniform(0, LONGEST_BURST_SECONDS))
                load.unplugged.set()
                running.process.kill()
                running.process.wait()
        with service(tmp_path, {"DATABASE_URL": url}, port):
            load.assert_kept()
            if kind == "sqlite":
                assert rows(url, "PRAGMA integrity_check") == [("ok",)]
    print(f"{load.acknowledged()} acknowledged writes, {load.statuses()}")


@dataclass
class Asker:
    """A client that asks the coach all the time, and its statuses."""

    url: str
    statuses: Counter[int] = field(default_factory=Counter)
    slowest_seconds: float = 0.0

    @contextmanager
    def asking(self) -> Iterator[None]:
        stop = threading.Event()
        with ThreadPoolExecutor(1) as pool:
            asked = pool.submit(self._ask, stop)
            try:
                yield
            finally:
                stop.set()
        asked.result()

    def _ask(self, stop: threading.Event) -> None:
        with phones(self.url, keep_connections=1) as client:
            while not stop.is_set():
                started = time.monotonic()
                self.statuses[client.post("/coach/suggestions", json=EXAMPLE_CONTEXT).status_code] += 1
                self.slowest_seconds = max(self.slowest_seconds, time.monotonic() - started)
                time.sleep(0.01)


WELCOME = b"R\0\0\0\x08\0\0\0\0" + b"S\0\0\0\x18server_version\x0015.0\0" + b"Z\0\0\0\x05I"
"""You are who you say you are; I am PostgreSQL 15.0; ask."""


class HangsUp(socketserver.BaseRequestHandler):
    """A PostgreSQL server that shuts down: it accepts a connection, reads the login, answers some first questions, and
    closes.
    """

    def handle(self) -> None:
        self.request.recv(8)  # an SSLRequest
        self.request.sendall(b"N")
        self.request.recv(1024)
        if random.random() < 0.5:
            self.request.sendall(WELCOME)
            self.request.recv(1024)


@contextmanager
def hanging_up(port: int) -> Iterator[None]:
    """A server that closes every connection."""

    class Server(socketserver.ThreadingTCPServer):
        allow_reuse_address = True
        daemon_threads = True

        def handle_error(self, *_: object) -> None:
            """The client closed first."""

    with Server(("127.0.0.1", port), HangsUp) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.05,))
        thread.start()
        try:
            yield
        finally:
            server.shutdown()
            thread.join()


def wait_until_calm(load: Load) -> float:
    """The seconds from now to the last 503."""
    started = time.monotonic()
    while True:
        now, last_bad = time.monotonic(), max(load.latest(bad=True), started)
        if now - last_bad > CALM_SECONDS and load.latest(bad=False) > last_bad:
            return last_bad - started
        assert now - started < RECOVERY_SECONDS + CALM_SECONDS, "the service does not recover"
        time.sleep(0.05)


@pytest.fixture
def cluster() -> Iterator[Cluster]:
    """A PostgreSQL of this test's own that syncs its commits."""
    binaries = postgres_binaries(os.environ)
    if binaries is None:
        unavailable(ServiceMissing("initdb and pg_ctl are not installed."), os.environ)
    try:
        with postgres_cluster(binaries, "fsync=on") as started:
            yield started
    except ServiceMissing as missing:
        unavailable(missing, os.environ)


def test_while_its_database_restarts_or_is_away_or_hangs_up_clients_are_asked_to_come_again_and_the_coach_answers(
    cluster: Cluster, tmp_path: Path
) -> None:
    assert rows(cluster.url, "SHOW fsync") == [("on",)]
    with service(tmp_path, {"DATABASE_URL": cluster.url}) as running:
        load, asker = Load(running.url, writers=12), Asker(running.url)
        recovered = []
        with load.running(), asker.asking():
            time.sleep(0.5)
            for _ in range(3):
                cluster.control("restart", "-m", "immediate")
                recovered.append(wait_until_calm(load))
            before, asked = load.statuses()[503], sum(asker.statuses.values())
            with cluster.stopped():
                time.sleep(2)
                assert load.statuses()[503] > before
                assert sum(asker.statuses.values()) > asked
                with hanging_up(urlsplit(cluster.url).port or 0):
                    time.sleep(0.5)
            recovered.append(wait_until_calm(load))
        load.assert_kept()
        assert running.process.poll() is None
        assert asker.statuses.keys() == {200}
        assert "unforeseen error" not in running.log()
    print(f"{load.acknowledged()} acknowledged writes, {load.statuses()}, last 503 after {recovered} s")
    print(f"coach: {asker.statuses}, slowest {asker.slowest_seconds:.3f} s")
