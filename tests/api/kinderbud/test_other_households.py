"""Rows of one household do not exist for another, on any route, and a request without a token is refused.
The routes and their id parameters come from /api/v1/openapi.json, so that new ones are tested too.

"""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from typing import Any

import httpx
import pytest

from api.kinderbud.auth import new_token
from api.kinderbud.households.actions import Child
from tests.actors.family import LIMITED, Family
from tests.actors.person import somewhere
from tests.support.lived import Lived
from tests.support.serving import CLIENT, Service, new_client

NEVER = 2**31 - 1
"""An unused id."""
SHARED = {"guide_id"}
"""Guides are shared by all households."""
CHILD = Child("Zebulonia", date(2025, 3, 1))
NEEDED: dict[str, dict[str, Any]] = {
    "create_todo": {"title": "Sing"},
    "edit_todo": {"title": "Sing twice"},
    "complete_todo": {},
    "snooze_todo": {},
    "undo_action": {"action_id": None},
    "subscribe_participant": {"participant_id": None, "guide_id": None},
    "ask_question": {"message": "Why does she not sleep?"},
}
"""Required body fields by operation; ids are filled in."""


@dataclass(frozen=True)
class Operation:
    """A route with a method, and its id parameters."""

    name: str
    method: str
    path: str
    in_path: frozenset[str]
    in_query: frozenset[str]
    in_body: frozenset[str]

    @property
    def places(self) -> list[str]:
        """The names of ids that belong to a household."""
        return sorted((self.in_path | self.in_query | self.in_body) - SHARED)


def operations(service: Service | Lived) -> list[Operation]:
    """All operations in the service's OpenAPI document."""
    document = CLIENT.get(f"{service.url}/api/v1/openapi.json", headers=somewhere()).json()
    schemas = document["components"]["schemas"]
    found = []
    for path, methods in document["paths"].items():
        for method, told in methods.items():
            where = {one["name"]: one["in"] for one in told.get("parameters", []) if _is_id(one["name"], one["schema"])}
            body = json.dumps(told.get("requestBody", {}))
            fields = [
                (name, schema)
                for shape, contents in schemas.items()
                if f'schemas/{shape}"' in body
                for name, schema in contents["properties"].items()
            ]
            found.append(
                Operation(
                    told["operationId"],
                    method.upper(),
                    path,
                    frozenset(name for name, place in where.items() if place == "path"),
                    frozenset(name for name, place in where.items() if place == "query"),
                    frozenset(name for name, schema in fields if _is_id(name, schema)),
                )
            )
    return found


def _is_id(name: str, schema: dict[str, Any]) -> bool:
    """Ids are the integers with the maximum of an id."""
    return any(one.get("maximum") == NEVER for one in [schema, *schema.get("anyOf", [])]) or name.endswith("_id")


class Household(Family):
    """A household with known ids, over connections that stay open."""

    def __init__(self, service: Service, client: httpx.Client) -> None:
        self.client = client
        super().__init__(service, children=(CHILD,))
        self.follow(participant=CHILD.name)

    def ask(self, method: str, path: str, body: Any = None, **headers: str) -> httpx.Response:
        for _ in range(2):
            named = {"Authorization": f"Bearer {self.token}"} | headers
            answer = self.client.request(method, f"{self.service.url}/api/v1{path}", json=body, headers=named)
            if answer.status_code != LIMITED:
                break
            self.token = self.new_token()
        return answer

    def live(self) -> None:
        """Create some data of each kind."""
        todos = self.read("/todos?limit=200")["todos"]
        self.complete(self.create_todo("Sing"), notes="loud")
        self.complete(todos[0]["id"])
        self.snooze(todos[1]["id"])
        self.snooze(todos[2]["id"], permanent=True)
        self.read("/today")

    def ids(self) -> dict[str, list[int]]:
        """All ids of the household, by parameter name."""
        entries = self.read("/history?days=90")["entries"]
        me = self.read("/me")
        return {
            "todo_id": [one["id"] for one in self.read("/todos?limit=200")["todos"]],
            "plan_id": [one["id"] for one in self.read("/plans")["plans"]],
            "participant_id": [one["id"] for one in me["participants"]],
            "performed_by": [me["user"]["id"]],
            "action_id": [action["id"] for entry in entries for action in entry["actions"]],
        }

    def account(self) -> list[Any]:
        """All that the household sees of itself."""
        paths = ("/me", "/today", "/todos?limit=200", "/plans", "/history?days=90", "/stats", "/milestones", "/summary")
        return [self.read(path) for path in paths]

    def fresh_ids(self) -> dict[str, int]:
        """An id for each parameter, of unused rows."""
        todo = self.create_todo("Jump")
        self.complete(todo)
        plans = self.read("/plans")["plans"] or [self.follow(participant=CHILD.name)]
        me = self.read("/me")
        followed = {plan["guide_id"] for plan in plans}
        unfollowed = next(one["id"] for one in self.read("/guides")["guides"] if one["id"] not in followed)
        return {
            "todo_id": todo,
            "plan_id": plans[0]["id"],
            "participant_id": me["participants"][0]["id"],
            "performed_by": me["user"]["id"],
            "action_id": self.read("/history")["entries"][0]["actions"][0]["id"],
            "guide_id": unfollowed,
        }

    def send(self, operation: Operation, ids: dict[str, int], place: str = "", **headers: str) -> httpx.Response:
        """A valid request with these ids. Optional values are left out, except `place`."""
        path = operation.path.format(**ids) + (f"?{place}={ids[place]}" if place in operation.in_query else "")
        body = NEEDED.get(operation.name)
        if body is not None:
            body = {name: ids.get(name) if value is None else value for name, value in body.items()}
            body |= {place: ids[place]} if place in operation.in_body else {}
        return self.ask(operation.method, path, body, **headers)


@pytest.fixture(scope="module")
def client() -> Iterator[httpx.Client]:
    with new_client(timeout=30) as made:
        yield made


@pytest.fixture(scope="module")
def johnsons(stored: Service, client: httpx.Client) -> Household:
    made = Household(stored, client)
    made.live()
    return made


@pytest.fixture
def stranger(stored: Service, client: httpx.Client) -> Household:
    return Household(stored, client)


@pytest.mark.long
def test_every_place_for_an_id_takes_ones_own(johnsons: Household, stranger: Household) -> None:
    """A control: without it, a 404 for another household's id might have another cause."""
    tried = []
    for operation in operations(johnsons.service):
        for place in operation.places:
            answer = stranger.send(operation, stranger.fresh_ids(), place)
            assert answer.status_code == 200, (operation, place, answer.text)
            tried.append((operation.name, place))
    assert len(tried) == len(set(tried)) >= 16
    assert {place for _, place in tried} == set(johnsons.ids())


def test_another_households_ids_are_answered_like_those_that_never_were(
    johnsons: Household, stranger: Household
) -> None:
    before, theirs, own = johnsons.account(), johnsons.ids(), stranger.fresh_ids()
    assert all(theirs.values())
    for operation in operations(johnsons.service):
        for place in operation.places:
            never = stranger.send(operation, own | {place: NEVER}, place)
            assert (never.status_code, never.json()["code"]) == (404, "NOT_FOUND"), (operation, never.text)
            for number in theirs[place]:
                answer = stranger.send(operation, own | {place: number}, place)
                assert (answer.status_code, answer.content) == (404, never.content), (operation, place, answer.text)
                assert set(answer.headers) == set(never.headers)
    assert johnsons.account() == before


def test_an_action_of_another_household_is_not_undone_through_its_own_todo(
    johnsons: Household, stranger: Household
) -> None:
    (entry, *_) = johnsons.read("/history")["entries"]
    for action in entry["actions"]:
        answer = stranger.ask("POST", f"/todos/{action['todo_id']}/undo", {"action_id": action["id"]})
        assert (answer.status_code, answer.json()["code"]) == (404, "NOT_FOUND")
    assert johnsons.read("/history")["entries"][0] == entry


def test_nothing_that_a_stranger_reads_names_another_households_child(stored: Service, client: httpx.Client) -> None:
    other = Family(stored, children=(Child("Quillon", date(2025, 3, 1)),))
    other.follow(participant="Quillon")
    assert "Quillon" in str(other.read("/today"))
    stranger = Household(stored, client)
    ids = stranger.fresh_ids()
    read = [operation for operation in operations(stored) if operation.method == "GET"]
    assert len(read) >= 11
    for operation in read:
        answer = stranger.send(operation, ids)
        assert answer.status_code == 200
        assert "Quillon" not in answer.text, operation


def no_tokens(token: str, revoked: str) -> list[str | None]:
    """Values in place of a token, or no header."""
    return [
        *(None, "", "Bearer", token, f"Basic {token}", f"Token {token}", f"Bearer{token}"),
        *(f"Bearer {token[:-1]}", f"Bearer {token}0", f"Bearer {token} {token}", f"Bearer {token},"),
        *(f"Bearer {token.upper()}", f"Bearer {token.replace('live', 'test')}", f"Bearer {token[:-1]}g"),
        *(f"Bearer {new_token()}", f"Bearer {revoked}", "Bearer kb_live_' OR 1=1 --"),
    ]


@pytest.mark.long
def test_without_a_token_that_works_every_route_is_unauthorized(johnsons: Household, client: httpx.Client) -> None:
    before, ids = johnsons.account(), johnsons.fresh_ids()
    account = johnsons.account()
    assert account != before  # it would show another household's actions
    revoked = johnsons.new_token()
    kept = json.loads(johnsons.service.buddy("token", "list", str(johnsons.id), "--json"))
    johnsons.service.buddy("token", "revoke", str(kept[-1]["id"]))
    tried = 0
    for operation in operations(johnsons.service):
        for shown in no_tokens(johnsons.token, revoked):
            path = operation.path.format(**ids)
            headers = somewhere() | ({} if shown is None else {"Authorization": shown})
            body = {name: ids.get(name, value) for name, value in NEEDED.get(operation.name, {}).items()}
            answer = client.request(
                operation.method, f"{johnsons.service.url}/api/v1{path}", json=body or None, headers=headers
            )
            if operation.name == "get_health":
                assert answer.status_code == 200
                continue
            assert answer.status_code == 401, (operation, shown, answer.text)
            assert answer.headers["WWW-Authenticate"].startswith("Bearer")
            said = answer.json()
            assert (set(said), said["ok"], said["code"]) == ({"ok", "error", "code"}, False, "UNAUTHORIZED")
            assert all(name in answer.headers for name in ("X-RateLimit-Limit", "X-RateLimit-Remaining"))
            tried += 1
    assert tried >= 20 * 17
    assert johnsons.account() == account


@pytest.mark.parametrize("content", [b"{", b'{"title": NaN', b"\xff", b"[]", b'{"title": 7}', b""])
def test_who_shows_no_token_learns_nothing_of_what_else_is_wrong(stored: Service, content: bytes) -> None:
    for method, path in (("POST", "/todos"), ("PUT", "/todos/first"), ("POST", "/todos/0/complete"), ("POST", "/chat")):
        headers = somewhere() | {"Content-Type": "application/json"}
        answer = CLIENT.request(method, f"{stored.url}/api/v1{path}", content=content, headers=headers)
        assert (answer.status_code, answer.json()["code"]) == (401, "UNAUTHORIZED"), (path, answer.text)


def test_the_name_of_the_scheme_may_be_written_as_one_likes(johnsons: Household, client: httpx.Client) -> None:
    for scheme in ("bearer", "BEARER", "Bearer"):
        headers = {"Authorization": f"{scheme} {johnsons.token}"}
        assert client.get(f"{johnsons.service.url}/api/v1/me", headers=headers).status_code == 200
