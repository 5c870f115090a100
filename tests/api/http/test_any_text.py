"""Any text in every string field of both OpenAPI documents: no 5xx, and the answer repeats the sent text."""

import copy
import json
import secrets
from collections.abc import Iterator
from typing import Any

import httpx
import pytest
from hypothesis import HealthCheck, given, settings

from api.http.text import is_storable
from data.packages.reader import read_package
from tests.actors.family import LIMITED, Family
from tests.actors.person import REFLECTION, SNAPSHOT, Person, somewhere
from tests.support.exports import export, unpacked
from tests.support.serving import CLIENT, Service
from tests.support.strange_texts import FIXED, TEXT

EXAMPLES = 6
"""Texts for each field, beside the fixed ones."""
BLANKS = "\t\n\x0b\x0c\r \x85\xa0\u1680\u2028\u2029\u202f\u205f\u3000" + "".join(map(chr, range(0x2000, 0x200B)))
"""White space by Unicode, which is taken off both ends; Python's `strip` takes four controls more."""
OPAQUE = {"enum", "pattern", "format", "const"}
SERVER_ERROR = 500

type Path_ = tuple[str, ...]


def string_fields(document: dict[str, Any], schema: dict[str, Any], path: Path_ = ()) -> Iterator[Path_]:
    """Where in a body there may be text of any kind; `*` is any name of an object that takes all names."""
    if "$ref" in schema:
        schema = document["components"]["schemas"][schema["$ref"].rpartition("/")[2]]
    for choice in (*schema.get("anyOf", ()), *schema.get("allOf", ())):
        yield from string_fields(document, choice, path)
    if schema.get("type") == "string" and not OPAQUE & set(schema):
        yield path
    if schema.get("type") == "object":
        for name, inner in schema.get("properties", {}).items():
            yield from string_fields(document, inner, (*path, name))
        more = schema.get("additionalProperties")
        if more is True:
            yield (*path, "*")
        elif isinstance(more, dict):
            yield from string_fields(document, more, (*path, "*"))


def operations(document: dict[str, Any]) -> Iterator[tuple[str, str, dict[str, Any], Path_]]:
    """Method, path, an example of the body, and a field of it that takes text."""
    for path, methods in document["paths"].items():
        for method, operation in methods.items():
            schema = operation.get("requestBody", {}).get("content", {}).get("application/json", {}).get("schema")
            if schema is None:
                continue
            schema = next((one for one in schema.get("anyOf", [schema]) if "$ref" in one), schema)
            known = document["components"]["schemas"].get(schema.get("$ref", "").rpartition("/")[2], schema)
            example = (known.get("examples") or [{}])[0]
            for field in dict.fromkeys(string_fields(document, schema)):
                yield method.upper(), path, example, field


def with_text(body: dict[str, Any], field: Path_, text: str) -> dict[str, Any]:
    """The body with the text in the field, and as a name where the field takes any name."""
    body = copy.deepcopy(body)
    inner: Any = body
    for name in field[:-1]:
        key = "x" if name == "*" else name
        inner = inner.setdefault(key, {}) if isinstance(inner.get(key), dict | None) else {}
    if field[-1] == "*":
        inner |= {"x": text, text: text}
    else:
        inner[field[-1]] = text
    return body


def assert_told(answer: httpx.Response, field: str, text: str) -> None:
    """No 5xx, and where the field is answered it holds the text."""
    assert answer.status_code < SERVER_ERROR, (answer.status_code, answer.text)
    if answer.is_success:
        said = answer.json()
        said = said.get("data", said) if isinstance(said, dict) else {}
        if isinstance(said, dict) and isinstance(said.get(field), str):
            assert is_storable(text)
            assert said[field] == text.strip(BLANKS)


def any_text(check: Any) -> None:
    """Every fixed text, and some random ones."""
    for text in FIXED:
        check(text)
    settings(
        max_examples=EXAMPLES, deadline=None, derandomize=True, database=None, suppress_health_check=list(HealthCheck)
    )(given(TEXT)(check))()


@pytest.mark.long
def test_every_text_field_of_kakeibuddy(stored: Service) -> None:
    document = CLIENT.get(f"{stored.url}/openapi.json").json()
    found = list(operations(document))
    assert {field[-1] for *_, field in found} >= {
        "reflection_text",
        "intended_action",
        "level_title",
        "participant_code",
        "*",
    }
    for method, path, example, field in found:
        person = Person(stored)
        person.consent(data_mode="sync")
        url = f"{stored.url}{path}".replace("{uuid}", person.uuid)

        def check(text: str) -> None:
            body = json.dumps(with_text(example, field, text))  # noqa: B023 - called at once
            headers = {"Content-Type": "application/json"} | somewhere()
            answer = CLIENT.request(method, url, content=body, headers=headers, timeout=30)  # noqa: B023
            assert_told(answer, field[-1], text)  # noqa: B023

        any_text(check)


def asked(family: Family, method: str, path: str, body: str) -> httpx.Response:
    """As `Family.ask`, with a body whose half characters are escapes."""
    for _ in range(2):
        headers = {"Content-Type": "application/json", "Authorization": f"Bearer {family.token}"}
        url = f"{family.service.url}/api/v1{path}"
        answer = CLIENT.request(method, url, content=body, headers=headers, timeout=30)
        if answer.status_code != LIMITED:
            break
        family.token = family.new_token()
    return answer


@pytest.mark.long
def test_every_text_field_of_kinderbud(stored: Service) -> None:
    document = CLIENT.get(f"{stored.url}/api/v1/openapi.json").json()
    family = Family(stored)
    found = list(operations(document))
    assert {field[-1] for *_, field in found} >= {"title", "description", "notes", "reason", "message"}
    for method, path, example, field in found:
        todo = family.data("POST", "/todos", {"title": "Sing"})
        known = {"todo_id": todo["id"], "id": todo["id"]}
        url = path.removeprefix("/api/v1")
        for name, value in known.items():
            url = url.replace(f"{{{name}}}", str(value))

        def check(text: str) -> None:
            answer = asked(family, method, url, json.dumps(with_text(example, field, text)))  # noqa: B023 - called at once
            assert_told(answer, field[-1], text)  # noqa: B023

        any_text(check)


@pytest.mark.long
def test_text_comes_back_through_an_export_as_csv(stored: Service, tmp_path_factory: pytest.TempPathFactory) -> None:
    study, texts = f"texts-{secrets.token_hex(4)}", [text for text in FIXED if is_storable(text) and text.strip()]
    sent = {}
    for text in texts:
        person = Person(stored)
        person.consent(study_version=study, data_mode="sync")
        reflection = REFLECTION | {"reflection_text": f"{text}x", "intended_action": text}
        assert person.post("/reflections", reflection).status_code in {200, 201}
        snapshot = SNAPSHOT | {"level_title": text, "game_metrics": {text: text}}
        assert person.post("/research/progress-snapshots", snapshot).status_code in {200, 201}
        sent[text.strip()] = text
    folder = unpacked(export(stored, "csv", study_version=study), tmp_path_factory.mktemp("texts"))
    tables = read_package(folder).tables
    assert sorted(tables["reflections"]["intended_action"].tolist()) == sorted(sent)
    assert sorted(tables["progress_snapshots"]["level_title"].tolist()) == sorted(sent)
    metrics = [json.loads(cell) for cell in tables["progress_snapshots"]["game_metrics"].tolist()]
    assert sorted(next(iter(one)) for one in metrics) == sorted(sent.values())
    raw = (folder / "reflections.csv").read_bytes().decode()
    assert ",=1+1," not in raw
    assert ",'=1+1," in raw
