"""Connections to PostgreSQL: several hosts, TLS as in libpq, and support for poolers.

PgBouncer and similar poolers give a server connection to another client after each transaction, together with all
session state (prepared statements, SET, LISTEN, session advisory locks, temporary tables). So this service keeps no
session state: settings and locks belong to a transaction, and behind a pooler prepared statements have no name. A
pooler is detected once: the process id of the server then differs from the one that the connection received when it
opened.
"""

import random
import ssl
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import asyncpg
from sqlalchemy import event
from sqlalchemy.util import await_

from api.database_url import SYSTEM, BadDatabaseUrl, PostgresUrl
from api.db.budget import remaining_seconds

CONNECT_SECONDS = 5.0
"""The most seconds to connect to one host; the URL or the request's budget may set less."""
APPLICATION_NAME = "buddy-coach"
RESTORE_LOCK = 7_245_113_909
"""PostgreSQL's advisory lock that a restore holds alone; beside the lock of migrations in api/db/migrate.py."""
UNLESS_RESTORED = f"""
DO $$BEGIN IF NOT pg_try_advisory_xact_lock_shared({RESTORE_LOCK}) THEN
RAISE EXCEPTION 'the database is being restored' USING ERRCODE = '57P03'; END IF; END$$;"""
"""Begins a transaction: it shares the lock, or fails as while a server starts (cannot_connect_now)."""
OF_THE_DRIVER = (
    *("sslmode", "sslrootcert", "sslcert", "sslkey", "sslcrl", "sslnegotiation"),
    *("ssl_min_protocol_version", "ssl_max_protocol_version", "krbsrvname", "gsslib", "passfile"),
)
"""libpq parameters that asyncpg reads itself."""
NEXT_HOST = (OSError, TimeoutError, asyncpg.CannotConnectNowError, asyncpg.TargetServerAttributeNotMatched)
"""Errors after which libpq tries the next host."""


class Connection(asyncpg.Connection):  # type: ignore[misc]  # asyncpg has no types
    """Bounds every statement of a transaction, and refuses it during a restore, in the same round trip as BEGIN."""

    statement_seconds: float | None = None
    is_restoring = False
    """Whether this process restores the database, so that the lock is its own."""

    async def execute(self, query: str, *args: Any, timeout: float | None = None) -> str:  # noqa: ASYNC109 - asyncpg's
        if not args and query.startswith("BEGIN"):
            milliseconds = max(1, round(self.statement_seconds * 1000)) if self.statement_seconds is not None else 0
            return await self._begin(f"{query} SET LOCAL statement_timeout = {milliseconds};", timeout)
        status: str = await super().execute(query, *args, timeout=timeout)
        return status

    async def _begin(self, query: str, seconds: float | None) -> str:
        try:
            status: str = await super().execute(query + ("" if self.is_restoring else UNLESS_RESTORED), timeout=seconds)
        except asyncpg.PostgresError:
            self.terminate()  # asyncpg does not know that its transaction is aborted; the pool makes another
            raise
        return status


class Connector:
    """Opens the connections of one engine. Raises BadDatabaseUrl if a certificate cannot be read."""

    def __init__(self, url: PostgresUrl, statement_seconds: float | None, *, is_restoring: bool = False) -> None:
        self._url = url
        self._is_restoring = is_restoring
        self._statement_seconds = statement_seconds
        self._is_pooled = url.is_pooled
        self._tls = _tls(url)
        self._told = {name: value for name, value in url.parameters.items() if name in OF_THE_DRIVER}
        if isinstance(self._tls, ssl.SSLContext):
            self._told = {name: value for name, value in self._told.items() if not name.startswith("ssl")}

    def install(self, engine: Any) -> None:
        """Make `engine` open its connections here."""

        def adapt(_dialect: Any, _record: Any, _arguments: Any, parameters: dict[str, Any]) -> None:
            parameters.clear()
            parameters["async_creator_fn"] = self.connect
            if await_(self.is_pooled()):
                parameters |= {"prepared_statement_cache_size": 0, "prepared_statement_name_func": lambda: ""}

        event.listen(engine, "do_connect", adapt)

    async def is_pooled(self) -> bool:
        """Whether a pooler is in front of the server; detected once, unless the URL says so."""
        if self._is_pooled is None:
            connection = await self._connect(keeps_statements=False)
            try:
                told = connection.get_server_pid()
                self._is_pooled = told != await connection.fetchval("SELECT pg_backend_pid()", timeout=self._patience())
            finally:
                connection.terminate()
        return self._is_pooled

    async def connect(self) -> Connection:
        """A new connection."""
        return await self._connect(keeps_statements=not await self.is_pooled())

    async def _connect(self, *, keeps_statements: bool) -> Connection:
        hosts: list[tuple[str, int] | None] = list(self._url.hosts) or [None]
        if self._url.parameters.get("load_balance_hosts") == "random":
            random.shuffle(hosts)
        wanted = self._url.parameters.get("target_session_attrs")
        attempts: list[tuple[tuple[str, int] | None, str | None]] = [(host, wanted) for host in hosts]
        if wanted == "prefer-standby":
            attempts = [(host, state) for state in ("standby", "any") for host in hosts]
        for place, (host, attributes) in enumerate(attempts, 1):
            try:
                return await self._attempt(host, attributes, len(attempts) - place, keeps_statements)
            except NEXT_HOST:
                if place == len(attempts):
                    raise
        raise AssertionError("there is at least one host")

    async def _attempt(
        self, host: tuple[str, int] | None, attributes: str | None, left: int, keeps_statements: bool
    ) -> Connection:
        """Connect to one host; `left` more hosts share the remaining time."""
        settings = {"application_name": self._url.parameters.get("application_name", APPLICATION_NAME)}
        if "options" in self._url.parameters:
            settings["options"] = self._url.parameters["options"]
        connection: Connection = await asyncpg.connect(
            f"postgresql://?{urlencode(self._told)}" if self._told else "postgresql://",
            **({"host": host[0], "port": host[1]} if host is not None else {}),
            user=self._url.user,
            password=self._url.password,
            database=self._url.database,
            ssl=self._tls,
            target_session_attrs=attributes,
            server_settings=settings,
            timeout=self._patience(left),
            connection_class=Connection,
            **({} if keeps_statements else {"statement_cache_size": 0}),
        )
        connection.statement_seconds = self._statement_seconds
        connection.is_restoring = self._is_restoring
        return connection

    def _patience(self, left: int = 0) -> float:
        seconds = self._url.connect_seconds or CONNECT_SECONDS
        remaining = remaining_seconds()
        if remaining is None:
            return seconds
        return max(0.001, min(seconds, remaining / (left + 1)))


async def is_pooled(url: PostgresUrl) -> bool:
    """Whether a pooler is in front of the server. Raises the errors of a connection."""
    return await Connector(url, None).is_pooled()


def _tls(url: PostgresUrl) -> ssl.SSLContext | str | None:
    """The `ssl` argument for asyncpg: a mode, or a context for what libpq does and asyncpg does not."""
    mode, root = url.parameters.get("sslmode"), url.parameters.get("sslrootcert")
    bound = url.parameters.get("channel_binding") == "require"
    for name in ("sslrootcert", "sslcert", "sslkey", "sslcrl"):
        file = url.parameters.get(name)
        if file is not None and file != SYSTEM and not Path(file).is_file():
            raise BadDatabaseUrl(f"names a file in {name} that is not there")
    if root == SYSTEM and mode not in {None, "verify-full"}:
        raise BadDatabaseUrl("has sslrootcert=system, which goes with sslmode=verify-full only")
    if bound and (mode in {"disable", "allow"} or any(host.startswith("/") for host, _ in url.hosts)):
        raise BadDatabaseUrl("has channel_binding=require, which needs TLS")
    try:
        if root == SYSTEM or (bound and root is None):
            # The driver does not support channel binding, which proves that no third party is between. A certificate
            # that is valid for the host's name proves the same, so verify-full is required.
            context = ssl.create_default_context()
            context.set_alpn_protocols(["postgresql"])
            if "sslcert" in url.parameters:
                context.load_cert_chain(url.parameters["sslcert"], url.parameters.get("sslkey"))
            return context
        if root is not None:
            ssl.create_default_context(cafile=root)
        if "sslcert" in url.parameters:
            ssl.create_default_context().load_cert_chain(url.parameters["sslcert"], url.parameters.get("sslkey"))
    except (OSError, ssl.SSLError) as error:
        raise BadDatabaseUrl("names a certificate or a key that cannot be read") from error
    return "verify-full" if bound else None
