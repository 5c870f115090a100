"""Actions and undo in any order: todos and streak always follow from the remaining log."""

import asyncio
from collections.abc import Coroutine, Iterator
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)
from sqlalchemy import select

from api.db import migrate
from api.db.engine import Database, open_database
from api.kinderbud.errors import Refused
from api.kinderbud.guides import routes as guides
from api.kinderbud.guides.schemas import PlanCreate
from api.kinderbud.history.queries import actions_between, latest_run
from api.kinderbud.households.actions import Child
from api.kinderbud.streaks.rules import streak
from api.kinderbud.todos import actions as todo_actions
from api.kinderbud.todos import routes as todos
from api.kinderbud.todos.queries import listed_todos, todo_in
from api.kinderbud.todos.schemas import TodoCreate, TodoUpdate, Undo
from api.models import CompletionRun, Guide, GuideItem
from data.catalog.guides import Frequency
from tests.actors.home import Done, Home, home
from tests.support.databases import url_of

BEGINNING = datetime(2026, 3, 6, 12, tzinfo=UTC)
ZONES = ["America/New_York", "Pacific/Auckland", "Pacific/Honolulu"]
"""Between the last two zones a flight crosses the date line."""
EMMA = Child("Emma", date(2024, 10, 8))
"""She is eighteen months, and in another stage, a month later."""
numbers = st.integers(0, 10**6)
kinds = st.sampled_from(["completed", "completed", "snoozed", "snoozed", "skipped"])
hours = st.sampled_from([0, 1, 11, 24])
frequencies = st.sampled_from(Frequency)


@pytest.fixture(scope="module", params=["sqlite", "postgresql"])
def url(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> str:
    return url_of(request, tmp_path_factory.mktemp("undo"))


@pytest.fixture(scope="module")
def runner() -> Iterator[asyncio.Runner]:
    with asyncio.Runner() as running:
        yield running


@pytest.fixture(scope="module")
def database(url: str, runner: asyncio.Runner) -> Iterator[Database]:
    opened = open_database(url)
    runner.run(migrate.prepare(opened))
    yield opened
    runner.run(opened.close())


class Lives(RuleBasedStateMachine):
    """A family that acts and undoes. The test sets `runner` and `database`."""

    runner: asyncio.Runner
    database: Database

    def __init__(self) -> None:
        super().__init__()
        self.home: Home
        self.plans: dict[int, int] = {}  # by guide
        self.known: dict[tuple[int, int], int] = {}  # todos of guides by participant and item
        self.taken_back: list[Done] = []
        self.deleted: set[int] = set()
        self.own: dict[int, tuple[str, str]] = {}  # title and frequency

    def run[T](self, work: Coroutine[Any, Any, T]) -> T:
        return self.runner.run(work)

    @initialize()
    def a_family_moves_in(self) -> None:
        self.home = self.run(home(self.database, [EMMA], ZONES[0], BEGINNING))
        self.run(self._guides())
        self.follows(0)
        self.adds("daily")

    async def _guides(self) -> None:
        async with self.database.read() as session:
            query = select(Guide.id).where(Guide.key.in_(["early_literacy", "early_math"])).order_by(Guide.key)
            self.guides = list(await session.scalars(query))

    def pick(self, number: int) -> int | None:
        """A todo; mostly one of two, so that actions meet."""
        there = [*self.own, *sorted(self.known.values())]
        there = there[:1] + there[-1:] if number % 5 else there
        return there[number // 5 % len(there)] if there else None

    @rule(doings=st.lists(st.tuples(numbers, kinds, hours, st.sampled_from([None, 1, 2, 30])), min_size=1, max_size=5))
    def does(self, doings: list[tuple[int, str, int, int | None]]) -> None:
        """Several actions some hours apart: at random, two actions seldom meet on one todo."""
        for number, kind, passing, days in doings:
            self.does_one(self.pick(number), kind, days, reason=["Sick day", None][number % 2])
            self.time_passes(passing)

    def does_one(self, todo_id: int | None, kind: str, days: int | None, reason: str | None) -> None:
        if todo_id is None:
            return

        async def act() -> None:
            async with self.database.write() as session:
                if todo_id in self.deleted:
                    assert await todo_in(session, self.home.id, todo_id) is None
                    return
                before = list(self.home.account.actions)
                is_away = kind == "completed" and self.home.account.of(todo_id)[2]
                try:
                    done = await self.home.act(session, todo_id, kind, days, reason)
                except todo_actions.PutAway:
                    assert is_away
                    return
                assert done in before or not is_away
                again = await self.home.act(session, todo_id, kind, days, reason)  # as a retry sends it
                assert again == done
                assert len(self.home.account.actions) <= len(before) + 1
                seen = await self.home.seen(session, todo_id)
                frequency = self.own[todo_id][1] if todo_id in self.own else seen.frequency
                expected = self.home.account.status(todo_id, frequency, self.home.today)
                assert seen.status(self.home.today) == expected

        self.run(act())

    @precondition(lambda self: self.home.account.actions)
    @rule(number=numbers)
    def takes_back(self, number: int) -> None:
        done = self.home.account.actions[-1 - number % len(self.home.account.actions)]

        async def undo() -> None:
            async with self.database.write() as session:
                if done.todo_id in self.deleted:
                    await todos.undo_action(done.todo_id, Undo(action_id=done.id), self.home.caller, session)
                    self.home.account.actions.remove(done)  # past actions stay in the history and can be undone
                    self.taken_back.append(done)
                    return
                for other in [one for one in self.known.values() if one != done.todo_id][:1]:
                    seen = await self.home.seen(session, other)
                    assert await todo_actions.undo(session, self.home.caller, seen, done.id) is None
                await self.home.undo(session, done)
                self.taken_back.append(done)

        self.run(undo())

    @precondition(lambda self: self.taken_back)
    @rule(number=numbers)
    def takes_back_once_more(self, number: int) -> None:
        done = self.taken_back[number % len(self.taken_back)]

        async def undo() -> None:
            async with self.database.write() as session:
                seen = await todo_in(session, self.home.id, done.todo_id)
                if seen is not None:
                    assert await todo_actions.undo(session, self.home.caller, seen, done.id) is None

        self.run(undo())

    @rule(frequency=frequencies)
    def adds(self, frequency: str) -> None:
        async def add() -> None:
            async with self.database.write() as session:
                body = TodoCreate(title="Read bedtime story", frequency=Frequency(frequency))
                made = (await todos.create_todo(body, self.home.caller, session)).data
                assert made.participant_id == self.home.participants["Emma"]
                self.own[made.id] = ("Read bedtime story", frequency)

        if len(self.own) < 4:
            self.run(add())

    @precondition(lambda self: self.own)
    @rule(number=numbers, title=st.sampled_from(["Sing", "Dance"]), frequency=st.none() | frequencies)
    def edits(self, number: int, title: str, frequency: Frequency | None) -> None:
        todo_id = list(self.own)[number % len(self.own)]

        async def edit() -> None:
            async with self.database.write() as session:
                body = TodoUpdate(title=title, frequency=frequency)
                if todo_id in self.deleted:
                    with pytest.raises(Refused):
                        await todos.edit_todo(todo_id, body, self.home.caller, session)
                    return
                edited = (await todos.edit_todo(todo_id, body, self.home.caller, session)).data
                self.own[todo_id] = (title, frequency or self.own[todo_id][1])
                assert (edited.title, edited.frequency) == self.own[todo_id]

        self.run(edit())

    @precondition(lambda self: len(self.own) > 1)
    @rule(number=numbers)
    def deletes(self, number: int) -> None:
        todo_id = list(self.own)[number % len(self.own)]

        async def delete() -> None:
            async with self.database.write() as session:
                if todo_id not in self.deleted:
                    await todos.delete_todo(todo_id, self.home.caller, session)
                    self.deleted.add(todo_id)

        self.run(delete())

    @rule(number=st.integers(0, 1))
    def follows(self, number: int) -> None:
        body = PlanCreate(participant_id=self.home.participants["Emma"], guide_id=self.guides[number])

        async def subscribe() -> None:
            async with self.database.write() as session:
                if body.guide_id in self.plans:
                    with pytest.raises(Refused, match="already"):
                        await guides.subscribe(body, self.home.caller, session)
                    return
                self.plans[body.guide_id] = (await guides.subscribe(body, self.home.caller, session)).data.id

        self.run(subscribe())

    @precondition(lambda self: self.plans)
    @rule(number=numbers)
    def follows_no_more(self, number: int) -> None:
        guide_id = sorted(self.plans)[number % len(self.plans)]

        async def unsubscribe() -> None:
            async with self.database.write() as session:
                plan_id = self.plans.pop(guide_id)
                ended = await guides.unsubscribe(plan_id, self.home.caller, session)
                assert await guides.unsubscribe(plan_id, self.home.caller, session) == ended

        self.run(unsubscribe())

    @rule(passing=st.sampled_from([1, 11, 24, 25, 80, 800]))
    def time_passes(self, passing: int) -> None:
        self.home.at(self.home.caller.now + timedelta(hours=passing))

    @rule(zone=st.sampled_from(ZONES))
    def travels(self, zone: str) -> None:
        self.home.caller.household.time_zone = zone

    @rule(number=numbers)
    def flies_into_yesterday(self, number: int) -> None:
        """An action after the flight is later in time but on an earlier day."""
        for zone in ZONES[1:]:
            self.travels(zone)
            self.does_one(self.pick(number), "completed", None, None)

    @invariant()
    def everything_is_what_the_remaining_log_says(self) -> None:
        if hasattr(self, "home"):
            self.run(self._check())

    async def _check(self) -> None:
        household, today, account = self.home.id, self.home.today, self.home.account
        async with self.database.read() as session:
            await self.home.matches_account(session)
            rows = (await self.home.todos(session)).values()
            runs = await session.scalars(select(CompletionRun).where(CompletionRun.household_id == household))
            assert sorted((run.first_on, run.last_on) for run in runs) == account.runs()
            assert streak(await latest_run(session, household, today), today) == account.streak(today)
            log = await actions_between(session, household, date.min, date.max)
            assert sorted(action.id for action, *_ in log) == [one.id for one in account.actions]
            milestones = set(await session.scalars(select(GuideItem.id).where(GuideItem.category == "milestone")))
            achieved = {seen.todo.id for seen in await listed_todos(session, household, {}) if seen.achieved}
        assert {todo.id for todo in rows if todo.deleted} == self.deleted
        assert {todo.id for todo in rows if todo.plan_id is None} == set(self.own)
        known = {(todo.participant_id, todo.guide_item_id or 0): todo.id for todo in rows if todo.guide_item_id}
        assert self.known.items() <= known.items()  # a new subscription to a guide continues with the same todos
        self.known = known
        reached = {todo for (_, item), todo in known.items() if item in milestones}
        assert achieved == {todo for todo in reached if account.of(todo)[0] is not None}


@pytest.mark.long
def test_every_todo_is_what_its_remaining_log_says(database: Database, runner: asyncio.Runner) -> None:
    machine = type("LivesHere", (Lives,), {"database": database, "runner": runner})
    run_state_machine_as_test(
        machine,
        settings=settings(
            max_examples=25,
            stateful_step_count=30,
            deadline=None,
            derandomize=True,
            suppress_health_check=list(HealthCheck),
            print_blob=False,
        ),
    )


def test_a_snooze_of_another_day_is_an_action_of_its_own_even_if_it_ends_on_the_same_day(
    database: Database, runner: asyncio.Runner
) -> None:
    """The answer's `action_date` is the day of the call, and the history has the action on that day."""

    async def snoozes() -> None:
        house = await home(database, [EMMA], ZONES[0], BEGINNING)
        async with database.write() as session:
            body = TodoCreate(title="Read bedtime story", frequency=Frequency.DAILY)
            todo_id = (await todos.create_todo(body, house.caller, session)).data.id
            await house.act(session, todo_id, "snoozed", days=3)
            house.at(BEGINNING + timedelta(days=1))
            again = await house.act(session, todo_id, "snoozed", days=2)
            assert (again.day, again.until) == (date(2026, 3, 7), date(2026, 3, 9))
            assert len(house.account.actions) == 2

    runner.run(snoozes())
