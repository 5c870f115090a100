"""A PostgreSQL for the tests. Existing data are safe: a session gets a new database and drops it."""

import asyncio
import getpass
import os
import secrets
import shutil
import subprocess
import tempfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from urllib.parse import urlsplit, urlunsplit

import asyncpg

from tests.support.local_servers import (
    COMPOSE,
    CONNECT_SECONDS,
    START_SECONDS,
    ServiceMissing,
    free_port,
    listens,
    unprivileged,
)

POSTGRES_PORT = 5432


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
    found = next(filter(postgres_answers, local), None) if listens(port) else None
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


def server_of(url: str) -> str:
    """The URL of a database on the same server where new databases may be created."""
    return urlunsplit(urlsplit(url)._replace(path="/postgres"))


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
