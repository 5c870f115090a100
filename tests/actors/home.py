"""A family in this process on a real database, with its own clock, and a simple model of its actions.
The model is the list of actions that were not undone. The expected state follows from it in a few lines that share
nothing with the rules under test.

`Home` is no `Actor`: it asks no service. It calls the use cases in a transaction of the test, because a test of this
kind does hundreds of actions, and looks into the database after each.
"""

from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from secrets import token_hex

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from api.db.engine import Database
from api.kinderbud.auth import Caller
from api.kinderbud.households import actions
from api.kinderbud.households.queries import household_of, participants_of, users_of
from api.kinderbud.todos import actions as todo_actions
from api.kinderbud.todos.queries import Seen, todo_in
from api.models import Todo, TodoAction

DAY = timedelta(days=1)
DUE_AFTER = {"daily": 1, "weekly": 7, "monthly": 30, "quarterly": 90}


@dataclass(frozen=True)
class Done:
    """An action in the model."""

    id: int
    todo_id: int
    kind: str
    day: date
    until: date | None = None


@dataclass
class Account:
    """The actions that the family did and did not undo, in order."""

    actions: list[Done] = field(default_factory=list)

    def of(self, todo_id: int) -> tuple[date | None, date | None, bool]:
        """When a todo was last done, until when it is snoozed, and whether it is dismissed."""
        mine = [one for one in self.actions if one.todo_id == todo_id]
        last, until = None, None
        for one in mine:
            if one.kind == "completed":
                last, until = (one.day if last is None or one.day > last else last), None
            elif one.kind == "snoozed":
                until = one.until
        return last, until, any(one.kind == "skipped" for one in mine)

    def due(self, todo_id: int, frequency: str, today: date) -> bool:
        """Whether a todo is due today, and neither snoozed nor dismissed."""
        last, until, away = self.of(todo_id)
        come = last is None or (frequency != "once" and last + DUE_AFTER[frequency] * DAY <= today)
        return come and not away and (until is None or until <= today)

    def status(self, todo_id: int, frequency: str, today: date) -> str:
        last, until, away = self.of(todo_id)
        if away:
            return "skipped"
        if last is not None and (frequency == "once" or last >= today):
            return "completed"
        return "snoozed" if until is not None and until > today else "pending"

    def days(self) -> set[date]:
        """The days with a completion."""
        return {one.day for one in self.actions if one.kind == "completed"}

    def runs(self) -> list[tuple[date, date]]:
        """Consecutive days with a completion: first and last."""
        days = self.days()
        firsts = sorted(day for day in days if day - DAY not in days)
        lasts = sorted(day for day in days if day + DAY not in days)
        return list(zip(firsts, lasts, strict=True))

    def streak(self, today: date) -> int:
        days, count = self.days(), 0
        day = today if today in days else today - DAY
        while day in days:
            day, count = day - DAY, count + 1
        return count


@dataclass
class Home:
    """A household with one user. `caller` is that user at the time `now`."""

    database: Database
    caller: Caller
    participants: dict[str, int]
    account: Account = field(default_factory=Account)

    @property
    def id(self) -> int:
        return self.caller.household.id

    @property
    def today(self) -> date:
        return self.caller.today

    def at(self, now: datetime) -> None:
        """Move the clock."""
        self.caller = Caller(self.caller.user, self.caller.household, now)

    async def act(
        self, session: AsyncSession, todo_id: int, kind: str, days: int | None = None, reason: str | None = None
    ) -> Done:
        """Act on a todo, and record it in the model unless it is a repeat."""
        seen = await self.seen(session, todo_id)
        entered: TodoAction
        if kind == "completed":
            entered = await todo_actions.complete(session, self.caller, seen, None)
        elif kind == "snoozed":
            entered = await todo_actions.snooze(session, self.caller, seen, days, reason)
        else:
            entered = await todo_actions.dismiss(session, self.caller, seen, reason)
        assert (entered.todo_id, entered.action_type) == (todo_id, kind)
        done = Done(entered.id, todo_id, kind, entered.action_date, entered.snoozed_to)
        known = {one.id: one for one in self.account.actions}
        if done.id in known:
            assert done == known[done.id]
        else:
            assert done.day == self.today
            self.account.actions.append(done)
        return done

    async def undo(self, session: AsyncSession, done: Done) -> None:
        """Undo an action that was not undone before."""
        undone = await todo_actions.undo(session, self.caller, await self.seen(session, done.todo_id), done.id)
        assert undone is not None
        assert (undone.id, undone.action_type, undone.undone_at) == (done.id, done.kind, self.caller.now)
        self.account.actions.remove(done)

    async def seen(self, session: AsyncSession, todo_id: int) -> Seen:
        found = await todo_in(session, self.id, todo_id)
        assert found is not None
        return found

    async def todos(self, session: AsyncSession) -> dict[int, Todo]:
        """All todos of the household in the database, deleted ones too."""
        query = select(Todo).where(Todo.household_id == self.id).execution_options(populate_existing=True)
        return {todo.id: todo for todo in await session.scalars(query)}

    async def matches_account(self, session: AsyncSession) -> None:
        """Compare every todo with the model."""
        for todo in (await self.todos(session)).values():
            assert (todo.last_completed_on, todo.snoozed_until, todo.dismissed) == self.account.of(todo.id), todo.id


async def home(
    database: Database, children: list[actions.Child], time_zone: str, now: datetime, daily_tasks: int = 5
) -> Home:
    """A new household on a migrated database with its guides."""
    sarah = actions.Person("Sarah", f"sarah-{token_hex(6)}@example.com")
    async with database.write() as session:
        made = await actions.create_household(session, "The Johnsons", [sarah], children, time_zone, daily_tasks, now)
        household = await household_of(session, made.id)
        assert household is not None
        user = (await users_of(session, made.id))[0]
        people = {one.name: one.id for one in await participants_of(session, made.id)}
    return Home(database, Caller(user, household, now), people)
