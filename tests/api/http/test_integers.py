"""Every integer of every body, in both apps: 5.0 is 5, and what is no whole number is refused."""

import json
import math
import re
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from api.admin import kakei, kinderbud
from api.app import create_app
from api.http.types import StrictModel
from api.kinderbud.app import create_kinderbud
from api.settings import Settings
from tests.actors.person import ANSWERS, WEEK, Person
from tests.support.serving import CLIENT, Service

EDITS = [screen.edits for admin in (kakei, kinderbud) for screen in admin.SCREENS.values() if screen.edits]
NO_INTEGER = st.booleans() | st.floats() | st.integers().map(str) | st.none() | st.lists(st.integers()) | st.text()
BAD: list[Any] = ["5", True, 5.5, math.nan, math.inf, -math.inf, 1e300, 10**400, [5], {}]


def bodies() -> Iterator[type[StrictModel]]:
    """The shapes of all request bodies of both apps."""
    kakei = create_app(Settings())
    shapes = {shape.__name__: shape for shape in _below(StrictModel)}
    for app in (kakei, create_kinderbud(kakei)):
        for operations in app.openapi()["paths"].values():
            for operation in operations.values():
                body = json.dumps(operation.get("requestBody", {}))
                for name in re.findall(r"#/components/schemas/(\w+)", body):
                    if name in shapes:  # the coach's are no pydantic models, and have no integers
                        yield shapes[name]


def _below(shape: type[StrictModel]) -> Iterator[type[StrictModel]]:
    for inner in shape.__subclasses__():
        yield inner
        yield from _below(inner)


def integers(shape: type[StrictModel]) -> Iterator[tuple[str, bool, int]]:
    """The fields that are an integer or a list of integers, by name, with a valid value for each."""
    for name, schema in shape.model_json_schema()["properties"].items():
        for one in (schema, *schema.get("anyOf", ())):
            inner = one.get("items", one)
            if inner.get("type") == "integer":
                known = example_of(shape).get(name) or inner.get("minimum", 1)
                yield name, "items" in one, known[0] if isinstance(known, list) else known


def example_of(shape: type[StrictModel]) -> dict[str, Any]:
    found: dict[str, Any] = shape.model_json_schema()["examples"][0]
    return found


def test_a_whole_float_is_an_integer_and_nothing_else_is() -> None:
    seen = set()
    for shape in dict.fromkeys(bodies()):
        for name, is_list, value in integers(shape):
            seen.add(f"{shape.__name__}.{name}")

            def read(sent: Any, shape: type[StrictModel] = shape, name: str = name, is_list: bool = is_list) -> Any:
                found = getattr(shape.model_validate(example_of(shape) | {name: [sent] if is_list else sent}), name)
                return found[0] if is_list else found

            assert (read(float(value)), type(read(float(value)))) == (read(value), int), (shape, name)
            for sent in BAD:
                with pytest.raises(ValidationError):
                    read(sent)
    assert seen >= {"BudgetProfileUpdate.coach_style", "WeeklySummaryCreate.week_key"}
    assert seen >= {"ProgressSnapshotCreate.badge_ids", "ReflectionCreate.confidence_rating"}
    assert seen >= {"PlanCreate.guide_id", "Snooze.days", "Undo.action_id", "TodoCreate.participant_id"}


def test_whole_floats_are_answers_to_a_choice(stored: Service) -> None:
    person = Person(stored)
    person.consent()
    first = person.post("/research/responses", ANSWERS)
    again = person.post("/research/responses", ANSWERS | {"responses": {"q1": 4.0, "q2": 3.0}})
    assert (first.status_code, again.status_code) == (201, 200)
    for answer in (4.5, "4", True, 4e300):
        refused = person.post("/research/responses", ANSWERS | {"responses": {"q1": answer}})
        assert refused.status_code == 422, answer


def test_a_week_of_whole_floats_is_that_week(stored: Service) -> None:
    person = Person(stored)
    body = json.dumps(WEEK).replace("202606", "202606.0").replace('"week_key": 2', '"week_key": 2.0')
    url = f"{stored.url}/api/users/{person.uuid}/summaries/weekly"
    assert CLIENT.post(url, content=body, headers={"Content-Type": "application/json"}).status_code == 201
    assert person.get("/summaries/weekly/202606/2").status_code == 200


@given(st.data())
def test_the_admin_takes_nothing_but_whole_numbers(data: st.DataObject) -> None:
    found = [(shape, name) for shape in EDITS for name, one in shape.model_fields.items() if one.annotation is int]
    assert {name for _, name in found} == {
        *("coach_style", "budget_cycle_start_day", "reward_points", "points", "daily_task_count", "minutes"),
    }
    for shape, name in found:
        sent = data.draw(NO_INTEGER)
        with pytest.raises(ValidationError) as refused:
            shape.model_validate({name: sent})
        assert (name,) in {error["loc"] for error in refused.value.errors() if error["type"] != "missing"}, (name, sent)
