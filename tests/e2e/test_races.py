"""Two processes share a database: concurrent requests through either of them act once."""

import uuid

import httpx
import pytest

from tests.actors.person import Person, this_month
from tests.support.challenges import FEW_DAYS
from tests.support.clients import week
from tests.support.databases import rows
from tests.support.pair import Pair, statuses
from tests.support.serving import CLIENT


def ledger(person: Person) -> int:
    """The points of the person: those of the challenge and of each badge, each once."""
    badges = person.read("/badges")
    paid: int = badges["total_points"]
    assert paid == FEW_DAYS["reward_points"] + sum(earned["badge"]["points"] for earned in badges["badges"])
    assert len({earned["badge"]["id"] for earned in badges["badges"]}) == len(badges["badges"])
    return paid


@pytest.mark.long
def test_a_claim_pays_once_although_two_hundred_race_for_it_through_two_processes(pair: Pair) -> None:
    person = Person(pair.services[0])
    path = f"/api/users/{person.uuid}/challenges/{person.complete()['id']}/claim"
    answers = pair.race(200, lambda client, url, _: client.post(url + path))
    assert statuses(answers) == {(200, None): 1, (409, "challenge_already_claimed"): 199}
    (won,) = [answer.json() for answer in answers if answer.status_code == 200]
    assert won["points_awarded"] == FEW_DAYS["reward_points"]
    assert ledger(person) == won["total_points"]
    for running in pair.services:
        points = CLIENT.get(f"{running.url}/api/users/{person.uuid}/points").json()
        assert points == {"total_points": won["total_points"]}
    claims = f"FROM point_entries p JOIN users u ON u.id = p.user_id WHERE u.uuid = '{person.uuid}'"
    paid = rows(pair.database, f"SELECT sum(points), count(*) {claims} AND cause = 'challenge_claimed'")
    assert paid == [(FEW_DAYS["reward_points"], 1)]


@pytest.mark.long
def test_a_uuid_becomes_one_user_although_a_hundred_create_it_through_two_processes(pair: Pair) -> None:
    wanted = str(uuid.uuid4())
    answers = pair.race(100, lambda client, url, _: client.post(f"{url}/api/users/", json={"uuid": wanted}))
    assert statuses(answers) == {(201, None): 1, (200, None): 99}
    assert {answer.json()["uuid"] for answer in answers} == {wanted}
    assert rows(pair.database, f"SELECT count(*) FROM users WHERE uuid = '{wanted}'") == [(1,)]  # noqa: S608


def test_a_week_is_one_row_and_no_ones_mixture_although_sixty_upload_it_through_two_processes(pair: Pair) -> None:
    person = Person(pair.services[0])
    path = f"/api/users/{person.uuid}/summaries/weekly"
    bodies = [week(number, 202606, 2) for number in range(1, 61)]
    answers = pair.race(60, lambda client, url, number: client.post(url + path, json=bodies[number]))
    assert statuses(answers) == {(201, None): 1, (200, None): 59}
    for running in pair.services:
        (stored,) = CLIENT.get(running.url + path).json()["items"]
        assert {name: stored[name] for name in bodies[0]} in bodies
    for answer in answers:
        assert {name: answer.json()[name] for name in bodies[0]} in bodies
    weeks = "FROM weekly_summaries w JOIN users u ON u.id = w.user_id"
    assert rows(pair.database, f"SELECT count(*) {weeks} WHERE u.uuid = '{person.uuid}'") == [(1,)]


def test_a_template_is_accepted_once_although_forty_accept_it_through_two_processes(pair: Pair) -> None:
    person = Person(pair.services[0])
    path = f"/api/users/{person.uuid}/challenges/{FEW_DAYS['id']}/accept"
    body = {"challenge_template_id": FEW_DAYS["id"], "month_range": this_month(), "source": "user"}
    answers = pair.race(40, lambda client, url, _: client.post(url + path, json=body))
    assert statuses(answers) == {(201, None): 1, (409, "challenge_already_accepted"): 39}
    (accepted,) = [answer.json()["id"] for answer in answers if answer.status_code == 201]
    assert [challenge["id"] for challenge in person.read("/challenges")] == [accepted]


def test_one_idempotency_key_is_answered_with_the_same_bytes_by_both_processes(pair: Pair) -> None:
    person = Person(pair.services[0])
    path = f"/api/users/{person.uuid}/challenges/{person.complete()['id']}/claim"

    def claim(client: httpx.Client, url: str, _: int) -> httpx.Response:
        return client.post(url + path, headers={"Idempotency-Key": "one claim"})

    answers = pair.race(60, claim)
    assert statuses(answers).keys() <= {(200, None), (409, "idempotency_key_in_use")}
    assert all("Retry-After" in answer.headers for answer in answers if answer.status_code == 409)
    with httpx.Client() as client:
        later = [claim(client, running.url, 0) for running in pair.services]
    assert statuses(later) == {(200, None): 2}
    assert all("Idempotent-Replayed" in answer.headers for answer in later)
    done = [answer for answer in answers if answer.status_code == 200]
    assert len([answer for answer in done if "Idempotent-Replayed" not in answer.headers]) == 1
    assert {answer.content for answer in [*done, *later]} == {later[0].content}
    assert ledger(person) == later[0].json()["total_points"]
