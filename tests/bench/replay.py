"""Records the SQL statements of one request to the service, and runs statements with the database driver alone.

What the driver runs is frozen in a file: the statements that the service sent at an earlier commit. So a statement that
the service saves counts as a gain.
"""

import asyncio
import contextlib
import json
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

import aiosqlite
import asyncpg
import httpx
import uvicorn
from pydantic import SecretStr
from sqlalchemy import event, make_url
from sqlalchemy.engine import Engine

from api.app import create_app
from api.db.engine import LOCK_SECONDS, POOL_SIZE
from api.settings import LogLevel, Settings
from tests.bench.people import Person
from tests.bench.servers import Request, ServerFailed
from tests.support.serving import DEFAULTS

SQLITE_CONNECTIONS = 1
"""Connections of the driver to SQLite. It has one writer at a time; more connections would only wait."""
PRAGMAS = ("journal_mode = WAL", "synchronous = FULL", "foreign_keys = ON")
"""The same as in api.db.engine."""

FROZEN = Path(__file__).with_name("frozen_statements.json")
"""The statements by database and kind of write, and the commit that sent them. A parameter is a value, a moment, or a
field `of` the person."""

type Parameters = tuple[Any, ...]


@dataclass(frozen=True)
class Statement:
    """SQL as the driver gets it. `slots` maps a parameter's position to the person's field that fills it."""

    sql: str
    parameters: Parameters
    slots: tuple[tuple[int, str], ...] = ()

    @property
    def begins(self) -> bool:
        """Whether it begins the transaction. SQLite begins one by a statement; PostgreSQL's driver begins it itself."""
        return self.sql.startswith("BEGIN")

    def of(self, person: Person) -> Parameters:
        values = list(self.parameters)
        for position, name in self.slots:
            values[position] = getattr(person, name)
        return tuple(values)


def frozen_at() -> str:
    """The commit whose statements are frozen."""
    return str(json.loads(FROZEN.read_text())["recorded_at"])


def frozen(database: str, write: str) -> list[Statement]:
    """The frozen statements of a kind of write, in order."""
    return [_read(one["sql"], one["parameters"]) for one in json.loads(FROZEN.read_text())[database][write]]


def _read(sql: str, parameters: Sequence[Any]) -> Statement:
    """A frozen statement."""
    values, slots = list(parameters), []
    for position, value in enumerate(parameters):
        if isinstance(value, dict) and "of" in value:
            slots.append((position, value["of"]))
        elif isinstance(value, dict):
            values[position] = datetime.fromisoformat(value["moment"])
    return Statement(sql, tuple(values), tuple(slots))


def record(url: str, request: Callable[[Person], Request], people: Sequence[Person]) -> list[Statement]:
    """The statements of one request, in order, as the service in this process sends them.

    The request is sent three times, each time for another one of `people`. The first time does the one-time work. The
    other two show which parameters differ between people.
    """
    _, one, two = asyncio.run(_heard(url, [request(person) for person in people]))
    if [statement.sql for statement in one] != [statement.sql for statement in two]:
        raise ServerFailed("two requests of this kind send different SQL")
    return [_with_slots(*both, people[1], people[2]) for both in zip(one, two, strict=True)]


async def _heard(url: str, requests: Sequence[Request]) -> list[list[Statement]]:
    """The statements of each request. Each request must be one committed transaction."""
    transactions: list[list[Statement]] = []
    async with _service(url) as client:
        for request in requests:
            with _listening() as (heard, ends):
                headers = {"Content-Type": "application/json"}
                answer = await client.post(request.path, content=request.body, headers=headers)
            if not answer.is_success or ends != ["commit"]:
                raise ServerFailed(f"{request.path} answered {answer.status_code} after {ends}: {answer.text[:500]}")
            transactions.append(heard)
    return transactions


@contextlib.contextmanager
def _listening() -> Iterator[tuple[list[Statement], list[str]]]:
    """Records the statements that this process sends to any database, and how its transactions end."""
    heard: list[Statement] = []
    ends: list[str] = []

    def hear(_: Any, __: Any, sql: str, parameters: Parameters, ___: Any, many: bool) -> None:
        if many:
            raise ServerFailed(f"a statement in bulk cannot be replayed: {sql}")
        heard.append(Statement(sql, tuple(parameters)))

    listeners: dict[str, Callable[..., Any]] = {
        "before_cursor_execute": hear,
        "commit": lambda _: ends.append("commit"),
        "rollback": lambda _: ends.append("rollback"),
    }
    for name, listener in listeners.items():
        event.listen(Engine, name, listener)
    try:
        yield heard, ends
    finally:
        for name, listener in listeners.items():
            event.remove(Engine, name, listener)


@contextlib.asynccontextmanager
async def _service(url: str) -> AsyncIterator[httpx.AsyncClient]:
    secret = SecretStr(DEFAULTS["SECRET_KEY"])
    settings = Settings(_env_file=None, database_url=url, redis_url=None, secret_key=secret, log_level=LogLevel.ERROR)
    app = create_app(settings)
    transport = httpx.ASGITransport(app)
    async with (
        app.router.lifespan_context(app),
        httpx.AsyncClient(transport=transport, base_url="http://bench") as client,
    ):
        yield client


def _with_slots(one: Statement, two: Statement, first: Person, second: Person) -> Statement:
    """The statement with its slots. Raises ServerFailed when a parameter differs but is neither a field of the person
    nor a moment."""
    slots: list[tuple[int, str]] = []
    for position, (mine, theirs) in enumerate(zip(one.parameters, two.parameters, strict=True)):
        if mine == theirs or _is_moment(mine):
            continue
        fields = [
            name for name in Person.__annotations__ if (getattr(first, name), getattr(second, name)) == (mine, theirs)
        ]
        if not fields:
            raise ServerFailed(f"parameter {position + 1} is unexpected: {one.sql}")
        slots.append((position, fields[0]))
    return Statement(one.sql, one.parameters, tuple(slots))


def _is_moment(value: Any) -> bool:
    if isinstance(value, str):  # as SQLite stores it
        with contextlib.suppress(ValueError):
            value = datetime.fromisoformat(value)
    return isinstance(value, datetime)


type Transact = Callable[[Sequence[tuple[str, Parameters]]], Awaitable[None]]
"""A function that sends statements in one transaction, over its own connection."""


class Driver:
    """Connections of the database driver to `url`, on the same kind of event loop as the service. On PostgreSQL there
    are as many as in the service's pool."""

    def __init__(self, url: str) -> None:
        self._runner = asyncio.Runner(loop_factory=uvicorn.Config("", log_config=None).get_loop_factory())
        self._stack = contextlib.AsyncExitStack()
        self._pool: list[Transact] = self._runner.run(self._connected(url))

    def __enter__(self) -> "Driver":
        return self

    def __exit__(self, *_: object) -> None:
        self._runner.run(self._stack.aclose())
        self._runner.close()

    def writes_per_second(self, statements: Sequence[Statement], people: Sequence[Person], crowd: int) -> float:
        """Run the transaction once for each of `people`, at most `crowd` at a time. Returns transactions per second."""
        return self._runner.run(self._all(statements, iter(people), crowd, len(people)))

    async def _all(self, statements: Sequence[Statement], people: Iterator[Person], crowd: int, count: int) -> float:
        free: asyncio.LifoQueue[Transact] = asyncio.LifoQueue()
        for transact in self._pool:
            free.put_nowait(transact)

        async def write() -> None:
            for person in people:
                transact = await free.get()
                await transact([(statement.sql, statement.of(person)) for statement in statements])
                free.put_nowait(transact)

        started = time.perf_counter()
        async with asyncio.TaskGroup() as group:
            for _ in range(crowd):
                group.create_task(write())
        return count / (time.perf_counter() - started)

    async def _connected(self, url: str) -> list[Transact]:
        parsed = make_url(url)
        if parsed.get_backend_name() == "sqlite":
            return [await self._sqlite(str(parsed.database)) for _ in range(SQLITE_CONNECTIONS)]
        return [await self._postgres(url) for _ in range(POOL_SIZE)]

    async def _sqlite(self, file: str) -> Transact:
        connecting = aiosqlite.connect(file, timeout=LOCK_SECONDS, isolation_level=None)
        connection = await self._stack.enter_async_context(connecting)
        for pragma in PRAGMAS:
            await connection.execute(f"PRAGMA {pragma}")

        async def transact(statements: Sequence[tuple[str, Parameters]]) -> None:
            for sql, parameters in statements:
                await connection.execute_fetchall(sql, parameters)
            await connection.commit()

        return transact

    async def _postgres(self, url: str) -> Transact:
        connection = await asyncpg.connect(url)
        self._stack.push_async_callback(connection.close)

        async def transact(statements: Sequence[tuple[str, Parameters]]) -> None:
            async with connection.transaction():
                for sql, parameters in statements:
                    await connection.fetch(sql, *parameters)

        return transact
