"""Benchmark of Kinderbud: the time of requests for a family with ten years of history and for one with a week, and of
each page of the first."""

import asyncio
import http.client
import itertools
import secrets
import tempfile
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from statistics import median

from sqlalchemy import insert, select
from sqlalchemy.ext.asyncio import AsyncSession

from api.db.engine import open_database
from api.kinderbud.guides.actions import subscribe
from api.kinderbud.households import actions
from api.kinderbud.households.queries import participants_of, users_of
from api.kinderbud.web.sessions import COOKIE, SESSIONS
from api.models import CompletionRun, DayItem, DaySelection, Guide, Todo, TodoAction
from api.time_zones import local_date
from tests.bench.calm import Calm
from tests.bench.coach import OUR_REQUEST, environment, serve
from tests.bench.report import Chart, Result, Say, Table
from tests.bench.servers import HOST, ServerFailed, all_cores, running
from tests.bench.storage import postgres, sqlite

ZONE = "America/New_York"
WEEK_DAYS, DECADE_DAYS = 7, 3653
DONE_A_DAY = 5
QUESTIONS = ("/today", "/stats", "/history?days=7")
ROWS_AT_ONCE = 1000
BARE = "/health/live"
"""The smallest answer of the same service: what HTTP, routing, the log and the metrics take."""
PAGE_LIMIT_MS = 30


@dataclass(frozen=True)
class Household:
    """A family and its tokens, which are used in turn."""

    name: str
    actions: int
    tokens: list[str]
    cookie: str
    pages: tuple[str, ...]


@dataclass(frozen=True)
class Plan:
    rounds: int
    asked: int
    """Number of requests of each kind by each family in each round."""

    @property
    def tokens(self) -> int:
        return (self.rounds + 1) * len(QUESTIONS)


type Milliseconds = dict[tuple[str, str, str], list[float]]
"""(database, question, family) to the median of each round."""
type Pages = dict[tuple[str, str], list[tuple[float, float]]]
"""(database, page) to the medians of the page and of the bare answer beside it, in each round."""


def run(quick: bool, say: Say) -> Result:
    """Both families on both databases; `quick` is for testing the harness, not for figures."""
    plan = Plan(rounds=2, asked=20) if quick else Plan(rounds=7, asked=100)
    found: Milliseconds = {}
    pages: Pages = {}
    about: list[str] = []
    calm, sizes = Calm(), {}
    for number, (database, opened) in enumerate({"PostgreSQL": postgres, "SQLite": sqlite}.items()):
        with tempfile.TemporaryDirectory(prefix="buddy-bench-") as place, opened(Path(place)) as (url, version):
            about.append(version)
            env = environment() | {"DATABASE_URL": url}
            say(f"{database}: ten years of history", number / 2)
            with running(serve(), OUR_REQUEST, Path(place) / "buddy.log", env, set(all_cores())) as server:
                families = asyncio.run(_settle(url, plan.tokens))
                sizes = {family.name: family.actions for family in families}
                for turn in range(plan.rounds + 1):
                    say(f"{database}: round {turn} of {plan.rounds}", (number + (turn + 1) / (plan.rounds + 2)) / 2)
                    _round(server.port, families, plan.asked, database, calm, found if turn else {})
                    _visit(server.port, families[-1], plan.asked, database, calm, pages if turn else {})
    return _result(plan, found, pages, sizes, about, calm)


def _visit(port: int, family: Household, asked: int, database: str, calm: Calm, pages: Pages) -> None:
    """Read each page of the family, and the bare answer beside it."""
    cookie = {"Cookie": f"{COOKIE.named(is_plain=True)}={family.cookie}"}
    for page in family.pages:
        name = "/".join("…" if part.isdigit() else part for part in page.split("/"))
        taken = calm.measure(lambda page=page: _get(port, f"/family{page}", cookie, asked))  # type: ignore[misc]
        pages.setdefault((database, name), []).append((taken, _get(port, BARE, {}, asked)))


def _round(
    port: int, families: Sequence[Household], asked: int, database: str, calm: Calm, found: Milliseconds
) -> None:
    """Send each request for both families, one after the other."""
    for question, family in itertools.product(QUESTIONS, families):
        token = family.tokens.pop()  # a token may read 120 times a minute
        milliseconds = calm.measure(lambda question=question, token=token: _ask(port, question, token, asked))  # type: ignore[misc]
        found.setdefault((database, question, family.name), []).append(milliseconds)


def _ask(port: int, question: str, token: str, asked: int) -> float:
    return _get(port, f"/api/v1{question}", {"Authorization": f"Bearer {token}"}, asked)


def _get(port: int, path: str, headers: dict[str, str], asked: int) -> float:
    """The median milliseconds of a response, over one connection."""
    connection = http.client.HTTPConnection(HOST, port, timeout=30)
    taken = []
    for _ in range(asked):
        started = time.perf_counter()
        connection.request("GET", path, headers=headers)
        answer = connection.getresponse()
        answer.read()
        taken.append(1000 * (time.perf_counter() - started))
        if answer.status != http.HTTPStatus.OK:
            raise ServerFailed(f"{path} was answered {answer.status}")
    connection.close()
    return median(taken)


async def _settle(url: str, tokens: int) -> list[Household]:
    """Create a family with one week and one with ten years of history. Their days are equal."""
    database = open_database(url)
    try:
        families = []
        for name, days in (("one week", WEEK_DAYS), ("ten years", DECADE_DAYS)):
            async with database.write() as session:
                families.append(await _family(session, name, days, tokens))
        return families
    finally:
        await database.close()


async def _family(session: AsyncSession, name: str, days: int, tokens: int) -> Household:
    now = datetime.now(UTC)
    today = local_date(now, ZONE)
    child = actions.Child("Emma", date(today.year - 2, 1, 15))
    sarah = actions.Person("Sarah", f"{secrets.token_hex(8)}@example.com")
    household = await actions.create_household(session, name, [sarah], [child], ZONE, 8, now)
    emma = (await participants_of(session, household.id))[0]
    for guide in await session.scalars(select(Guide).where(~Guide.for_adults)):
        await subscribe(session, emma, guide, today, now)
    user = (await users_of(session, household.id))[0]
    todos = list(await session.scalars(select(Todo.id).where(Todo.household_id == household.id).order_by(Todo.id)))
    first = today - timedelta(days=days)
    for part in itertools.batched((first + timedelta(days=day) for day in range(days)), ROWS_AT_ONCE):
        await _live(session, household.id, user.id, todos, part)
    run_of_days = {"household_id": household.id, "first_on": first, "last_on": today - timedelta(days=1)}
    await session.execute(insert(CompletionRun).values(run_of_days))
    made = [(await actions.make_token(session, user, "bench", now))[1] for _ in range(tokens)]
    cookie = await SESSIONS.begin(session, user.id, now)
    pages = (
        *("/today", f"/todos/{todos[0]}", "/history?days=7", "/history?days=90"),
        *("/people", f"/people/{emma.id}", "/guides", "/guides/1"),
        *("/settings", "/access", f"/access/members/{user.id}", "/leave"),
    )
    return Household(name, days * DONE_A_DAY, made, cookie, pages)


async def _live(session: AsyncSession, household: int, user: int, todos: list[int], days: Sequence[date]) -> None:
    """Add days on which eight todos are shown and five are done; the todos rotate."""
    shown = {day: [todos[(day.toordinal() + place) % len(todos)] for place in range(8)] for day in days}
    selections = [
        {
            "household_id": household,
            "day": day,
            "source": "rules",
            "policy_id": "daily-rules/1",
            "daily_note": "A day.",
            "epsilon": 0.0,
            "created_at": datetime.now(UTC),
        }
        for day in days
    ]
    items = [
        {"household_id": household, "day": day, "todo_id": todo, "position": place}
        for day, some in shown.items()
        for place, todo in enumerate(some)
    ]
    done = [
        {
            "household_id": household,
            "todo_id": todo,
            "action_type": "completed",
            "action_date": day,
            "performed_by": user,
            "created_at": datetime.now(UTC),
        }
        for day, some in shown.items()
        for todo in some[:DONE_A_DAY]
    ]
    for table, rows in ((DaySelection, selections), (DayItem, items), (TodoAction, done)):
        await session.execute(insert(table), rows)


def _result(
    plan: Plan, found: Milliseconds, pages: Pages, sizes: dict[str, int], about: Sequence[str], calm: Calm
) -> Result:
    ratios = dict(_ratios(found))
    rows = [
        [
            database,
            f"`GET {question}`",
            f"{median(found[database, question, 'one week']):.1f} ms",
            f"{median(found[database, question, 'ten years']):.1f} ms",
            f"{ratio:.2f}",
        ]
        for (database, question), ratio in ratios.items()
    ]
    how = (
        f"One connection, {plan.rounds} rounds of {plan.asked} requests by each family in turn, medians. "
        f"{'; '.join(about)}. "
        f"One family has {sizes['one week']:,} actions, the other {sizes['ten years']:,}. "
        f"{calm.disturbed} of {calm.measured} measurements were disturbed."
    )
    columns = ("database", "question", "after one week", "after ten years", "ratio")
    bars = {f"{database} {question}": ratio for (database, question), ratio in ratios.items()}
    return Result(
        "kinderbud",
        how,
        [Table("What ten years of history cost", columns, rows), _pages(pages)],
        [Chart("Time after ten years over time after one week", bars, list(bars), "{:.2f}")],
        {
            "milliseconds": {" ".join(key): values for key, values in found.items()},
            "ratios": {" ".join(key): ratio for key, ratio in ratios.items()},
            "pages": {" ".join(key): values for key, values in pages.items()},
            "measured": calm.measured,
            "disturbed": calm.disturbed,
        },
    )


def _pages(pages: Pages) -> Table:
    rows = [
        [
            database,
            f"`/family{page}`",
            f"{median(page_ms for page_ms, _ in each):.1f} ms",
            f"{median(page_ms / bare_ms for page_ms, bare_ms in each):.1f}",
        ]
        for (database, page), each in pages.items()
    ]
    title = f"Pages of the family with ten years of history, limit {PAGE_LIMIT_MS} ms"
    return Table(title, ("database", "page", "median", f"÷ `{BARE}`"), rows)


def _ratios(found: Milliseconds) -> Iterator[tuple[tuple[str, str], float]]:
    """(database, question) to the median of the rounds' ratios."""
    for database, question in dict.fromkeys((key[0], key[1]) for key in found):
        old, new = (found[database, question, name] for name in ("ten years", "one week"))
        yield (database, question), median(a / b for a, b in zip(old, new, strict=True))
