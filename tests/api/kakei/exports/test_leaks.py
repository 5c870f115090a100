"""Data that must not be exported, with regression tests of earlier leaks."""

import json
import secrets
import threading
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from data.packages.reader import read_package
from tests.actors.person import ANSWERS, EVENT, METRICS, PROFILE, REFLECTION, SNAPSHOT, Person, this_month
from tests.support.challenges import FEW_DAYS
from tests.support.exports import PATH, TOKEN, export, tables, unpacked
from tests.support.serving import CLIENT, Server

NO_LONGER = {"consented": False}


@pytest.fixture
def study() -> str:
    return f"study-{secrets.token_hex(4)}"


def moment(**since: float) -> str:
    return (datetime.now(UTC) + timedelta(**since)).isoformat()


@pytest.mark.long
def test_progress_that_came_without_consent_does_not_leave_with_a_later_challenge(stored: Server, study: str) -> None:
    person = Person(stored)
    body = {"month_range": this_month(), "metrics": {"expense_log_days": 3}}
    person.post("/challenge-metrics", body | {"client_timestamp": moment()})
    person.consent(study_version=study)
    accepted = person.accept(FEW_DAYS["id"])
    assert accepted["current_progress"] == 3
    assert tables(stored, study_version=study)["challenges"] == []
    stale = body | {"metrics": {"expense_log_days": 2}, "client_timestamp": moment(hours=-1)}
    person.post("/challenge-metrics", stale)
    assert tables(stored, study_version=study)["challenges"] == []


@pytest.mark.long
def test_points_for_what_was_done_without_consent_do_not_leave(stored: Server, study: str) -> None:
    person = Person(stored)
    challenge = person.complete()
    person.consent(study_version=study)
    person.post(f"/challenges/{challenge['id']}/claim")
    found = tables(stored, study_version=study)
    assert found["challenges"] == []
    assert "challenge_claimed" not in {entry["cause"] for entry in found["points"]}


@pytest.mark.long
def test_answers_are_counted_within_a_study(stored: Server, study: str) -> None:
    person = Person(stored)
    studies = [f"{study}-{name}" for name in "ab"]
    for name in studies:
        person.consent(study_version=name)
        person.post("/research/responses", ANSWERS)
    whole = tables(stored, tables="scores")["scores"]
    mine = {row["participant_id"] for name in studies for row in tables(stored, study_version=name)["participants"]}
    assert {(row["version"], row["current"]) for row in whole if row["participant_id"] in mine} == {(1, True)}


@pytest.mark.long
def test_taking_back_is_taking_back_from_every_study(stored: Server, study: str) -> None:
    person = Person(stored)
    for name in "ab":
        person.consent(study_version=f"{study}-{name}")
    person.post("/research/consent", NO_LONGER)
    person.consent(study_version=f"{study}-c")
    left = [name for name in "abc" if tables(stored, study_version=f"{study}-{name}")["participants"]]
    assert left == ["c"]


def test_a_suppressed_month_is_not_told_by_the_consents(stored: Server, study: str) -> None:
    Person(stored).consent(study_version=study)
    found = tables(stored, study_version=study)
    assert found["participants"][0]["start_month"] is None
    assert (found["consents"][0]["received_at"], found["consents"][0]["local_date"]) == (None, None)


@pytest.mark.long
def test_made_up_names_are_words(stored: Server, study: str) -> None:
    person = Person(stored)
    person.consent(study_version=study)
    named = {"event_name": "my_boss_tanaka_is_mean", "context": {"i_am_ill_since_may": 1}}
    person.post("/events", EVENT | named)
    person.post("/challenge-metrics", METRICS | {"metrics": {"debt_to_uncle_hiroshi": 5, "expense_log_days": 2}})
    told = export(stored, study_version=study).text
    assert not any(word in told for word in ("tanaka", "i_am_ill", "hiroshi"))
    assert "expense_log_days" in told


def test_what_was_written_before_sharing_began_is_private(stored: Server, study: str) -> None:
    person = Person(stored)
    person.consent(study_version=study)
    offline = moment()
    person.patch("/research/data-mode", {"data_mode": "sync"})
    person.post("/reflections", REFLECTION | {"client_timestamp": offline})
    person.post("/reflections", REFLECTION | {"client_timestamp": moment(minutes=1)})
    said = [row["reflection_text_missing"] for row in tables(stored, study_version=study)["reflections"]]
    assert said == ["PRIVATE", None]


@pytest.mark.parametrize("told", ["9999-12-31T23:59:59Z", "0001-01-01T00:00:00Z", "1999-12-31T23:59:59Z"])
def test_a_clock_that_is_broken_is_422(told: str, stored: Server, study: str) -> None:
    person = Person(stored)
    person.put("/profile", PROFILE | {"time_zone": "America/New_York"})
    person.consent(study_version=study)
    for path, body in (("/events", EVENT), ("/research/responses", ANSWERS), ("/reflections", REFLECTION)):
        assert person.post(path, body | {"client_timestamp": told}).status_code == 422


@pytest.mark.parametrize("depth", [30, 300, 900])
def test_deep_nesting_is_422(depth: int, stored: Server) -> None:
    person = Person(stored)
    deep = '"game_metrics": {"a": ' + "[" * depth + "1" + "]" * depth + "}"
    body = json.dumps(SNAPSHOT).replace('"game_metrics": {}', deep)
    url = f"{stored.url}/api/users/{person.uuid}/research/progress-snapshots"
    assert CLIENT.post(url, content=body, headers={"Content-Type": "application/json"}).status_code == 422


def test_many_changes_of_mind_at_once_with_keys_do_not_block_each_other(stored: Server, study: str) -> None:
    person = Person(stored)
    answers: list[int] = []

    def say(number: int) -> None:
        body = {"consented": True, "age_confirmed": True, "study_version": study, "participant_code": str(number)}
        answers.append(person.post("/research/consent", body, Idempotency_Key=f"key-{number}").status_code)

    threads = [threading.Thread(target=say, args=(number,)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert answers == [201] * 8


@pytest.mark.long
def test_the_last_word_counts_also_when_it_was_said_before(stored: Server, study: str) -> None:
    person = Person(stored)
    person.consent(study_version=study)
    bodies = [ANSWERS | {"responses": {"q1": value}} for value in (4, 3, 4, 4)]
    assert [person.post("/research/responses", body).status_code for body in bodies] == [201, 201, 201, 200]
    rows = tables(stored, study_version=study)["responses"]
    assert [(row["version"], row["value"]) for row in rows if row["current"] and row["item_id"] == "q1"] == [(3, 4)]


@pytest.mark.long
def test_words_that_look_like_a_reason_for_having_none_are_kept(stored: Server, study: str, tmp_path: Path) -> None:
    person = Person(stored)
    person.consent(study_version=study, data_mode="sync")
    for text in ("PRIVATE", "SKIPPED", "just words"):
        person.post("/reflections", REFLECTION | {"reflection_text": text, "client_timestamp": moment(minutes=1)})
    package = read_package(unpacked(export(stored, "csv", study_version=study), tmp_path))
    assert sorted(package.tables["reflections"]["reflection_text"]) == ["PRIVATE", "SKIPPED", "just words"]


@pytest.mark.long
@pytest.mark.parametrize("asked", ["bytes=99999999999-", "foo", "bytes=0-10"])
def test_part_of_an_export_is_all_of_it_and_nothing_stays_behind(asked: str, stored: Server, study: str) -> None:
    headers = TOKEN | {"Range": asked}
    answer = CLIENT.get(stored.url + PATH, params={"study_version": study}, headers=headers, timeout=60)
    assert answer.status_code == 200
    assert answer.json()["tables"]["participants"] == []
    assert not list((stored.log_file.parent / "var" / "exports").iterdir())


@pytest.mark.long
def test_changes_are_told_between_exports_of_the_same_only(stored: Server, study: str) -> None:
    person, other = Person(stored), Person(stored)
    person.consent(study_version=study)
    person.post("/events", EVENT)
    first = export(stored, study_version=study)
    release = first.headers["x-release"]
    for query in ({}, {"study_version": study, "tables": "events"}, {"study_version": study, "identifiers": True}):
        refused = export(stored, since=release, **query)
        assert (refused.status_code, refused.json()["code"]) == (422, "release_unknown")
    other.consent(study_version=study)
    other.post("/events", EVENT)
    for _ in range(2):  # asking again gives the same
        assert changes(stored, study, release) == ["added", "changed"]
    later = export(stored, study_version=study, since=release).headers["x-release"]
    person.post("/research/consent", NO_LONGER)
    assert changes(stored, study, later) == ["changed", "removed"]


@pytest.mark.long
def test_strict_refuses_rare_time_zones_too(stored: Server, study: str) -> None:
    for number in range(5):
        person = Person(stored)
        person.put("/profile", PROFILE | {"time_zone": "Asia/Manila" if number else "Pacific/Chatham"})
        person.consent(study_version=study)
    assert export(stored, study_version=study).status_code == 200
    assert export(stored, study_version=study, strict=True).status_code == 409


def changes(stored: Server, study: str, since: str) -> list[str]:
    found: list[dict[str, Any]] = tables(stored, study_version=study, since=since)["changes"]
    return sorted(row["change"] for row in found)
