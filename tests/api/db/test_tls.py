"""Connections with TLS to a real PostgreSQL. The service treats a URL like libpq (psql) does."""

import asyncio
import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote, urlsplit

import pytest
from sqlalchemy import text

from api.database_url import BadDatabaseUrl
from api.db.engine import open_database
from api.db.failures import MAY_BE_AWAY
from tests.support import certificates
from tests.support.local_servers import ServiceMissing, free_port, unavailable, unprivileged
from tests.support.postgres import postgres_binaries, postgres_cluster

PASSWORD = "p@ss:w/o?r#d%20+ 世"
HBA = """
local all all trust
host all postgres 127.0.0.1/32 trust
host all safe 127.0.0.1/32 scram-sha-256
host all nobody 127.0.0.1/32 reject
hostssl all onlytls 127.0.0.1/32 trust
hostnossl all onlyplain 127.0.0.1/32 trust
"""
QUERY = """SELECT ssl, client_dn IS NOT NULL, current_user, current_setting('work_mem')
FROM pg_stat_ssl WHERE pid = pg_backend_pid()"""


@dataclass(frozen=True)
class Server:
    """A server with TLS whose certificate is valid for `localhost` and for no address."""

    port: int
    socket: str
    right: Path
    wrong: Path
    client: certificates.Pair
    plain_port: int
    """A server without TLS."""


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    binaries = postgres_binaries(os.environ)
    if binaries is None or shutil.which("psql") is None:
        unavailable(ServiceMissing("initdb, pg_ctl and psql are not installed."), os.environ)
    with tempfile.TemporaryDirectory(prefix="buddy-tls-") as name:
        folder = Path(name)
        ours, others = certificates.authority(folder, "ours"), certificates.authority(folder, "others")
        own, client = ours.sign("server", "localhost"), ours.sign("client")
        (folder / "hba").write_text(HBA)
        account = unprivileged(name)
        if account:
            os.chown(own.key, account["user"], account["group"])
        files = {"ssl_cert_file": own.certificate, "ssl_key_file": own.key, "ssl_ca_file": ours.root}
        settings = [f"{key}={value}" for key, value in files.items()]
        settings += ["ssl=on", "fsync=off", f"hba_file={folder}/hba", f"unix_socket_directories={folder}"]
        with (
            postgres_cluster(binaries, *settings) as cluster,
            postgres_cluster(binaries, "fsync=off") as plain,
        ):
            ports = [urlsplit(one.url).port or 0 for one in (cluster, plain)]
            asyncio.run(_make_roles(cluster.url))
            yield Server(ports[0], name, ours.root, others.root, client, ports[1])


async def _make_roles(url: str) -> None:
    database = open_database(url)
    async with database.write() as session:
        for role in ("nobody", "onlytls", "onlyplain"):
            await session.execute(text(f"CREATE ROLE {role} LOGIN"))
        await session.execute(
            text(f"CREATE ROLE safe LOGIN PASSWORD '{PASSWORD}'").execution_options(no_parameters=True)
        )
    await database.close()


def ours(url: str) -> list[str]:
    """What our connection is, as psql prints it. Raises one of MAY_BE_AWAY where there is none."""

    async def ask() -> list[str]:
        database = open_database(url)
        try:
            async with database.read() as session:
                row = (await session.execute(text(QUERY))).one()
                return ["t" if value is True else "f" if value is False else str(value) for value in row]
        finally:
            await database.close()

    return asyncio.run(ask())


def libpq(url: str, home: Path) -> list[str] | None:
    """The same from psql, None where it does not connect."""
    environment = {"PATH": os.environ["PATH"], "HOME": str(home)}
    command = ["psql", "-XAtF,", "-c", QUERY, url]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    return done.stdout.strip().split(",") if done.returncode == 0 else None


URLS = {
    **{
        mode: f"postgresql://postgres@localhost:PORT/postgres?sslmode={mode}" for mode in ("disable", "allow", "prefer")
    },
    "nothing said": "postgres://postgres@127.0.0.1:PORT/postgres",
    "require": "postgresql://postgres@127.0.0.1:PORT/postgres?sslmode=require",
    "require by name and timeout": "postgresql://postgres@localhost:PORT/postgres?sslmode=require&connect_timeout=10"
    "&application_name=a%20b&channel_binding=prefer&target_session_attrs=read-write",
    "require with the wrong root": "postgresql://postgres@localhost:PORT/postgres?sslmode=require&sslrootcert=WRONG",
    "require of a plain server": "postgresql://postgres@127.0.0.1:PLAIN/postgres?sslmode=require",
    "prefer of a plain server": "postgresql://postgres@127.0.0.1:PLAIN/postgres?sslmode=prefer",
    "verify-ca": "postgresql://postgres@127.0.0.1:PORT/postgres?sslmode=verify-ca&sslrootcert=RIGHT",
    "verify-ca with the wrong root": "postgresql://postgres@127.0.0.1:PORT/postgres?sslmode=verify-ca&sslrootcert=WRONG",
    "verify-full": "postgresql://postgres@localhost:PORT/postgres?sslmode=verify-full&sslrootcert=RIGHT",
    "verify-full of another name": "postgresql://postgres@127.0.0.1:PORT/postgres?sslmode=verify-full&sslrootcert=RIGHT",
    "verify-full with the wrong root": "postgresql://postgres@localhost:PORT/postgres?sslmode=verify-full&sslrootcert=WRONG",
    "verify-full of a plain server": "postgresql://postgres@localhost:PLAIN/postgres?sslmode=verify-full&sslrootcert=RIGHT",
    "with a client's certificate": "postgresql://postgres@localhost:PORT/postgres?sslmode=verify-full&sslrootcert=RIGHT"
    "&sslcert=CERT&sslkey=KEY",
    "a role that only TLS may have, allow": "postgresql://onlytls@localhost:PORT/postgres?sslmode=allow",
    "a role that only TLS may have, disable": "postgresql://onlytls@localhost:PORT/postgres?sslmode=disable",
    "a role that TLS may not have, prefer": "postgresql://onlyplain@localhost:PORT/postgres?sslmode=prefer",
    "a role that TLS may not have, require": "postgresql://onlyplain@localhost:PORT/postgres?sslmode=require",
    "a role that is refused": "postgresql://nobody@localhost:PORT/postgres",
    "a password": f"postgresql://safe:{quote(PASSWORD, safe='')}@localhost:PORT/postgres",
    "a password as a parameter": f"postgresql://localhost:PORT/postgres?user=safe&password={quote(PASSWORD, safe='')}",
    "a wrong password": "postgresql://safe:wrong@localhost:PORT/postgres",
    "a socket's folder": "postgresql:///postgres?host=SOCKET&port=PORT&user=postgres",
    "a socket's folder as the host": "postgresql://postgres@ENCODED:PORT/postgres?sslmode=require",
    "options": "postgresql://postgres@localhost:PORT/postgres?options=-c%20work_mem%3D5MB",
    "the second host": "postgresql://postgres@127.0.0.1:CLOSED,localhost:PORT/postgres",
    "the second host as parameters": "postgresql:///postgres?user=postgres&host=127.0.0.1,localhost&port=CLOSED,PORT",
    "a standby that there is not": "postgresql://postgres@localhost:PORT/postgres?target_session_attrs=standby",
    "preferably a standby": "postgresql://postgres@localhost:PORT/postgres?target_session_attrs=prefer-standby",
    "no such database": "postgresql://postgres@localhost:PORT/nowhere",
}


@pytest.mark.long
@pytest.mark.parametrize("what", URLS)
def test_a_url_means_what_libpq_takes_it_for(what: str, server: Server, tmp_path: Path) -> None:
    url = _filled(URLS[what], server)
    theirs = libpq(url, tmp_path)
    try:
        found: list[str] | None = ours(url)
    except MAY_BE_AWAY:
        found = None
    assert found == theirs


def test_the_comparison_saw_both_outcomes_and_both_kinds_of_connection(server: Server, tmp_path: Path) -> None:
    seen = {tuple((libpq(_filled(url, server), tmp_path) or ["none"])[:1]) for url in URLS.values()}
    assert seen == {("t",), ("f",), ("none",)}


@pytest.mark.parametrize(
    ("host", "root", "connects"),
    [
        ("localhost", "RIGHT", True),
        ("localhost", "WRONG", False),
        ("127.0.0.1", "RIGHT", False),
        ("localhost", "", False),
    ],
)
def test_a_bound_channel_is_a_server_that_proved_its_name(host: str, root: str, connects: bool, server: Server) -> None:
    """The driver cannot bind channels; a certificate proves the same."""
    more = f"&sslrootcert={root}" if root else ""
    url = f"postgresql://postgres@{host}:PORT/postgres?sslmode=require&channel_binding=require{more}"
    if connects:
        assert ours(_filled(url, server))[0] == "t"
        return
    with pytest.raises(MAY_BE_AWAY):
        ours(_filled(url, server))


def test_the_machines_own_authorities_can_be_asked_for(server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    url = _filled("postgresql://postgres@localhost:PORT/postgres?sslrootcert=system", server)
    with pytest.raises(MAY_BE_AWAY, match=r"(?i)certificate"):
        ours(url)
    monkeypatch.setenv("SSL_CERT_FILE", str(server.right))
    assert ours(url)[0] == "t"


@pytest.mark.parametrize(
    "parameters",
    [
        "sslrootcert=/nowhere.pem",
        "sslmode=require&sslcert=/nowhere.pem",
        "sslmode=require&sslrootcert=system",
        "sslmode=disable&channel_binding=require",
        "sslmode=verify-full&sslrootcert=KEY",
        "sslmode=verify-full&sslrootcert=RIGHT&sslcert=RIGHT&sslkey=KEY",
    ],
)
def test_certificates_that_cannot_be_used_are_refused_before_anything_is_sent(parameters: str, server: Server) -> None:
    with pytest.raises(BadDatabaseUrl):
        open_database(_filled(f"postgresql://postgres@localhost:PORT/postgres?{parameters}", server))


def _filled(url: str, server: Server) -> str:
    values = {
        "RIGHT": server.right,
        "WRONG": server.wrong,
        "CERT": server.client.certificate,
        "KEY": server.client.key,
        "ENCODED": quote(server.socket, safe=""),
        "SOCKET": server.socket,
        "CLOSED": free_port(),
        "PORT": server.port,
        "PLAIN": server.plain_port,
    }
    for name, value in values.items():
        url = url.replace(name, str(value))
    return url
