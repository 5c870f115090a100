"""Consent is a history: the newest entry counts, nothing is overwritten, and nothing is collected without it."""

import itertools
import threading

import pytest

from tests.actors.person import ANSWERS, CONSENT, EVENT, Person
from tests.support.serving import CLIENT, Service


@pytest.mark.parametrize("slash", ["", "/"])
def test_the_consent_of_the_reference_is_stored_and_read_back(slash: str, stored: Service) -> None:
    person = Person(stored)
    answer = person.post(f"/research/consent{slash}", CONSENT)
    assert answer.status_code == 201
    assert {name: answer.json()[name] for name in CONSENT} == CONSENT
    history = person.read(f"/research/consent{slash}")
    assert history["in_force"] is True
    assert history["history"] == [answer.json()]


def test_saying_the_same_twice_is_one_entry(stored: Service) -> None:
    person = Person(stored)
    assert [person.post("/research/consent", CONSENT).status_code for _ in range(2)] == [201, 200]
    assert len(person.read("/research/consent")["history"]) == 1


@pytest.mark.parametrize("lacking", ["age_confirmed", "study_version"])
def test_consent_must_be_complete(lacking: str, stored: Service) -> None:
    person = Person(stored)
    body = {name: value for name, value in CONSENT.items() if name != lacking}
    answer = person.post("/research/consent", body)
    assert answer.status_code == 422
    assert lacking in answer.json()["detail"]
    assert person.read("/research/consent") == {"in_force": False, "history": []}


def test_taking_it_back_needs_nothing_else_and_ends_the_collection(stored: Service) -> None:
    person = Person(stored)
    person.consent()
    assert person.post("/research/responses", ANSWERS).status_code == 201
    withdrawn = person.post("/research/consent", {"consented": False})
    assert withdrawn.status_code == 201
    assert withdrawn.json()["study_version"] == CONSENT["study_version"]
    refused = person.post("/research/responses", ANSWERS)
    assert (refused.status_code, refused.json()["code"]) == (403, "no_consent")
    unstored = person.post("/events", EVENT)
    assert (unstored.status_code, unstored.json()["stored"]) == (200, False)
    assert not person.read("/data")["events"]
    assert [entry["consented"] for entry in person.read("/research/consent")["history"]] == [False, True]


def test_the_data_mode_changes_as_an_entry_of_its_own_and_only_under_consent(stored: Service) -> None:
    person = Person(stored)
    assert person.patch("/research/data-mode", {"data_mode": "sync"}).status_code == 403
    person.consent()
    changed = person.patch("/research/data-mode/", {"data_mode": "sync"})
    assert (changed.status_code, changed.json()["data_mode"]) == (200, "sync")
    assert person.patch("/research/data-mode", {"data_mode": "sync"}).status_code == 200
    modes = [entry["data_mode"] for entry in person.read("/research/consent")["history"]]
    assert modes == ["sync", "private"]
    assert person.patch("/research/data-mode", {"data_mode": "open"}).status_code == 422


def test_no_one_consents_for_admin(stored: Service) -> None:
    assert CLIENT.post(f"{stored.url}/api/users/admin/research/consent", json=CONSENT).status_code == 404


def test_consent_and_withdrawal_from_two_phones_at_once_leave_a_history_of_both(stored: Service) -> None:
    person = Person(stored)
    person.consent()
    answers: list[int] = []

    def say(body: dict[str, object]) -> None:
        answers.append(person.post("/research/consent", body).status_code)

    bodies = [{"consented": False}, CONSENT | {"data_mode": "sync"}] * 4
    threads = [threading.Thread(target=say, args=(body,)) for body in bodies]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert set(answers) <= {200, 201}
    history = person.read("/research/consent")["history"]
    said = [(entry["consented"], entry["data_mode"]) for entry in history]
    assert all(one != two for one, two in itertools.pairwise(said))
