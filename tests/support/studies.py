"""Participants of a study: what they ask, and what is stored about them."""

from typing import Any

from api.kakei.coach.schemas import EXAMPLE_CONTEXT
from tests.actors.person import PROFILE, Person
from tests.support.lived import Lived
from tests.support.serving import CLIENT


def ask(person: Person, **context: Any) -> dict[str, Any]:
    url, headers = f"{person.service.url}/coach/suggestions", {"X-User-UUID": person.uuid}
    answer = CLIENT.post(url, json=EXAMPLE_CONTEXT | context, headers=headers)
    assert answer.status_code == 200, answer.text
    said: dict[str, Any] = answer.json()
    return said


def decisions(person: Person) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = person.read("/data")["decisions"]
    return found


def outcomes(person: Person) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = person.read("/data")["outcomes"]
    return found


def participant(lived: Lived, study: str, **profile: Any) -> Person:
    person = Person(lived)
    person.put("/profile", PROFILE | profile)
    person.consent(study_version=study)
    return person
