"""Hostile values in every field of both OpenAPI documents: each error is a plain sentence that names its field once."""

import copy
import json
import math
import re
from collections.abc import Iterator
from typing import Any

import httpx
import pytest

from tests.actors.family import LIMITED, Family
from tests.actors.person import Person, somewhere
from tests.support.serving import CLIENT, Service

VALUES: list[Any] = [
    *(None, True, 7, -1, 7.5, 1e300, math.nan, 10**30),
    *("", " ", "x", "7", "\0", "\ud83d", "x" * 20_000, "2026-13", "2026-06-13T10:30:00"),
    *([], [None], ["x"], [{}], ["x"] * 600, {}, {"x": {}}, {"X y": "x"}, {"bool": {"int": {}}}),
    {str(number): 1 for number in range(300)},
]
"""Whatever a field takes, some of them do not fit: by type, length, range, form, or as a member of a union."""
WORDS = ["", "x", "-1", "7.5", "9" * 30, "%00", "%ff", "x" * 300, "2026-13", "a b"]
"""Values of parameters, as an address or a header writes them."""
BODIES = [
    b"",
    b" \r\n\t",
    b"null",
    b"[]",
    b'"x"',
    b"7",
    b"{}",
    b"{",
    b'{"x": 1}',
    b'{"a b": 1, "\\ud83d": {}}',
    b"\xff",
]
INSIDE = re.compile(
    r"Value error|function-|pattern '|Input should|Input data|Field required|Extra inputs|Expected `|"
    r"\b(?:str|int|dict|NoneType|float|bool)\b(?!\.|:)|\b[A-Z][a-z]+[A-Z]\w*"
)
"""What only a programmer of this service would understand; at the end the name of a class."""
REQUESTS_OF_ONE = 500
"""Fewer than one user may send in a minute."""

type Names = tuple[str, ...]


def fields(document: dict[str, Any], schema: dict[str, Any], path: Names = ()) -> Iterator[Names]:
    """Where a body has fields."""
    if "$ref" in schema:
        schema = document["components"]["schemas"][schema["$ref"].rpartition("/")[2]]
    for choice in (*schema.get("anyOf", ()), *schema.get("allOf", ())):
        yield from fields(document, choice, path)
    for name, inner in schema.get("properties", {}).items():
        yield (*path, name)
        yield from fields(document, inner, (*path, name))
    if isinstance(schema.get("additionalProperties"), dict):
        yield (*path, "x")


def bodies(document: dict[str, Any], operation: dict[str, Any]) -> Iterator[bytes]:
    """Hostile bodies of an operation."""
    schema = operation.get("requestBody", {}).get("content", {}).get("application/json", {}).get("schema")
    if schema is None:
        return
    yield from BODIES
    shape = next((one for one in schema.get("anyOf", [schema]) if "$ref" in one), schema)
    known = document["components"]["schemas"].get(shape.get("$ref", "").rpartition("/")[2], shape)
    example = (known.get("examples") or [{}])[0]
    yield json.dumps(example | {"no such field": 1}).encode()
    for path in dict.fromkeys(fields(document, shape)):
        yield json.dumps({name: value for name, value in example.items() if name != path[0]}).encode()
        for value in VALUES:
            body = copy.deepcopy(example)
            inner = body
            for name in path[:-1]:
                inner = inner.setdefault(name, {})
            inner[path[-1]] = value
            yield json.dumps(body).encode()


def requests(document: dict[str, Any], known: dict[str, str]) -> Iterator[httpx.Request]:
    """Requests to every operation, with hostile parameters and bodies, each beside valid values of the others. `known`
    holds the address of the service and a user's id, which may change between two requests."""
    for path, methods in document["paths"].items():

        def at(template: str, query: str = "") -> str:
            inside = re.sub(r"\{(\w+)\}", lambda found: known.get(found[1], "7"), template)
            return known["url"] + inside + query

        for method, operation in methods.items():
            verb = method.upper()
            for parameter in operation.get("parameters", ()):
                name, place = parameter["name"], parameter["in"]
                for word in WORDS:
                    if place == "path" and word:
                        yield httpx.Request(verb, at(path.replace(f"{{{name}}}", word)))
                    elif place == "query":
                        yield httpx.Request(verb, at(path, f"?{name}={word.replace(' ', '+')}"))
                    elif place == "header" and "%" not in word:
                        yield httpx.Request(verb, at(path), headers={name: word}, content=b"{}")
            for body in bodies(document, operation):
                yield httpx.Request(verb, at(path), content=body)


def assert_plain(text: str, field: str, sent: httpx.Request) -> None:
    """`text` is a sentence about `field` that does not name it again."""
    about = (sent.method, sent.url.path, sent.content[:300], field, text)
    assert INSIDE.search(f"{field}: {text}") is None, about
    assert field.strip(), about
    assert text.strip(), about
    assert not text.startswith(":"), about
    last = field.rpartition(".")[2]
    assert not text.startswith((field, last)), about
    assert f"{last}:" not in text, about
    assert "_" not in last or last not in text, about


def participant(running: Service) -> str:
    """The id of a new user who consented."""
    person = Person(running)
    person.consent()
    return person.uuid


@pytest.mark.long
def test_every_error_of_kakeibuddy_is_a_plain_sentence(running: Service) -> None:
    document = CLIENT.get(f"{running.url}/openapi.json").json()
    refused = 0
    known = {"url": running.url, "uuid": participant(running)}
    for number, sent in enumerate(requests(document, known)):
        if number % REQUESTS_OF_ONE == REQUESTS_OF_ONE - 1:
            known["uuid"] = participant(running)
        if sent.method == "DELETE" and sent.url.path.endswith(known["uuid"]):
            continue
        sent.headers.update(somewhere())  # and no token, so that no export is made
        answer = CLIENT.send(sent)
        assert answer.status_code < 500, (sent.url, answer.text)
        assert answer.status_code != LIMITED
        if answer.status_code != 422:
            continue
        refused += 1
        problem = answer.json()
        assert INSIDE.search(problem["detail"]) is None, (sent.url.path, problem)
        assert not problem["detail"].startswith(":")
        named = [error["field"] for error in problem.get("errors", ())]
        assert len(named) == len(set(named)), (sent.url.path, sent.content[:300], problem)
        for error in problem.get("errors", ()):
            assert_plain(error["message"], error["field"], sent)
    assert refused > 1000


@pytest.mark.long
def test_every_error_of_kinderbud_is_a_plain_sentence(running: Service) -> None:
    document = CLIENT.get(f"{running.url}/api/v1/openapi.json").json()
    family = Family(running)
    refused = 0
    for sent in requests(document, {"url": f"{running.url}/api/v1", "uuid": "7"}):
        for _ in range(2):
            sent.headers.update({"Authorization": f"Bearer {family.token}"})
            answer = CLIENT.send(sent)
            if answer.status_code != LIMITED:
                break
            family.token = family.new_token()
        assert answer.status_code < 500, (sent.url, answer.text)
        if answer.status_code != 400:
            continue
        refused += 1
        told = answer.json()["error"]
        named = []
        for part in told.split("; "):
            field, colon, text = part.partition(": ")
            if colon:
                assert_plain(text, field, sent)
                named.append(field)
            assert INSIDE.search(part) is None, told
        assert len(named) == len(set(named)), (sent.url.path, told)
    assert refused > 300


@pytest.mark.parametrize("blanks", [b"", b" ", b"\r\n\t ", b"\xef\xbb\xbf  "])
def test_a_body_of_blanks_is_no_body(running: Service, blanks: bytes) -> None:
    created = CLIENT.post(f"{running.url}/api/users/", content=blanks, headers=somewhere())
    assert created.status_code == 201, created.text
    needed = CLIENT.put(f"{running.url}/api/users/{created.json()['uuid']}/profile", content=blanks)
    assert (needed.status_code, needed.json()["detail"]) == (422, "body: is missing")
    coach = CLIENT.post(f"{running.url}/coach/suggestions", content=blanks)
    assert (coach.status_code, coach.json()["detail"]) == (422, "The body is empty.")
