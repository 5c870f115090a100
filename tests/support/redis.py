"""A Redis for the tests. Existing keys are safe: a session claims an empty database, and empties it in the end."""

import os
import shutil
import subprocess
import tempfile
import time
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from urllib.parse import urlsplit, urlunsplit

import redis

from tests.support.local_servers import COMPOSE, CONNECT_SECONDS, START_SECONDS, ServiceMissing, free_port, listens

REDIS_PORT = 6379
CLAIM = "buddy-test:claimed-by"
CLAIM_SECONDS = 3600  # longer than a test session: a claim must not outlive a crash by more than this


@contextmanager
def redis_server(environ: Mapping[str, str], port: int = REDIS_PORT) -> Iterator[str]:
    """The URL of a server, without a database number. Raises ServiceMissing."""
    given = environ.get("TEST_REDIS_URL")
    if given:
        if not redis_answers(given):
            raise ServiceMissing("TEST_REDIS_URL is set, but no Redis answers there.")
        yield urlunsplit(urlsplit(given)._replace(path=""))
        return
    local = f"redis://127.0.0.1:{port}"
    if listens(port) and redis_answers(local):
        yield local
        return
    binary = shutil.which("redis-server", path=environ.get("PATH", os.defpath))
    if binary is None:
        raise ServiceMissing(
            "No Redis: set TEST_REDIS_URL, install the package redis-server (it need not run), "
            f"or start one with `{COMPOSE}`."
        )
    with _own_redis(binary) as url:
        yield url


@contextmanager
def redis_database(server_url: str, numbers: Iterable[int] = range(15, 0, -1)) -> Iterator[str]:
    """The URL of an empty database, emptied again in the end. A database that holds anything is left alone."""
    for number in numbers:
        url = f"{server_url}/{number}"
        with redis.Redis.from_url(url, socket_timeout=CONNECT_SECONDS) as client:
            # Two sessions may see the same empty database; only one of them gets the claim.
            if client.dbsize() or not client.set(CLAIM, "a test session", nx=True, ex=CLAIM_SECONDS):
                continue
            if client.dbsize() != 1:  # another client wrote between the check and the claim
                client.delete(CLAIM)
                continue
            try:
                yield url
            finally:
                client.flushdb()
            return
    raise ServiceMissing("Every database of this Redis holds data: name another server in TEST_REDIS_URL.")


def redis_answers(url: str) -> bool:
    try:
        with redis.Redis.from_url(
            url, socket_timeout=CONNECT_SECONDS, socket_connect_timeout=CONNECT_SECONDS
        ) as client:
            return bool(client.ping())
    except redis.RedisError:
        return False


@contextmanager
def _own_redis(binary: str) -> Iterator[str]:
    port = free_port()
    with tempfile.TemporaryDirectory(prefix="buddy-redis-") as folder:
        command = [binary, "--port", str(port), "--bind", "127.0.0.1", "--save", "", "--appendonly", "no"]
        server = subprocess.Popen(command, cwd=folder, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        try:
            deadline = time.monotonic() + START_SECONDS
            while not redis_answers(f"redis://127.0.0.1:{port}"):
                if server.poll() is not None or time.monotonic() > deadline:
                    raise ServiceMissing("Redis is installed but does not start.")
                time.sleep(0.05)
            yield f"redis://127.0.0.1:{port}"
        finally:
            server.terminate()
            server.wait(START_SECONDS)
