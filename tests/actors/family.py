"""A family with a token, for tests that go through Kinderbud's API."""

import asyncio
import secrets
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from typing import Any

import httpx
from sqlalchemy.ext.asyncio import AsyncSession

from api.auth.keyring import Keyring
from api.db.engine import open_database
from api.kinderbud.claude.keys import set_key
from api.kinderbud.households import actions
from api.kinderbud.households.queries import household_of, users_of
from api.models import Household
from tests.actors.actor import Actor, named
from tests.support.claude_server import KEY
from tests.support.lived import Lived
from tests.support.serving import CLIENT, Service

EMMA = actions.Child("Emma", date(2024, 11, 15))
LIMITED = 429


def in_database[T](service: Service | Lived, work: Callable[[AsyncSession], Awaitable[T]]) -> T:
    """Run `work` in a transaction on the service's database, outside the service."""

    async def run() -> T:
        database = open_database(service.environment["DATABASE_URL"])
        try:
            async with database.write() as session:
                return await work(session)
        finally:
            await database.close()

    return asyncio.run(run())


def refused(answer: httpx.Response, status: int, code: str) -> str:
    """The sentence of an answer that must be an error, in the envelope."""
    assert (answer.status_code, answer.headers["Content-Type"]) == (status, "application/json"), answer.text
    said: dict[str, Any] = answer.json()
    sentence: str = said["error"]
    assert said == {"ok": False, "error": sentence, "code": code}
    assert sentence
    return sentence


@dataclass
class Family(Actor):
    """A household of one test. When a token reaches its rate limit, the family takes a new one."""

    children: tuple[actions.Child, ...] = (EMMA,)
    time_zone: str = "America/New_York"
    daily_tasks: int = 8
    now: datetime = field(default_factory=lambda: datetime.now(UTC))
    """The time of sign-up."""
    id: int = 0
    token: str = ""

    def __post_init__(self) -> None:
        sarah = actions.Person("Sarah", f"sarah-{secrets.token_hex(6)}@example.com")

        async def create(session: AsyncSession) -> int:
            made = await actions.create_household(
                session, "The Johnsons", [sarah], self.children, self.time_zone, self.daily_tasks, self.now
            )
            return made.id

        self.id = in_database(self.service, create)
        self.token = self.new_token()

    def new_token(self) -> str:
        """Create one more token for the first user."""

        async def make(session: AsyncSession) -> str:
            user = (await users_of(session, self.id))[0]
            return (await actions.make_token(session, user, "a device", self.now))[1]

        return in_database(self.service, make)

    def learns(self) -> None:
        """Take part in learning from now on."""

        async def agree(session: AsyncSession) -> None:
            household = await household_of(session, self.id)
            assert household is not None
            actions.change(household, self.now, learning=True)

        in_database(self.service, agree)

    def ask(self, method: str, path: str, body: Any = None, **headers: str) -> httpx.Response:
        """The answer of any status; `path` begins below /api/v1."""
        for _ in range(2):
            answer = CLIENT.request(
                method,
                f"{self.service.url}/api/v1{path}",
                json=body,
                headers={"Authorization": f"Bearer {self.token}"} | named(headers),
                timeout=30,
            )
            if answer.status_code != LIMITED:
                break
            self.token = self.new_token()
        return answer

    def content(self, answer: httpx.Response) -> Any:
        """The `data` of the envelope."""
        said = answer.json()
        assert (answer.status_code, said["ok"]) == (200, True)
        return said["data"]

    def follow(self, guide_title: str = "Early Development", participant: str = "Emma") -> dict[str, Any]:
        """Subscribe a participant to the guide whose title starts with this text. Returns the plan."""
        guide = next(one for one in self.read("/guides")["guides"] if one["title"].startswith(guide_title))
        people = {one["name"]: one["id"] for one in self.read("/me")["participants"]}
        plan: dict[str, Any] = self.data(
            "POST", "/plans", {"participant_id": people[participant], "guide_id": guide["id"]}
        )
        return plan

    def create_todo(self, title: str = "Read bedtime story", **fields: Any) -> int:
        """The id of a new todo of the family's own."""
        made: int = self.data("POST", "/todos", {"title": title} | fields)["id"]
        return made

    def complete(self, todo_id: int, **fields: Any) -> dict[str, Any]:
        done: dict[str, Any] = self.data("POST", f"/todos/{todo_id}/complete", fields or None)
        return done

    def snooze(self, todo_id: int, **fields: Any) -> dict[str, Any]:
        """Snooze a todo for some `days`, or dismiss it with `permanent=True`."""
        done: dict[str, Any] = self.data("POST", f"/todos/{todo_id}/snooze", fields or None)
        return done

    def undo(self, todo_id: int, action_id: int) -> dict[str, Any]:
        undone: dict[str, Any] = self.data("POST", f"/todos/{todo_id}/undo", {"action_id": action_id})
        return undone

    def last_action(self, todo_id: int) -> int:
        """The id of the newest action on a todo."""
        actions = [action for day in self.read("/history")["entries"] for action in day["actions"]]
        newest: int = next(action["id"] for action in actions if action["todo_id"] == todo_id)
        return newest

    def chat(self, message: str, **headers: str) -> dict[str, Any]:
        """Say something to the assistant. Returns its reply."""
        reply: dict[str, Any] = self.data("POST", "/chat", {"message": message}, **headers)
        return reply

    def give_claude_key(self) -> None:
        """Store the key that the server of tests/support/claude_server.py takes."""

        async def give(session: AsyncSession) -> None:
            household = await session.get_one(Household, self.id)
            set_key(Keyring([self.service.environment["SECRET_KEY"]]), household, KEY)

        in_database(self.service, give)
