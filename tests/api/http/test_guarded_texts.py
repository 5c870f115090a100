"""No text reaches the code of a route that a database cannot hold: every parameter and every body of both apps."""

import json
from collections.abc import Iterator
from typing import Any

import pytest
from fastapi.routing import APIRoute
from pydantic import BaseModel, ValidationError

from api.app import create_app
from api.http.text import check_texts
from api.http.types import StrictModel
from api.kinderbud.app import create_kinderbud
from api.settings import Settings
from tests.actors.person import Person, this_month
from tests.support.serving import CLIENT, Service

NOT_STORABLE = ("a\x00b", "\x00", "\ud83d", "\udc80x")
LOOKED_AT_LATER = {"uuid", "x_user_uuid"}
"""Ids of users: one that is not well formed is unknown (404), and no statement is made with it."""


def routes() -> Iterator[APIRoute]:
    """Every documented operation of both apps."""
    service = create_app(Settings())
    for app in (service, create_kinderbud(service)):
        waiting: list[Any] = list(app.routes)
        while waiting:
            route = waiting.pop()
            if isinstance(route, APIRoute):
                yield route
            elif hasattr(route, "original_router"):
                waiting += route.original_router.routes


def dependants_of(route: APIRoute) -> Iterator[Any]:
    """The route's own parameters, and those of all that it depends on."""
    waiting = [route.dependant]
    while waiting:
        yield (one := waiting.pop())
        waiting += one.dependencies


def texts_of(field: Any) -> list[str]:
    """The texts that a parameter lets through."""
    found = []
    for text in NOT_STORABLE:
        value, errors = field.validate(text, {}, loc=("x",))
        if not errors and isinstance(value, str):
            found.append(text)
    return found


def models_in(annotation: Any) -> Iterator[type[BaseModel]]:
    waiting, seen = [annotation], set()
    while waiting:
        part = waiting.pop()
        waiting += getattr(part, "__args__", ())
        if isinstance(part, type) and issubclass(part, BaseModel) and part not in seen:
            seen.add(part)
            yield part
            waiting += [field.annotation for field in part.model_fields.values()]


def test_no_parameter_and_no_body_lets_a_text_through_that_no_database_holds() -> None:
    parameters, bodies = set(), set()
    for route in routes():
        for part in dependants_of(route):
            for field in (*part.path_params, *part.query_params, *part.header_params, *part.cookie_params):
                parameters.add(field.name)
                let_through = texts_of(field)
                assert not let_through or field.name in LOOKED_AT_LATER, (route.path, field.name, let_through)
            for body in part.body_params:
                found = list(models_in(body.field_info.annotation))
                assert found, (route.path, body.name)
                assert all(issubclass(model, StrictModel) for model in found), route.path
                bodies |= {model.__name__ for model in found}
    assert parameters >= {"uuid", "cursor", "tables", "since", "idempotency_key", "accept_language", "todo_id"}
    assert bodies >= {"UserChallengeCreate", "ReflectionCreate", "MessageCreate", "TodoCreate", "Complete"}


class Inner(StrictModel):
    text: str


class Outer(StrictModel):
    text: str | None = None
    inner: list[Inner] | None = None
    free: dict[str, Any] | None = None


@pytest.mark.parametrize("text", NOT_STORABLE)
def test_a_shape_refuses_such_text_at_any_depth(text: str) -> None:
    for value in ({"text": text}, {"inner": [{"text": text}]}, {"free": {"a": [{"b": text}]}}, {"free": {text: 1}}):
        with pytest.raises(ValidationError):
            Outer.model_validate(value)
    deep: Any = "fine"
    for _ in range(100_000):
        deep = [deep]
    check_texts(deep)


@pytest.mark.parametrize("text", ["a\u0000b", "\u0000", "\ud83d", "", "x" * 36, "x" * 37])
@pytest.mark.parametrize("source", ["ai", "user"])
def test_no_id_of_a_suggestion_is_a_5xx(text: str, source: str, stored: Service) -> None:
    body = {"challenge_template_id": 12, "month_range": this_month(), "source": source, "ai_suggestion_id": text}
    person = Person(stored)
    url = f"{stored.url}/api/users/{person.uuid}/challenges/12/accept"
    answer = CLIENT.post(url, content=json.dumps(body))
    expected = 201 if source == "user" and text in {"", "x" * 36} else 422
    assert answer.status_code == expected, answer.text


def test_the_id_of_a_suggestion_compares_without_case(stored: Service) -> None:
    for spelled in (str.upper, str.title, str.lower):
        person = Person(stored)
        suggestion = person.ask_coach().json()["suggestion_id"]
        body = {"challenge_template_id": 1, "month_range": this_month(), "source": "ai"}
        answer = person.post("/challenges/1/accept", body | {"ai_suggestion_id": spelled(suggestion)})
        assert (answer.status_code, answer.json().get("ai_suggestion_id")) == (201, suggestion)
