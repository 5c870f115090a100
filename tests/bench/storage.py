"""Benchmark of writes through the service, compared with frozen SQL sent by the driver alone, on both databases."""

import asyncio
import contextlib
import itertools
import os
import sqlite3
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from statistics import median
from typing import Any

import asyncpg

from api.kakei.summaries.schemas import WEEK
from tests.bench.calm import Calm
from tests.bench.coach import OUR_REQUEST, environment, serve
from tests.bench.load import OWN, Figures, drive_each
from tests.bench.people import Person, post, rows, settle
from tests.bench.replay import PRAGMAS, Driver, Statement, frozen, frozen_at, record
from tests.bench.report import Chart, Result, Say, Table
from tests.bench.servers import HOST, Request, ServerFailed, all_cores, pin, running
from tests.support.local_servers import ServiceMissing
from tests.support.postgres import postgres_database, postgres_server

CROWD = 16
"""Connections to the service, and concurrent transactions of the driver."""
ALONE_SHARE = 4
"""One write of so many is sent over one connection."""
P50_TARGET_MS = 3.0
"""The most that a write should take over one connection, as a median."""
RECORDED = 3
"""Number of people whose requests are sent to record their SQL."""
ALONE = "the driver alone"


@dataclass(frozen=True)
class Write:
    name: str
    request: Callable[[Person], Request]


@dataclass(frozen=True)
class Plan:
    rounds: int
    writes: int
    """Writes of each kind by each side in each round."""
    warm_up: int
    """Writes of each kind by each side before the first round."""

    @property
    def turns(self) -> list[int]:
        """Writes of each kind by each side: to warm up, then in each round."""
        return [self.warm_up] + [self.writes] * self.rounds

    @property
    def people(self) -> int:
        """Number of people; each of them writes once of each kind."""
        return RECORDED + sum(2 * writes + writes // ALONE_SHARE for writes in self.turns)


@dataclass(frozen=True)
class Round:
    through_the_service: Figures
    one_connection: Figures
    """Through the service, too."""
    driver_alone: float
    """Writes per second."""

    @property
    def ratio(self) -> float:
        return self.through_the_service.requests_per_second / self.driver_alone


@dataclass(frozen=True)
class Measured:
    statements: list[Statement]
    """As the service sends them now."""
    frozen: list[Statement]
    """As the driver sends them."""
    rounds: list[Round]


type Findings = dict[tuple[str, str], Measured]
"""(kind of write, database) to its measurements."""


def run(quick: bool, say: Say) -> Result:
    """Both writes on both databases; `quick` is for testing the harness, not for figures."""
    plan = Plan(rounds=2, writes=200, warm_up=50) if quick else Plan(rounds=3, writes=800, warm_up=200)
    cores = sorted(all_cores())
    calm = Calm()
    findings: Findings = {}
    about: list[str] = []
    try:
        for number, (database, opened) in enumerate({"PostgreSQL": postgres, "SQLite": sqlite}.items()):
            with tempfile.TemporaryDirectory(prefix="buddy-bench-") as folder, opened(Path(folder)) as (url, version):
                about.append(version)
                found = _measure(plan, database, Path(folder), url, cores, calm, _part(say, database, number))
                findings |= {(database, write): measured for write, measured in found.items()}
    finally:
        pin(0, set(cores))
    return _result(plan, findings, about, calm, pinned=len(cores) > 1)


def _part(say: Say, database: str, number: int) -> Say:
    """Reports the progress of database `number` of two within the whole."""
    return lambda doing, share: say(f"{database}, {doing}", (number + share) / 2)


@contextlib.contextmanager
def postgres(_: Path) -> Iterator[tuple[str, str]]:
    """A new PostgreSQL database, and its version and settings as text. Raises ServerFailed without PostgreSQL."""
    with contextlib.ExitStack() as stack:
        try:
            server = stack.enter_context(postgres_server(os.environ))
        except ServiceMissing as missing:
            raise ServerFailed(str(missing)) from missing
        url = stack.enter_context(postgres_database(server, "bench"))
        yield url, asyncio.run(_about_postgres(url))


async def _about_postgres(url: str) -> str:
    connection = await asyncpg.connect(url)
    try:
        version, *settings = [
            await connection.fetchval(f"SHOW {name}") for name in ("server_version", "fsync", "synchronous_commit")
        ]
    finally:
        await connection.close()
    return "PostgreSQL {}, fsync {}, synchronous_commit {}".format(version.split()[0], *settings)


@contextlib.contextmanager
def sqlite(folder: Path) -> Iterator[tuple[str, str]]:
    yield f"sqlite:///{folder}/buddy.db", f"SQLite {sqlite3.sqlite_version}, {', '.join(PRAGMAS[:2])}"


def _measure(
    plan: Plan, database: str, folder: Path, url: str, cores: list[int], calm: Calm, say: Say
) -> dict[str, Measured]:
    """Measure the service and the driver. The service runs the whole time; each round measures one after the other."""
    core, others = set(cores[:1]), set(cores[-1:])
    env = environment() | {"DATABASE_URL": url, "TRUSTED_PROXIES": HOST}
    say("starting the service", 0.0)
    with running(serve(), OUR_REQUEST, folder / "buddy.log", env, core) as server:
        say(f"settling {plan.people:,} people", 0.02)
        people = settle(server.port, url, plan.people)
        found = {
            write.name: Measured(record(url, write.request, people[:RECORDED]), frozen(database, write.name), [])
            for write in WRITES
        }
        writers = {write.name: iter(people[RECORDED:]) for write in WRITES}
        before = rows(url)
        pin(0, core)  # the driver's threads inherit it
        with Driver(url) as driver:
            sides = Sides(server.port, driver, core, others, calm)
            for number, count in enumerate(plan.turns):
                for done, write in enumerate(WRITES):
                    doing = f"round {number} of {plan.rounds}" if number else "warming up"
                    say(f"{doing}: {write.name}", 0.1 + 0.9 * (number + done / len(WRITES)) / (plan.rounds + 1))
                    measured = found[write.name]
                    one = sides.compare(write, measured.frozen, writers[write.name], count)
                    if number:
                        measured.rounds.append(one)
        _check_that_all_was_written(before, rows(url), len(people) - RECORDED)
    return found


@dataclass(frozen=True)
class Sides:
    """The two sides of the comparison: service and driver run on `core`, the load on `others`. PostgreSQL is not
    pinned."""

    port: int
    driver: Driver
    core: set[int]
    others: set[int]
    calm: Calm

    def compare(self, write: Write, statements: Sequence[Statement], people: Iterator[Person], count: int) -> Round:
        """Measure `count` writes by each side, and some over one connection, each for new people."""
        requests = [write.request(person) for person in itertools.islice(people, count)]
        alone = [write.request(person) for person in itertools.islice(people, count // ALONE_SHARE)]
        pin(0, self.others)
        served = self.calm.measure(lambda: drive_each(self.port, requests, CROWD))
        one_by_one = self.calm.measure(lambda: drive_each(self.port, alone, 1))
        rest = list(itertools.islice(people, count))
        pin(0, self.core)
        driven = self.calm.measure(lambda: self.driver.writes_per_second(statements, rest, CROWD))
        return Round(served, one_by_one, driven)


def _check_that_all_was_written(before: Mapping[str, int], after: Mapping[str, int], people: int) -> None:
    """Check that each of `people` added a summary, a claim and its points, and no badge."""
    added = {table: after[table] - count for table, count in before.items()}
    if added != {"weekly_summaries": people, "user_challenges": people, "point_entries": people, "user_badges": 0}:
        raise ServerFailed(f"{people:,} people wrote, and the tables grew by {added}")


def _weekly_summary(person: Person) -> Request:
    return post(person.uuid, "/summaries/weekly", WEEK, person.address)


def _claim(person: Person) -> Request:
    return post(person.uuid, f"/challenges/{person.challenge_id}/claim", address=person.address)


WRITES = (Write("summary", _weekly_summary), Write("claim", _claim))


def _result(plan: Plan, findings: Findings, about: Sequence[str], calm: Calm, pinned: bool) -> Result:
    figures: dict[str, Any] = {
        "load": OWN,
        "pinned": pinned,
        "measured": calm.measured,
        "disturbed": calm.disturbed,
        "connections": CROWD,
        "rounds": plan.rounds,
        "writes_a_round": plan.writes,
        "databases": list(about),
        "driver_runs_sql_of": frozen_at(),
        "writes": [
            {
                "database": database,
                "write": write,
                "statements": [statement.sql for statement in measured.statements],
                "driver_statements": [statement.sql for statement in measured.frozen],
                "rounds": [asdict(one) | {"ratio": one.ratio} for one in measured.rounds],
            }
            for (database, write), measured in findings.items()
        ],
    }
    pins = "service and driver on one core, load on another" if pinned else "service, driver and load share the cores"
    return Result(
        name="storage",
        how=f"{plan.rounds} rounds of {plan.writes:,} writes, medians over rounds; {'; '.join(about)}; "
        f"the driver runs the SQL of {frozen_at()}; "
        f"load by {OWN}; {pins}; {calm.disturbed} of {calm.measured} measurements disturbed.",
        tables=[
            Table(
                f"Writes a second, {CROWD} connections",
                ["", "SQL", "driver's SQL", "service", "driver", "ratio", "low – high", "p99 ms"],
                [_row(f"{write}, {database}", measured) for (database, write), measured in findings.items()],
            ),
            Table(
                "Milliseconds of a write, one connection",
                ["", "p50", "target", "p99"],
                [_row_alone(f"{write}, {database}", measured) for (database, write), measured in findings.items()],
            ),
        ],
        charts=[_chart(findings)],
        figures=figures,
    )


def _row(name: str, measured: Measured) -> list[str]:
    """One row. `SQL` is the number of statements now and of the driver, without those that begin and end a transaction.
    The ratio (service over driver) is computed within each round; the median is shown."""
    served = [one.through_the_service for one in measured.rounds]
    ratios = [one.ratio for one in measured.rounds]
    return [
        name,
        *(
            f"{sum(not statement.begins for statement in statements)}"
            for statements in (measured.statements, measured.frozen)
        ),
        f"{median(one.requests_per_second for one in served):,.0f}",
        f"{median(one.driver_alone for one in measured.rounds):,.0f}",
        f"{median(ratios):.2f}",
        f"{min(ratios):.2f} – {max(ratios):.2f}",
        f"{median(one.p99_ms for one in served):.1f}",
    ]


def _row_alone(name: str, measured: Measured) -> list[str]:
    alone = [one.one_connection for one in measured.rounds]
    return [
        name,
        f"{median(one.p50_ms for one in alone):.1f}",
        f"{P50_TARGET_MS:.1f}",
        f"{median(one.p99_ms for one in alone):.1f}",
    ]


def _chart(findings: Findings) -> Chart:
    bars: dict[str, float] = {}
    for (database, write), measured in findings.items():
        bars[f"{write}, {database}"] = median(one.through_the_service.requests_per_second for one in measured.rounds)
        bars[f"{write}, {database}: {ALONE}"] = median(one.driver_alone for one in measured.rounds)
    ours = [name for name in bars if not name.endswith(ALONE)]
    return Chart(f"Writes a second, {CROWD} connections (more is better)", bars, ours, "{:,.0f}")
