"""Two processes on one database, and concurrent requests of a family: each action happens once, and limits are
exact.
"""

from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.actors.actor import named
from tests.actors.family import Family
from tests.support.clients import phones
from tests.support.databases import rows
from tests.support.pair import Pair, statuses
from tests.support.serving import CLIENT, Service, service

CROWD = 50
HANDS = 16
"""Concurrent requests in the limit tests: enough to race, few enough that Redis answers in time on two cores."""


def crowd(
    pair: Pair, family: Family, method: str, path: str, body: Any = None, *, tokens: int = 1, **headers: str
) -> list[httpx.Response]:
    """The answers to many concurrent requests, alternating between two processes, with these tokens in turn."""
    shown = [family.token, *[family.new_token() for _ in range(tokens - 1)]]

    def send(client: httpx.Client, url: str, number: int) -> httpx.Response:
        authorized = {"Authorization": f"Bearer {shown[number // 2 % tokens]}"} | named(headers)
        return client.request(method, f"{url}/api/v1{path}", json=body, headers=authorized)

    return pair.race(CROWD, send)


def count(pair: Pair, table: str, where: str) -> int:
    """The number of rows in the database."""
    ((number,),) = rows(pair.database, f"SELECT count(*) FROM {table} WHERE {where}")  # noqa: S608
    return int(number)


@pytest.mark.long
def test_a_day_is_chosen_once_although_fifty_ask_first_through_two_processes(pair: Pair) -> None:
    family = Family(pair.services[0])
    family.follow()
    family.data("POST", "/todos", {"title": "Read bedtime story", "frequency": "daily"})
    answers = crowd(pair, family, "GET", "/today", tokens=2)
    assert statuses(answers) == {(200, None): CROWD}
    days = [answer.json()["data"] for answer in answers]
    assert Counter(day.pop("cached") for day in days) == {False: 1, True: CROWD - 1}
    assert all(day == days[0] for day in days)
    assert len(days[0]["activities"]) == 8
    assert len(days[0]["custom_todos"]) == 1
    mine = f"household_id = {family.id}"
    assert count(pair, "day_selections", mine) == 1
    items = rows(pair.database, f"SELECT todo_id, position FROM day_items WHERE {mine} ORDER BY position")  # noqa: S608
    shown = [*days[0]["activities"], *days[0]["custom_todos"]]
    assert [todo for todo, _ in items] == [one["id"] for one in shown]
    assert len({position for _, position in items}) == len(items)


@pytest.mark.long
def test_a_todo_is_completed_once_although_fifty_complete_it_through_two_processes(pair: Pair) -> None:
    family = Family(pair.services[0])
    number = family.create_todo("Sing", frequency="daily")
    answers = crowd(pair, family, "POST", f"/todos/{number}/complete", {"notes": "loud"}, tokens=2)
    assert statuses(answers) == {(200, None): CROWD}
    assert len({answer.content for answer in answers}) == 1
    assert count(pair, "todo_actions", f"todo_id = {number}") == 1
    assert count(pair, "completion_runs", f"household_id = {family.id}") == 1
    assert (family.read("/history")["total_actions"], family.read("/stats")["streak"]) == (1, 1)


def test_an_action_is_undone_once_although_fifty_undo_it_through_two_processes(pair: Pair) -> None:
    family = Family(pair.services[0])
    number = family.create_todo("Sing", frequency="daily")
    family.complete(number)
    action = family.read("/history")["entries"][0]["actions"][0]["id"]
    answers = crowd(pair, family, "POST", f"/todos/{number}/undo", {"action_id": action}, tokens=2)
    assert statuses(answers) == {(200, None): 1, (404, "NOT_FOUND"): CROWD - 1}
    assert count(pair, "todo_actions", f"todo_id = {number} AND undone_at IS NOT NULL") == 1
    assert count(pair, "completion_runs", f"household_id = {family.id}") == 0
    assert family.read(f"/todos/{number}")["status"] == "pending"


def test_a_guide_is_followed_once_although_fifty_subscribe_through_two_processes(pair: Pair) -> None:
    family = Family(pair.services[0])
    emma = family.read("/me")["participants"][0]["id"]
    guide = next(one for one in family.read("/guides")["guides"] if one["title"].startswith("Early Math"))
    answers = crowd(pair, family, "POST", "/plans", {"participant_id": emma, "guide_id": guide["id"]}, tokens=2)
    assert statuses(answers) == {(200, None): 1, (409, "ALREADY_SUBSCRIBED"): CROWD - 1}
    (made,) = [answer.json()["data"]["id"] for answer in answers if answer.status_code == 200]
    assert [plan["id"] for plan in family.read("/plans")["plans"]] == [made]
    assert count(pair, "plans", f"household_id = {family.id}") == 1
    items = f"SELECT guide_item_id FROM todos WHERE household_id = {family.id}"  # noqa: S608
    todos = rows(pair.database, items)
    assert len(todos) == len(set(todos)) > 0


def test_one_idempotency_key_makes_one_todo_in_both_processes(pair: Pair) -> None:
    family, body = Family(pair.services[0]), {"title": "Sing", "frequency": "daily"}
    answers = crowd(pair, family, "POST", "/todos", body, Idempotency_Key="one todo")
    assert statuses(answers).keys() <= {(200, None), (409, "VALIDATION_ERROR")}
    assert all("Retry-After" in answer.headers for answer in answers if answer.status_code == 409)
    done = [answer for answer in answers if answer.status_code == 200]
    assert len([answer for answer in done if "Idempotent-Replayed" not in answer.headers]) == 1
    later = [_send(running, family.token, "POST", "/todos", body, "one todo") for running in pair.services]
    assert [(answer.status_code, "Idempotent-Replayed" in answer.headers) for answer in later] == [(200, True)] * 2
    assert {answer.content for answer in [*done, *later]} == {later[0].content}
    made = f"household_id = {family.id} AND source_type = 'custom'"
    assert count(pair, "todos", made) == 1
    # A key belongs to a token and a request: other tokens and other requests have their own.
    other = _send(pair.services[1], family.new_token(), "POST", "/todos", body, "one todo")
    assert (other.status_code, "Idempotent-Replayed" in other.headers) == (200, False)
    assert count(pair, "todos", made) == 2
    changed = _send(pair.services[1], family.token, "POST", "/todos", {"title": "Dance"}, "one todo")
    assert (changed.status_code >= 400, changed.json()["code"]) == (True, "VALIDATION_ERROR")
    assert count(pair, "todos", made) == 2


def _send(
    running: Service, token: str, method: str, path: str, body: Any = None, key: str | None = None
) -> httpx.Response:
    headers = {"Authorization": f"Bearer {token}"} | ({"Idempotency-Key": key} if key else {})
    return CLIENT.request(method, f"{running.url}/api/v1{path}", json=body, headers=headers, timeout=30)


@pytest.fixture(scope="module")
def counting(redis_url: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Pair]:
    """Two processes that count in one Redis."""
    folder: Path = tmp_path_factory.mktemp("counting")
    environment = {"DATABASE_URL": f"sqlite:///{folder}/buddy.db", "REDIS_URL": redis_url}
    with service(folder, environment) as first, service(folder, environment) as second:
        yield Pair((first, second), environment["DATABASE_URL"])
        assert not any("Redis is away" in running.log() for running in (first, second))


@pytest.mark.long
@pytest.mark.parametrize(
    ("method", "path", "body", "sent", "limit", "passing", "seconds"),
    [
        ("GET", "/stats", None, 200, 120, 200, 60),
        ("POST", "/todos", {"title": "Sing"}, 90, 60, 200, 60),
        ("POST", "/chat", {"message": "Why does she not sleep?"}, 40, 30, 400, 3600),
    ],
    ids=["read", "write", "chat"],
)
def test_exactly_as_many_requests_pass_as_the_reference_says_over_two_processes(
    counting: Pair, method: str, path: str, body: Any, sent: int, limit: int, passing: int, seconds: int
) -> None:
    family = Family(counting.services[0])
    with phones(keep_connections=HANDS) as client, ThreadPoolExecutor(HANDS) as hands:

        def send(number: int, token: str) -> httpx.Response:
            url = f"{counting.services[number % 2].url}/api/v1{path}"
            return client.request(method, url, json=body, headers={"Authorization": f"Bearer {token}"})

        first = [send(number, family.token) for number in range(10)]  # one after another, so that the rest is exact
        remaining = [int(answer.headers["X-RateLimit-Remaining"]) for answer in first]
        assert remaining == [limit - place for place in range(1, 11)]
        answers = [*first, *hands.map(partial(send, token=family.token), range(10, sent))]
        assert Counter(answer.status_code for answer in answers) == {passing: limit, 429: sent - limit}
        assert {answer.headers["X-RateLimit-Limit"] for answer in answers} == {str(limit)}
        for answer in answers:
            assert ("Retry-After" in answer.headers) == (answer.status_code == 429)
            if answer.status_code == 429:
                assert (answer.json()["ok"], answer.json()["code"]) == (False, "RATE_LIMITED")
                assert answer.headers["X-RateLimit-Remaining"] == "0"
                assert 1 <= int(answer.headers["Retry-After"]) <= seconds
            else:
                assert 0 <= int(answer.headers["X-RateLimit-Remaining"]) < limit
        assert send(1, family.new_token()).status_code == passing
        # Tiers count separately: using one up leaves the others.
        others = {"GET": "/me", "POST": "/todos"} if path == "/chat" else {"PUT" if method == "GET" else "GET": "/me"}
        for other, address in others.items():
            spared = _send(counting.services[0], family.token, other, address, {"title": "Sing"})
            assert spared.status_code != 429
