"""Finds or starts PostgreSQL, Redis and Chromium for the tests.

The search, for the two servers: the address in TEST_DATABASE_URL or TEST_REDIS_URL; else the usual local port; else a
server of our own, started from the machine's binaries in a temporary folder. An address that was given but does
not answer is an error, never a reason to look elsewhere.

Nobody's data is touched: a test session gets a new PostgreSQL database and drops it, and an empty Redis database that
it claims first and flushes afterwards.
"""

import asyncio
import getpass
import os
import secrets
import shutil
import socket
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, NoReturn
from urllib.parse import urlsplit, urlunsplit

import asyncpg
import pytest
import redis

CHROMIUM_ARGUMENTS = [
    "--headless",
    "--no-sandbox",  # root in a container has no sandbox; the tests show the browser only our own pages
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
POSTGRES_PORT = 5432
REDIS_PORT = 6379
CHROMIUM_NAMES = ("chromium", "chromium-browser", "google-chrome")
COMPOSE = "docker compose --profile test up -d postgres redis"

CONNECT_SECONDS = 5.0  # a local server answers in milliseconds; this is for a machine under load
START_SECONDS = 30.0
CLAIM = "buddy-test:claimed-by"
CLAIM_SECONDS = 3600  # longer than a test session: a claim must not outlive a crash by more than this


class ServiceMissing(Exception):
    """No such service here; the message says how to have one."""


def unavailable(missing: ServiceMissing, environ: Mapping[str, str]) -> NoReturn:
    """Skip the test, or fail it under CI=true: there, everything was meant to be installed."""
    if environ.get("CI") == "true":
        pytest.fail(str(missing), pytrace=False)
    pytest.skip(str(missing))


# PostgreSQL


@contextmanager
def postgres_server(environ: Mapping[str, str], port: int = POSTGRES_PORT) -> Iterator[str]:
    """The URL of a database on a server where new databases may be created. Raises ServiceMissing."""
    given = environ.get("TEST_DATABASE_URL")
    if given:
        url = _plain_postgres(given)
        if not postgres_answers(url):
            raise ServiceMissing("TEST_DATABASE_URL is set, but no PostgreSQL answers there.")
        yield url
        return
    users = dict.fromkeys(("postgres", getpass.getuser()))
    local = [f"postgresql://{user}@127.0.0.1:{port}/{name}" for user in users for name in ("test", "postgres")]
    found = next(filter(postgres_answers, local), None) if _listens(port) else None
    if found:
        yield found
        return
    binaries = postgres_binaries(environ)
    if binaries is None:
        raise ServiceMissing(
            "No PostgreSQL: set TEST_DATABASE_URL, install the package postgresql (it need not run), "
            f"or start one with `{COMPOSE}`."
        )
    with postgres_cluster(binaries, "fsync=off") as cluster:
        yield cluster.url


@contextmanager
def postgres_database(server_url: str, worker: str) -> Iterator[str]:
    """The URL of a new, empty database on that server, dropped in the end."""
    name = f"buddy_test_{worker}_{secrets.token_hex(4)}"
    # template0, since it accepts no connections: workers create their databases at the same time.
    asyncio.run(_execute(server_url, f"CREATE DATABASE {name} TEMPLATE template0 ENCODING 'UTF8'"))
    try:
        yield urlunsplit(urlsplit(server_url)._replace(path=f"/{name}"))
    finally:
        asyncio.run(_execute(server_url, f"DROP DATABASE IF EXISTS {name} WITH (FORCE)"))


def postgres_answers(url: str) -> bool:
    try:
        asyncio.run(_execute(url, "SELECT 1"))
    except (OSError, TimeoutError, asyncpg.PostgresError, asyncpg.InterfaceError):
        return False
    return True


def postgres_binaries(environ: Mapping[str, str]) -> Path | None:
    """The folder of initdb and pg_ctl: on PATH, else Debian's, the newest version first."""
    on_path = shutil.which("initdb", path=environ.get("PATH", os.defpath))
    debian = sorted(Path("/usr/lib/postgresql").glob("*/bin"), key=lambda folder: int(folder.parent.name), reverse=True)
    folders = ([Path(on_path).resolve().parent] if on_path else []) + debian
    return next((folder for folder in folders if (folder / "initdb").exists() and (folder / "pg_ctl").exists()), None)


@dataclass(frozen=True)
class Cluster:
    """A PostgreSQL server of our own; `url` is that of a database on it."""

    url: str
    control: Callable[..., None]
    """pg_ctl on this cluster; returns when it is done."""

    @contextmanager
    def stopped(self) -> Iterator[None]:
        """Stop the server for a while: it disconnects its clients, then refuses connections."""
        self.control("stop", "-m", "fast")
        try:
            yield
        finally:
            self.control("start")


@contextmanager
def postgres_cluster(binaries: Path, *settings: str) -> Iterator[Cluster]:
    """A new cluster in a temporary folder, with settings such as `fsync=off`. Raises ServiceMissing."""
    with tempfile.TemporaryDirectory(prefix="buddy-pg-", ignore_cleanup_errors=True) as folder:
        account = unprivileged(folder)

        def run(*command: str) -> None:
            # The server inherits the output of pg_ctl, so it goes to a file: a pipe would never close.
            with Path(folder, "output").open("ab") as output:
                subprocess.run(command, check=True, cwd=folder, stdout=output, stderr=output, **account)

        data, port = f"{folder}/data", free_port()
        chosen = [f"-c {setting}" for setting in ("listen_addresses=127.0.0.1", "max_connections=200", *settings)]
        options = " ".join((f"-p {port} -k {folder}", *chosen))
        control = [str(binaries / "pg_ctl"), "-D", data, "-o", options, "-w", "-t", f"{START_SECONDS:.0f}"]
        try:
            initdb = str(binaries / "initdb")
            run(initdb, "-D", data, "-U", "postgres", "-A", "trust", "-E", "UTF8", "--locale=C.UTF-8", "--no-sync")
            run(*control, "start")
        except subprocess.CalledProcessError as error:
            said = Path(folder, "output").read_text(errors="replace").strip()[-2000:]
            raise ServiceMissing(f"PostgreSQL is installed but does not start:\n{said}") from error
        try:
            yield Cluster(f"postgresql://postgres@127.0.0.1:{port}/postgres", partial(run, *control))
        finally:
            run(*control, "stop", "-m", "immediate")


async def _execute(url: str, statement: str) -> None:
    connection = await asyncpg.connect(url, timeout=CONNECT_SECONDS)
    try:
        await connection.execute(statement)
    finally:
        await connection.close()


def _plain_postgres(url: str) -> str:
    """Without SQLAlchemy's driver: asyncpg reads `postgresql://`, not `postgresql+asyncpg://`."""
    scheme, _, rest = url.partition("://")
    return f"{scheme.partition('+')[0]}://{rest}"


def unprivileged(folder: str) -> dict[str, Any]:
    """Arguments for subprocess.run: PostgreSQL refuses to run as root, so root hands the folder to an ordinary user."""
    if os.geteuid() != 0:
        return {}
    import pwd  # not on Windows, where nobody is root either

    for name in ("postgres", "nobody"):
        with suppress(KeyError):
            account = pwd.getpwnam(name)
            os.chown(folder, account.pw_uid, account.pw_gid)
            return {"user": account.pw_uid, "group": account.pw_gid, "extra_groups": []}
    raise ServiceMissing("PostgreSQL does not run as root, and there is no user `postgres` or `nobody`.")


# Redis


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
    if _listens(port) and redis_answers(local):
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


# Chromium


def find_chromium(environ: Mapping[str, str]) -> str:
    """The path of a Chromium. Raises ServiceMissing."""
    given = environ.get("CHROMIUM")
    path = environ.get("PATH", os.defpath)
    found = (shutil.which(name, path=path) for name in ([given] if given else CHROMIUM_NAMES))
    chromium = next(filter(None, found), None)
    if chromium is None:
        raise ServiceMissing(
            "CHROMIUM is set, but cannot be run."
            if given
            else "No Chromium: install the package chromium, or set CHROMIUM to a browser's path."
        )
    return chromium


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def _listens(port: int) -> bool:
    with socket.socket() as probe:
        probe.settimeout(CONNECT_SECONDS)
        return probe.connect_ex(("127.0.0.1", port)) == 0
