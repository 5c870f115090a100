"""Research uploads are checked and stored once, and the latest wins."""

import json
from typing import Any

import pytest

from tests.actors.person import ANSWERS, EVENT, REFLECTION, SNAPSHOT, Person
from tests.support.serving import CLIENT, Service

JSON = {"Content-Type": "application/json"}


def consenting(stored: Service) -> Person:
    person = Person(stored)
    person.consent()
    return person


def test_instruments_come_ready_to_be_shown(running: Service) -> None:
    everything = CLIENT.get(f"{running.url}/api/research/instruments").json()
    keys = {instrument["key"] for instrument in everything}
    assert {"cfpb_financial_well_being_10", "cfpb_financial_well_being_5", "system_usability_scale"} <= keys
    for instrument in everything:
        assert instrument["source"]
        assert instrument["licence"]
        assert all(item["options"] for item in instrument["items"] if item["type"] == "choice")
    chosen = CLIENT.get(f"{running.url}/api/research/instruments/?phase=pre&track=budgeting").json()
    assert {instrument["key"] for instrument in chosen} == {"budget_confidence", "kakeibo_knowledge"}
    for query in ("phase=never", "track=politics"):
        assert CLIENT.get(f"{running.url}/api/research/instruments?{query}").status_code == 422


def test_the_responses_of_the_reference_are_stored_with_what_is_missing(stored: Service) -> None:
    answer = consenting(stored).post("/research/responses/", ANSWERS)
    assert answer.status_code == 201
    body = answer.json()
    assert (body["answered"], body["skipped"], body["score"], body["score_missing"]) == (2, [], None, "NOT_ASKED")
    assert body["not_asked"] == ["q3", "q4", "q5", "q6"]


def test_a_whole_instrument_is_scored(stored: Service) -> None:
    answers = {f"q{number}": 5 for number in range(1, 7)}
    answer = consenting(stored).post("/research/responses", ANSWERS | {"responses": answers}).json()
    assert answer["score"] == pytest.approx((5 * 5 + 1) / 6, abs=1e-4)  # q4 is reversed


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"instrument_key": "horoscope"}, "instrument_key"),
        ({"phase": "weekly"}, "phase"),
        ({"response_type": "assessment"}, "response_type"),
        ({"responses": {"q99": 1}}, "responses.q99"),
        ({"responses": {"q1": 6}}, "responses.q1"),
        ({"responses": {"q1": 4.5}}, "responses.q1"),
        ({"responses": {"q1": "4"}}, "responses.q1"),
        ({"responses": {}}, "responses"),
    ],
)
def test_answers_are_checked_against_the_instrument(changes: dict[str, Any], field: str, stored: Service) -> None:
    answer = consenting(stored).post("/research/responses", ANSWERS | changes)
    assert answer.status_code == 422
    assert field in {error["field"] for error in answer.json()["errors"]}


def test_the_same_answers_again_are_not_a_second_row_and_later_ones_are(stored: Service) -> None:
    person = consenting(stored)
    timed = ANSWERS | {"client_timestamp": "2026-06-13T10:30:00Z"}
    later = timed | {"client_timestamp": "2026-06-14T10:30:00Z"}
    assert [person.post("/research/responses", body).status_code for body in (timed, timed, later)] == [201, 200, 201]
    assert len(person.read("/data")["responses"]) == 2


def test_the_reflection_of_the_reference_gets_feedback_in_the_language_asked_for(stored: Service) -> None:
    person = Person(stored)
    answer = person.post("/reflections", REFLECTION)
    assert answer.status_code == 201
    assert (answer.json()["quality_score"], answer.json()["quality_level"]) == (0.65, "clear")
    japanese = person.post("/reflections", REFLECTION, Accept_Language="ja")
    assert japanese.status_code == 200
    assert japanese.json()["feedback"] != answer.json()["feedback"]
    assert len(person.read("/data")["reflections"]) == 1


def test_reflections_earn_their_badge(stored: Service) -> None:
    person = Person(stored)
    for number in range(12):
        person.post("/reflections", REFLECTION | {"reflection_text": f"Snacks cost {number} euros too much."})
    kinds = {earned["badge"]["rule"]["kind"] for earned in person.read("/badges")["badges"]}
    assert "reflections" in kinds


def test_the_event_of_the_reference_is_stored_once(stored: Service) -> None:
    person = consenting(stored)
    first, again = (person.post("/events/", EVENT) for _ in range(2))
    assert (first.status_code, first.json()) == (201, {"stored": True, "known": True})
    assert (again.status_code, again.json()) == (200, {"stored": True, "known": True})
    assert len(person.read("/data")["events"]) == 1


@pytest.mark.parametrize(
    "changes",
    [
        {"context": {"source": 7}},
        {"context": {"colour": "red"}},
        {"client_timestamp": "2026-06-13T10:30:00"},
        {"event_name": "Not A Name"},
        {"event_name": "new_thing", "context": {"a": {"nested": 1}}},
        {"event_name": "new_thing", "context": {"a": "nul \x00"}},
    ],
)
def test_bad_events_are_422(changes: dict[str, Any], stored: Service) -> None:
    assert consenting(stored).post("/events", EVENT | changes).status_code == 422


def test_half_a_character_is_422(stored: Service) -> None:
    person = consenting(stored)
    body = json.dumps(EVENT | {"event_name": "new_thing", "context": {"a": "\ud800"}})
    answer = CLIENT.post(f"{stored.url}/api/users/{person.uuid}/events", content=body, headers=JSON)
    assert answer.status_code == 422


def test_unknown_events_are_kept_and_marked(stored: Service) -> None:
    answer = consenting(stored).post("/events", EVENT | {"event_name": "new_thing", "context": {"a": True, "b": 1.5}})
    assert (answer.status_code, answer.json()["known"]) == (201, False)


def test_the_snapshot_of_the_reference_is_created_replaced_and_never_by_an_older_one(stored: Service) -> None:
    person = Person(stored)
    new = SNAPSHOT | {"client_timestamp": "2026-06-14T00:00:00Z", "level": 3}
    old = SNAPSHOT | {"client_timestamp": "2026-06-13T00:00:00Z"}
    path = "/research/progress-snapshots/"
    assert [person.post(path, body).status_code for body in (SNAPSHOT, new, old)] == [201, 200, 200]
    latest = person.post(path, new | {"client_timestamp": "2099-01-01T00:00:00Z"})
    assert latest.json()["level"] == 3
    assert person.post(path, old).json()["level"] == 3


@pytest.mark.parametrize("bad", [{"game_metrics": {"a": float("nan")}}, {"level": -1}, {"badge_ids": [True]}])
def test_bad_snapshots_are_422(bad: dict[str, Any], stored: Service) -> None:
    person = Person(stored)
    url = f"{stored.url}/api/users/{person.uuid}/research/progress-snapshots"
    answer = CLIENT.post(url, content=json.dumps(SNAPSHOT | bad), headers=JSON)
    assert answer.status_code == 422


def test_free_form_parts_have_a_bound(stored: Service) -> None:
    person = Person(stored)
    answer = person.post("/research/progress-snapshots", SNAPSHOT | {"mission_summary": ["x" * 20_000]})
    assert answer.status_code == 422
