"""The reference is binding: each of its examples is sent to the real service and compared with its answer.
The family is the reference's: the Johnsons in New York on 19 February 2026 with Emma, who is 15 months old that day,
and 14 where the reference shows her profile.

"""

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import httpx
import pytest

from tests.actors.family import Family
from tests.api.kinderbud import reference
from tests.api.kinderbud.reference import Example, Section, agrees, complaints
from tests.support.lived import Lived
from tests.support.serving import CLIENT, new_client

SECTIONS = reference.sections()
EXAMPLES = [example for section in SECTIONS for example in section.examples() if "/chat" not in example.path]
BODIES = [(section, body) for section in SECTIONS for body in section.bodies if "/chat" not in section.title]
SIGNED_UP = datetime(2026, 1, 15, 15, 30, tzinfo=UTC)  # 10:30 in New York, as `created_at` of the plan says
PROFILE_SHOWN = datetime(2026, 1, 20, 15, tzinfo=UTC)
MORNING = datetime(2026, 2, 19, 14, 15, tzinfo=UTC)  # 09:15, as `created_at` of the action says
AFTERNOON = datetime(2026, 2, 19, 19, 30, tzinfo=UTC)
BEDTIME = {"title": "Read bedtime story", "frequency": "daily"}
MATH = "Early Math"


class Johnsons(Family):
    """The reference's family on its day, with a map from the reference's ids to this family's."""

    def __init__(self, lived: Lived, client: httpx.Client) -> None:
        self.client = client
        lived.clock.now = SIGNED_UP
        super().__init__(lived, now=SIGNED_UP)
        plan = self.follow()
        people = {one["name"]: one["id"] for one in self.read("/me")["participants"]}
        lived.clock.now = MORNING
        due = self.read("/todos?limit=200")["todos"]
        guides = {one["title"]: one["id"] for one in self.read("/guides")["guides"]}
        self.participants = {2: people["Emma"], 3: people["Sarah"]}
        self.guides = {
            1: plan["guide_id"],
            3: next(number for title, number in guides.items() if title.startswith(MATH)),
        }
        self.todos = {
            42: next(one["id"] for one in due if (one["category"], one["frequency"]) == ("activity", "daily")),
            55: next(one["id"] for one in due if one["category"] == "milestone"),
            101: self.data("POST", "/todos", BEDTIME)["id"],
        }
        self.plans = {1: plan["id"]}
        self.actions: dict[int, int] = {}
        self.clock = lived.clock

    def ask(self, method: str, path: str, body: Any = None, **headers: str) -> httpx.Response:
        """The answer, of any status, over connections that all these families share, since each sends few requests."""
        named = {"Authorization": f"Bearer {self.token}"} | headers
        return self.client.request(method, f"{self.service.url}/api/v1{path}", json=body, headers=named)

    def prepare(self, title: str) -> None:
        """Create the state that the reference assumes below this title."""
        if title in {"POST /todos/{id}/undo", "GET /history"}:
            self.complete(self.todos[42])
            self.actions[123] = self.read("/history")["entries"][0]["actions"][0]["id"]
        if title == "GET /today":
            self.complete(self.todos[101])
            self.read("/today")  # an earlier request was first
        if title == "DELETE /plans/{id}":
            self.plans[5] = self.follow(MATH)["id"]
        self.clock.now = PROFILE_SHOWN if title == "GET /me" else AFTERNOON

    def ours(self, example: Example) -> Example:
        """The same request with this family's ids."""
        path = example.path
        for name, numbers in (("todos", self.todos), ("guides", self.guides), ("plans", self.plans)):
            for theirs, own in numbers.items():
                if path == f"/{name}/{theirs}" or path.startswith(f"/{name}/{theirs}/"):
                    path = path.replace(str(theirs), str(own), 1)
                    break  # our id may equal another id of the reference
        path = path.replace("participant_id=2", f"participant_id={self.participants[2]}")
        return Example(example.title, example.method, path, self.with_our_numbers(example.body), example.answer)

    def with_our_numbers(self, body: Any) -> Any:
        """A body with this family's ids."""
        by_name = {"participant_id": self.participants, "guide_id": self.guides, "action_id": self.actions}
        return body and {name: by_name[name][value] if name in by_name else value for name, value in body.items()}


@pytest.fixture(scope="module")
def client() -> Iterator[httpx.Client]:
    with new_client(timeout=30) as made:
        yield made


@pytest.fixture
def johnsons(lived: Lived, client: httpx.Client) -> Johnsons:
    return Johnsons(lived, client)


def test_every_block_of_json_in_the_reference_is_asked_or_sent_here() -> None:
    found = [(section.title, len(section.bodies), len(section.answers)) for section in SECTIONS]
    in_format, chat = ("Response Format", 0, 2), [("POST /chat", 1, 1), ("GET /chat", 0, 1)]
    assert {in_format, *chat} <= set(found)
    blocks = sum(bodies + answers for _, bodies, answers in found)
    assert blocks == reference.TEXT.count("```json") == 29
    asked = len({id(example.answer) for example in EXAMPLES})
    assert asked + len(BODIES) == blocks - 2 - 3


@pytest.mark.long
@pytest.mark.parametrize("example", EXAMPLES, ids=str)
def test_an_example_is_answered_as_the_reference_shows(johnsons: Johnsons, example: Example) -> None:
    johnsons.prepare(example.title)
    asked = johnsons.ours(example)
    answer = johnsons.ask(asked.method, asked.path, asked.body)
    assert answer.status_code == 200, answer.text
    said = answer.json()
    assert complaints(example.answer, said) == []
    assert agrees(example.answer, said), said


@pytest.mark.long
@pytest.mark.parametrize(("section", "body"), BODIES, ids=lambda value: getattr(value, "title", ""))
def test_a_body_that_the_reference_shows_is_taken(johnsons: Johnsons, section: Section, body: Any) -> None:
    johnsons.prepare(section.title)
    (example, *_) = section.examples()
    asked = johnsons.ours(example)
    sent = johnsons.with_our_numbers(body)
    answer = johnsons.ask(asked.method, asked.path, sent)
    assert answer.status_code == 200, answer.text
    said = answer.json()["data"]
    assert {name: sent[name] for name in sent.keys() & said.keys()} == {name: said[name] for name in sent.keys() & said}


def test_the_numbers_of_a_new_todo_and_of_a_todo_in_a_list_are_those_of_the_todo(johnsons: Johnsons) -> None:
    johnsons.prepare("GET /today")
    today = johnsons.read("/today")
    for one in [*today["activities"], *today["milestones"], *today["custom_todos"]]:
        in_full = johnsons.read(f"/todos/{one['id']}")
        assert {name: in_full[name] for name in one} == one
        assert in_full["source_type"] == ("custom" if one["guide_item_id"] is None else "guide")
    assert johnsons.read(f"/todos/{johnsons.todos[101]}")["guide_item"] is None


def test_the_envelope_of_an_error_is_the_references_with_a_code_of_its_closed_list(johnsons: Johnsons) -> None:
    (in_format,) = [section for section in SECTIONS if section.title == "Response Format"]
    success, error = in_format.answers
    codes = reference.listed("Error codes")
    assert len(codes) == 8
    wrong = [
        (404, "NOT_FOUND", johnsons.ask("GET", "/nothing")),
        (404, "NOT_FOUND", johnsons.ask("GET", "/todos/2147483647")),
        (404, "NOT_FOUND", johnsons.ask("GET", "/todos/42/nothing")),
        (405, "VALIDATION_ERROR", johnsons.ask("PATCH", "/todos")),
        (400, "VALIDATION_ERROR", johnsons.ask("POST", "/todos", {})),
        (400, "VALIDATION_ERROR", johnsons.ask("POST", "/todos", [])),
        (400, "VALIDATION_ERROR", johnsons.ask("GET", "/todos/first")),
        (400, "VALIDATION_ERROR", johnsons.ask("GET", "/history?days=0")),
        (413, "VALIDATION_ERROR", johnsons.ask("POST", "/todos", {"title": "x" * 300_000})),
        (400, "NO_API_KEY", johnsons.ask("POST", "/chat", {"message": "Why?"})),
    ]
    for status, code, answer in wrong:
        assert (answer.status_code, answer.json()["code"]) == (status, code), answer.text
        assert complaints(error, answer.json()) == []
        assert answer.json()["ok"] is False
        assert answer.json()["error"].strip()
        assert code in codes
    assert complaints(success, johnsons.ask("GET", "/health").json() | {"data": {}}) == []
    schema = CLIENT.get(f"{johnsons.service.url}/api/v1/openapi.json").json()["components"]["schemas"]
    assert set(schema["Code"]["enum"]) == codes
    assert set(schema["Status"]["enum"]) == reference.listed("Status values")


@pytest.mark.parametrize("address", ["", "/", "/nothing", "/todos/1/2/3"])
def test_an_address_where_nothing_is_answers_in_the_envelope(lived: Lived, address: str) -> None:
    answer = CLIENT.get(f"{lived.url}/api/v1{address}")
    assert answer.status_code == 404
    assert set(answer.json()) == {"ok", "error", "code"}, answer.text
    assert (answer.json()["ok"], answer.json()["code"]) == (False, "NOT_FOUND")


def test_a_message_of_the_chat_has_the_fields_that_the_reference_shows(johnsons: Johnsons) -> None:
    """The households of this file have no Claude key, so the chat's answer with a key is only compared with its
    schema.
    """
    chat = {section.title: section for section in SECTIONS if section.title.endswith("/chat")}
    (said,), (listing,) = chat["POST /chat"].answers, chat["GET /chat"].answers
    schemas = CLIENT.get(f"{johnsons.service.url}/api/v1/openapi.json").json()["components"]["schemas"]
    for message in [said["data"], *listing["data"]["messages"]]:
        assert set(schemas["MessageOut"]["required"]) == set(message)
        assert set(schemas["MessageOut"]["properties"]) == {*message, "cut_off"}  # our own field, and only if true
        assert {schemas["MessageOut"]["properties"][name]["type"] for name in message} == {"string"}
    for _, _, path, *_ in chat["GET /chat"].commands:
        assert johnsons.read(path) == {"messages": []}
    for body in [*chat["POST /chat"].bodies, *[example.body for example in chat["POST /chat"].examples()]]:
        refused = johnsons.ask("POST", "/chat", body)
        assert (refused.status_code, refused.json()["code"]) == (400, "NO_API_KEY")
    assert johnsons.ask("POST", "/chat", {}).json()["code"] == "VALIDATION_ERROR"
