"""Every moment in KakeiBuddy's answers has one form: UTC, milliseconds, `Z`."""

import json
import re
import secrets
from collections.abc import Iterator
from typing import Any

import pytest

from api.kakei.coach.schemas import EXAMPLE_CONTEXT
from tests.actors.person import (
    ANSWERS,
    EVENT,
    METRICS,
    MONTH,
    PROFILE,
    REFLECTION,
    SNAPSHOT,
    WEEK,
    Person,
    somewhere,
    this_month,
)
from tests.support.serving import CLIENT, Service

MOMENT = re.compile(r"\d{4}-\d{2}-\d{2}[T ]\d{2}:\d{2}")
"""Matches the beginning of a moment in any format."""
PRINTED = re.compile(r"\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}\.\d{3}Z")
TIMED = {
    *("challenge_metrics_put", "challenges_accept", "challenges_claim", "challenges_list", "challenges_progress"),
    *("coach_suggest", "coach_suggest_batch", "consents_create", "consents_list", "consents_set_data_mode"),
    *("progress_snapshots_put", "reflections_create", "responses_create", "users_erase", "users_list_badges"),
    *(f"summaries_{verb}_{period}" for verb in ("get", "list", "put") for period in ("weekly", "monthly")),
}
"""Operations whose answers have moments. `test_every_answer_prints_moments_alike` calls all of them."""
SENT = "2026-06-14T12:30:00.123456+02:00"
TOLD = "2026-06-14T10:30:00.123Z"


def strings(value: Any) -> Iterator[str]:
    """Every text in a JSON document."""
    if isinstance(value, dict):
        for inner in value.values():
            yield from strings(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from strings(inner)
    elif isinstance(value, str):
        yield value


def moments(document: Any) -> list[str]:
    """Every moment in a JSON document; all must have the same format."""
    found = [text for text in strings(document) if MOMENT.match(text)]
    assert [text for text in found if not PRINTED.fullmatch(text)] == []
    return found


def of_responses(document: dict[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    """Every schema that an answer of KakeiBuddy can contain, with its operation."""
    seen: set[tuple[str, str]] = set()

    def inside(schema: Any, operation: str) -> Iterator[tuple[str, dict[str, Any]]]:
        if isinstance(schema, list):
            for one in schema:
                yield from inside(one, operation)
        if not isinstance(schema, dict):
            return
        reference = schema.get("$ref")
        if reference is not None:
            if (operation, reference) not in seen:
                seen.add((operation, reference))
                yield from inside(document["components"]["schemas"][reference.rpartition("/")[2]], operation)
            return
        yield operation, schema
        for name, one in schema.items():
            if name not in {"examples", "example"}:
                yield from inside(one, operation)

    for operations in document["paths"].values():
        for operation in operations.values():
            for response in operation["responses"].values():
                for media in response.get("content", {}).values():
                    yield from inside(media.get("schema", {}), operation["operationId"])


def test_the_document_promises_milliseconds_wherever_an_answer_has_a_moment(running: Service) -> None:
    document = CLIENT.get(f"{running.url}/openapi.json").json()
    found = [(where, one) for where, one in of_responses(document) if one.get("format") == "date-time"]
    assert {where for where, _ in found} == TIMED
    for where, schema in found:
        assert re.fullmatch(schema["pattern"], "2026-06-14T08:00:00.000Z"), where
        assert not re.fullmatch(schema["pattern"], "2026-06-14T08:00:00Z"), where
    named = [
        (f"{where}/{name}", schema)
        for where, one in of_responses(document)
        for name, schema in (one.get("properties") or {}).items()
        if isinstance(schema, dict) and re.search(r"_(at|timestamp)$", name)
    ]
    assert len(named) >= 12
    for where, schema in named:
        assert "date-time" in {one.get("format") for one in [schema, *schema.get("anyOf", [])]}, where
    for name, schema in document["components"]["schemas"].items():
        shown = [text for text in strings(schema.get("examples", [])) if MOMENT.match(text)]
        if not name.endswith(("Create", "-Input", "UserChallengeUpdateProgress", "UserChallengeClaim")):
            assert [text for text in shown if not PRINTED.fullmatch(text)] == [], name


def test_every_answer_prints_moments_alike(stored: Service) -> None:
    person = Person(stored)
    person.put("/profile", PROFILE)
    timed = {"client_timestamp": SENT}
    answers = [person.consent(), person.read("/research/consent")]
    answers.append(person.patch("/research/data-mode", {"data_mode": "sync"}).json())
    posts = (
        ("/summaries/weekly/", WEEK),
        ("/summaries/monthly/", MONTH),
        ("/challenge-metrics", METRICS),
        ("/research/progress-snapshots", SNAPSHOT),
        ("/research/responses", ANSWERS),
        ("/reflections", REFLECTION),
        ("/events", EVENT),
    )
    for path, body in posts:
        answer = person.post(path, body | timed)
        assert answer.is_success, answer.text
        answers.append(answer.json())
    told = [answer["client_timestamp"] for answer in answers if "client_timestamp" in answer]
    assert told == [TOLD] * 3
    challenge = person.accept(1)
    done = person.post(f"/challenges/{challenge['id']}/progress", {"current_progress": challenge["target_value"]})
    claim = person.post(f"/challenges/{challenge['id']}/claim")
    answers += [challenge, done.json(), claim.json()]
    answers.append(person.post("/challenge-metrics", METRICS | {"month_range": this_month()}).json())
    for path in ("/challenges", "/badges", "/summaries/weekly/", "/summaries/monthly/", "/profile", "/points"):
        answers.append(person.read(path))
    answers += [person.read(path) for path in ("/summaries/weekly/202606/2", "/summaries/monthly/202606")]
    coach = f"{stored.url}/coach/suggestions"
    answers.append(CLIENT.post(coach, json=EXAMPLE_CONTEXT).json())
    answers.append(CLIENT.post(coach, json=EXAMPLE_CONTEXT, headers={"X-User-UUID": person.uuid}).json())
    answers.append(CLIENT.post(f"{coach}/batch", json={"contexts": [EXAMPLE_CONTEXT] * 2}).json())
    late = person.post(f"/challenges/{challenge['id']}/progress", {"current_progress": 0})
    assert late.status_code == 409
    over = person.accept(2, "2026-06")
    expired = person.post(f"/challenges/{over['id']}/progress", {"current_progress": 0})
    assert expired.status_code == 409
    answers += [late.json(), over, expired.json()]
    everything = person.read("/data")
    assert len(moments(everything)) >= 20
    for answer in answers:
        moments(answer)
    assert len(moments(answers)) >= 30
    receipt = CLIENT.delete(f"{stored.url}/api/users/{person.uuid}", headers=somewhere()).json()
    assert moments(receipt) == [receipt["erased_at"]]


@pytest.mark.long
@pytest.mark.parametrize("command", [("study", "status"), ("research", "releases")])
def test_commands_print_moments_alike(command: tuple[str, str], stored: Service) -> None:
    if command[0] == "study":
        stored.buddy("study", "start", f"timestamps-{secrets.token_hex(4)}", "--json")
    else:
        person = Person(stored)
        person.consent()
        exported = CLIENT.get(
            f"{stored.url}/api/admin/research/export",
            headers={"X-Research-Export-Token": stored.environment["RESEARCH_EXPORT_TOKEN"]},
            timeout=60,
        )
        assert exported.status_code == 200
    assert moments(json.loads(stored.buddy(*command, "--json")))
