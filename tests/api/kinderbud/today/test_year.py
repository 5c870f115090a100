"""A family's year, with clock changes, birthdays and stages of two children, compared with a simple model."""

import asyncio
import random
from collections import Counter
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time
from functools import cache
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from api.db.engine import Database, open_database
from api.kinderbud.guides import actions as guides
from api.kinderbud.guides.queries import plans_of
from api.kinderbud.history.routes import get_stats, list_milestones
from api.kinderbud.households.actions import Child
from api.kinderbud.households.queries import participant_in
from api.kinderbud.today.actions import prepare_day
from api.kinderbud.todos.actions import PutAway
from api.kinderbud.todos.queries import listed_todos
from api.kinderbud.todos.routes import create_todo, list_todos
from api.kinderbud.todos.schemas import TodoCreate
from api.models import DayItem, DaySelection, Guide, GuideItem, GuideStage
from api.observability.metrics import Metrics
from coach_model.policy import FallbackReason
from data.catalog.guides import Frequency
from tests.actors.home import DAY, Home, home
from tests.support.databases import migrate, url_of

pytestmark = pytest.mark.long

YEARS = {  # a Monday before the first change of clocks; Tehran's last changes, at midnight, were in 2021 and 2022
    "America/New_York": date(2026, 3, 2),
    "Asia/Manila": date(2026, 1, 26),
    "Pacific/Auckland": date(2026, 3, 30),
    "Asia/Tehran": date(2021, 3, 15),
}
EVERY_DAY = {"sqlite": {"America/New_York", "Pacific/Auckland"}, "postgresql": {"Asia/Manila", "Asia/Tehran"}}
"""Where a year runs day by day; elsewhere it runs daily around changes and birthdays, and skips days in between."""
JUMPS = [1, 1, 21, 31]
MOMENTS = [time(0, 0, 0), time(0, 0, 1), time(0, 30), time(2, 30), time(9), time(12), time(23, 30), time(23, 59, 59)]
DAILY_TASKS = 5
METRICS = Metrics()


@pytest.fixture(scope="module", params=["sqlite", "postgresql"])
def url(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> str:
    found = url_of(request, tmp_path_factory.mktemp("year"))
    migrate(found)
    return found


@cache
def months_old(born: date, today: date) -> int:
    """Completed months, by counting the days on which a month is completed: the 1st of the next month if the day is
    missing.
    """

    def completed(month: int) -> date:
        year, place = divmod(born.month - 1 + month, 12)
        try:
            return born.replace(year=born.year + year, month=place + 1)
        except ValueError:
            return date(born.year + year + (place == 11), (place + 1) % 12 + 1, 1)

    return sum(completed(month) <= today for month in range(1, 120))


@dataclass
class Year:
    """A family's year. `local` is its local time; the day follows from it alone."""

    home: Home
    birthdays: dict[int, date | None]
    plans: set[tuple[int, int]] = field(default_factory=set)
    """Participant and guide."""
    own: dict[int, str] = field(default_factory=dict)
    """Frequencies of the family's own todos."""
    shown: dict[date, set[int]] = field(default_factory=dict)
    chosen: dict[date, list[int]] = field(default_factory=dict)
    items: dict[int, Any] = field(default_factory=dict)
    """The items of all guides, with the ages of their stages."""
    todos: dict[tuple[int, int], int] = field(default_factory=dict)
    """Todos of guides by participant and item."""

    def current(self, today: date) -> dict[tuple[int, int], Any]:
        """Items of the current stages, by participant and item."""
        found = {}
        for participant, guide in self.plans:
            born = self.birthdays[participant]
            for item in self.items.values():
                if item.guide_id == guide:
                    ageless = item.age_start_months is None
                    if (
                        born is None
                        or ageless
                        or item.age_start_months <= months_old(born, today) < item.age_end_months
                    ):
                        found[participant, item.id] = item
        return found

    def candidates(self, today: date) -> set[int]:
        """Todos that may be chosen for a day."""
        account, items = self.home.account, self.current(today)
        return {
            self.todos[key]
            for key, item in items.items()
            if item.category == "activity" and account.due(self.todos[key], item.frequency, today)
        }

    def own_of(self, today: date) -> set[int]:
        """The family's own todos of a day: due, or with an action, unless they are inactive."""
        account, belongs = self.home.account, set()
        acted = {one.todo_id for one in account.actions if one.day == today}
        for todo, often in self.own.items():
            last = account.of(todo)[0]
            rests = often == "once" and last is not None and last < today
            if not rests and (todo in acted or account.due(todo, often, today)):
                belongs.add(todo)
        return belongs

    def frequency(self, todo_id: int) -> str:
        if todo_id in self.own:
            return self.own[todo_id]
        item_id = next(item for (_, item), todo in self.todos.items() if todo == todo_id)
        return str(self.items[item_id].frequency)

    async def know_todos(self, session: AsyncSession) -> None:
        rows = (await self.home.todos(session)).values()
        self.todos = {(one.participant_id, one.guide_item_id): one.id for one in rows if one.guide_item_id}

    async def see_the_day(self, session: AsyncSession) -> None:
        """Request the day, and compare it with the model."""
        home, today = self.home, self.home.today
        prepared = await prepare_day(session, home.caller, FallbackReason.MODEL_UNAVAILABLE, METRICS)
        await self.know_todos(session)
        assert self.current(today).keys() <= self.todos.keys()
        due = self.candidates(today)
        if today in self.chosen or not due:
            assert not prepared.fresh
        else:
            assert prepared.fresh
            assert prepared.selection is not None
            logged = {row["todo_id"]: row for row in prepared.selection.logged["candidates"]}
            assert logged.keys() == due
            assert sum(row["propensity"] for row in logged.values()) == pytest.approx(min(DAILY_TASKS, len(due)))
            self.chosen[today] = [todo for todo, row in logged.items() if row["chosen"]]
            served = {row["participant_id"] for row in logged.values() if row["chosen"]}
            assert served == {row["participant_id"] for row in logged.values()}
            assert len(self.chosen[today]) == min(DAILY_TASKS, len(due))
        self.shown.setdefault(today, set()).update(self.chosen.get(today, []), self.own_of(today))
        query = select(DayItem.todo_id).where(DayItem.household_id == home.id, DayItem.day == today)
        assert set(await session.scalars(query)) == self.shown[today]

    async def look_back(self, session: AsyncSession) -> None:
        """Compare statuses, streak and week with the model."""
        home, today, account = self.home, self.home.today, self.home.account
        await home.matches_account(session)
        plans = await plans_of(session, home.id)
        stages = await guides.current_stages(session, plans, today)
        current = {plan: stage.id for plan, stage in stages.items() if stage is not None}
        listed = {seen.todo.id: seen for seen in await listed_todos(session, home.id, current)}
        milestones = {item.id for item in self.items.values() if item.category == "milestone"}
        reached = {todo for (_, item), todo in self.todos.items() if item in milestones and account.of(todo)[0]}
        assert listed.keys() == {self.todos[key] for key in self.current(today)} | self.own.keys() | reached
        for todo_id, seen in listed.items():
            assert seen.status(today) == account.status(todo_id, self.frequency(todo_id), today)
            assert seen.achieved == (todo_id in reached if seen.category == "milestone" else None)
        monday = today - today.weekday() * DAY
        done = Counter(one.day for one in account.actions if one.kind == "completed" and monday <= one.day <= today)
        in_week = {(day, todo) for day, todos in self.shown.items() if monday <= day <= today for todo in todos}
        in_week |= {(one.day, one.todo_id) for one in account.actions if one.kind == "completed" and one.day in done}
        stats = (await get_stats(home.caller, session)).data
        assert stats.streak == account.streak(today)
        assert stats.week.completed == done.total()
        assert stats.week.total == len(in_week)
        week = [monday + place * DAY for place in range(7)]
        assert stats.week.by_day == {day.strftime("%a"): done[day] for day in week}

    async def live(self, session: AsyncSession, chance: random.Random) -> None:
        """Do some actions, and undo some."""
        home, today = self.home, self.home.today
        near = sorted(self.shown.get(today, set())) + list(self.own)
        for _ in range(chance.choice([0, 1, 1, 2, 3])):
            there = near if chance.random() < 0.8 and near else sorted(self.todos.values())
            todo_id = chance.choice(there)
            kind = chance.choices(["completed", "snoozed", "skipped"], [8, 3, 0.5])[0]
            days = chance.choice([None, 1, 2, 7, 40])
            try:
                await home.act(session, todo_id, kind, days, reason=str(home.caller.now))
            except PutAway:
                assert kind == "completed"
                assert home.account.of(todo_id)[2]
        if home.account.actions and chance.random() < 0.2:
            await home.undo(session, chance.choice(home.account.actions[-12:]))
        if len(self.own) < 12 and chance.random() < 0.06:
            body = TodoCreate(title="Read bedtime story", frequency=chance.choice(list(Frequency)))
            made = (await create_todo(body, home.caller, session)).data
            self.own[made.id] = made.frequency


async def begin(database: Database, time_zone: str, born: list[date]) -> Year:
    """Create the family, with guides for all members. It takes part in learning, which logs the candidates."""
    moment = datetime.combine(YEARS[time_zone], time(8), ZoneInfo(time_zone)).astimezone(UTC)
    children = [Child(f"child {place}", day) for place, day in enumerate(born)]
    house = await home(database, children, time_zone, moment, DAILY_TASKS)
    house.caller.household.learning_since = moment
    year = Year(house, {})
    async with database.write() as session:
        query = select(
            *(GuideItem.id, GuideItem.category, GuideItem.frequency, GuideStage.guide_id),
            *(GuideStage.age_start_months, GuideStage.age_end_months),
        ).join(GuideStage, GuideStage.id == GuideItem.stage_id)
        query = query.where(~GuideItem.retired, ~GuideStage.retired)
        year.items = {row.id: row for row in await session.execute(query)}
        found = list(await session.scalars(select(Guide).order_by(Guide.id)))
        for name, participant_id in house.participants.items():
            participant = await participant_in(session, house.id, participant_id)
            assert participant is not None
            year.birthdays[participant_id] = participant.birthday
            mine = [guide for guide in found if guide.for_adults == participant.is_adult]
            for guide in mine[1:] if name == "child 1" else mine[:2]:
                await guides.subscribe(session, participant, guide, house.today, house.caller.now)
                year.plans.add((participant_id, guide.id))
        await year.know_todos(session)
    return year


def wall(day: date, clock: time, time_zone: str, fold: int) -> datetime | None:
    """The instant of a local time. None if the clock skips it."""
    shown = datetime.combine(day, clock.replace(fold=fold), ZoneInfo(time_zone))
    moment = shown.astimezone(UTC)
    return moment if moment.astimezone(ZoneInfo(time_zone)).replace(tzinfo=None) == shown.replace(tzinfo=None) else None


@pytest.mark.parametrize("time_zone", YEARS)
def test_a_year_is_what_the_family_remembers_of_it(url: str, time_zone: str) -> None:
    every_day = time_zone in EVERY_DAY[url.partition(":")[0]]
    asyncio.run(_year(url, time_zone, [1] if every_day else JUMPS))


async def _year(url: str, time_zone: str, jumps: list[int]) -> None:
    seed = f"{time_zone} 1"
    print("seed", seed)
    chance = random.Random(seed)
    database = open_database(url)
    first = YEARS[time_zone]
    born = [date(first.year - 2, 7, 31), date(2020, 2, 29) if first.year > 2021 else date(2016, 2, 29)]
    try:
        year = await begin(database, time_zone, born)
        before, day, asked = year.home.caller.now, first, 0
        changes = {first + number * DAY for number in range(366) if _changes(first + number * DAY, time_zone)}
        while day < first + 366 * DAY:
            for clock in sorted(chance.sample(MOMENTS, chance.choice([1, 1, 1, 2]))):
                now = wall(day, clock, time_zone, fold=chance.choice([0, 1]))
                if now is None or now <= before:
                    continue
                before, asked = now, asked + 1
                year.home.at(now)
                assert year.home.today == day
                async with database.write() as session:
                    if (day in year.shown and chance.random() < 0.5) or chance.random() < 0.2:
                        await year.live(session, chance)  # before the first request of the day
                    await year.see_the_day(session)
                    await year.live(session, chance)
                    await year.look_back(session)
            ahead = [change - DAY for change in changes if day < change + DAY]
            day = max(day + DAY, min(day + chance.choice(jumps) * DAY, *ahead, first + 366 * DAY))
        async with database.read() as session:
            kept = await session.scalars(select(DaySelection.day).where(DaySelection.household_id == year.home.id))
            assert sorted(kept) == sorted(year.chosen)
        assert asked >= 30
        assert {one.kind for one in year.home.account.actions} == {"completed", "snoozed", "skipped"}
    finally:
        await database.close()


def _changes(day: date, time_zone: str) -> bool:
    """Whether clocks change on a day, or a child has its last month's birthday."""
    zone = ZoneInfo(time_zone)
    offsets = {datetime.combine(one, time(), zone).utcoffset() for one in (day, day + DAY)}
    return len(offsets) > 1 or (day.month, day.day) in {(7, 31), (1, 31), (2, 28)}


def test_what_was_done_once_before_anyone_asked_for_the_day_is_still_a_part_of_it(url: str) -> None:
    async def done_before_breakfast() -> None:
        database = open_database(url)
        try:
            year = await begin(database, "Asia/Manila", [date(2024, 3, 3)])
            caller = year.home.caller
            async with database.write() as session:
                for often in (Frequency.ONCE, Frequency.DAILY):
                    made = (await create_todo(TodoCreate(title="Call Grandma", frequency=often), caller, session)).data
                    year.own[made.id] = often
                    await year.home.act(session, made.id, "completed")
                await year.see_the_day(session)
                assert year.own.keys() <= year.shown[year.home.today]
        finally:
            await database.close()

    asyncio.run(done_before_breakfast())


def test_on_a_birthday_the_new_stage_is_there_who_asks_first(url: str) -> None:
    """The list and the milestones do not wait for the first request of the day."""

    async def birthday() -> None:
        database = open_database(url)
        try:
            year = await begin(database, "America/New_York", [date(2024, 3, 3)])  # two tomorrow
            year.home.at(year.home.caller.now + DAY)
            async with database.read() as session:
                caller = year.home.caller
                stages = await guides.caught_up(database, session, caller.household.id, caller.today)
                listed = (await list_todos(caller, session, stages, limit=200)).data.todos
                reached = (await list_milestones(caller, session, stages)).data.milestones
        finally:
            await database.close()
        expected = year.current(date(2026, 3, 3))
        assert {(one.participant_id, one.guide_item_id) for one in listed} == set(expected)
        milestones = {key for key, item in expected.items() if item.category == "milestone"}
        assert {(one.participant_id, one.guide_item_id) for one in reached} == milestones

    asyncio.run(birthday())
