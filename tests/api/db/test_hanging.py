"""A PostgreSQL that hangs: it accepts connections and does not answer. Routes that need it answer 503 soon, the coach
still answers, and the service recovers afterwards."""

import re
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import httpx
import pytest

from api.db.budget import GRACE_SECONDS
from api.db.engine import REQUEST_SECONDS
from api.db.readiness import FRESH_SECONDS
from api.kakei.coach.schemas import EXAMPLE_CONTEXT
from api.kinderbud.auth import new_token
from tests.actors.admin import PASSWORD, Admin
from tests.actors.browser import signed_up
from tests.actors.family import Family
from tests.actors.person import WEEK, Person, somewhere
from tests.support.postgres import postgres_database, server_of
from tests.support.serving import CLIENT, Server, new_client, service
from tests.support.stalling import Stalling, stalling

PATIENCE = 30.0
"""Client timeout in seconds, enough for a busy machine. A regression answered after 62 s, which is an error."""
WITHOUT_DATABASE = {
    *("/", "/health/live", "/metrics", "/coach/model", "/coach/model/policy.onnx", "/openapi.json", "/docs"),
    *(
        "/api/v1/openapi.json",
        "/api/v1/docs",
        "/api/v1/health",
        "/admin",
        "/family",
        "/family/static/family.css",
        "/api/research/instruments",
    ),
}


@pytest.fixture
def proxy(postgres_url: str, worker: str) -> Iterator[Stalling]:
    server = server_of(postgres_url)
    with postgres_database(server, f"{worker}hanging") as url, stalling(url) as proxy:
        yield proxy


@pytest.fixture
def hanging(proxy: Stalling, tmp_path: Path) -> Iterator[Server]:
    settings = {"DATABASE_URL": proxy.url, "DATABASE_TIMEOUT_SECONDS": "3", "ADMIN_PASSWORD": PASSWORD}
    with service(tmp_path, settings) as running:
        yield running


def paths_of(running: Server, document: str, prefix: str) -> list[str]:
    """Every GET path without a query, with values for its parameters."""
    told = CLIENT.get(f"{running.url}{document}").json()["paths"]
    return [prefix + path for path, operations in told.items() if "get" in operations and path != "/metrics"]


def until_unready(running: Server) -> None:
    """An answer of the readiness check holds for a moment, in which the stall may have begun."""
    deadline = time.monotonic() + PATIENCE
    while CLIENT.get(f"{running.url}/health/ready", timeout=PATIENCE).status_code != 503:
        assert time.monotonic() < deadline
        time.sleep(FRESH_SECONDS / 10)


@pytest.mark.long
def test_every_route_that_needs_it_says_503_and_recovers(hanging: Server, proxy: Stalling) -> None:
    person, family, browser, admin = Person(hanging), Family(hanging), signed_up(hanging), Admin(hanging)
    assert admin.sign_in().status_code == 200
    family.follow()
    token = {"Authorization": f"Bearer {family.token}"}
    asked = []
    for path in paths_of(hanging, "/openapi.json", ""):
        filled = re.sub(r"{uuid}", person.uuid, path)
        if "export" not in path and "{" not in filled:
            asked.append(httpx.Request("GET", hanging.url + filled, headers=somewhere()))
    asked += [
        httpx.Request("GET", hanging.url + re.sub(r"{[^}]*}", "1", path), headers=token)
        for path in paths_of(hanging, "/api/v1/openapi.json", "/api/v1")
    ]
    pages = ("/today", "/people", "/guides", "/history", "/settings", "/access", "/leave")
    asked += [browser.client.build_request("GET", browser.base + path) for path in pages]
    screens = ("/configuration", "/list/User", "/list/Household")
    asked += [admin.client.build_request("GET", path) for path in screens]
    body = WEEK | {"month_key": 202607}
    asked.append(httpx.Request("POST", f"{hanging.url}/api/users/{person.uuid}/summaries/weekly", json=body))
    asked.append(httpx.Request("POST", f"{hanging.url}/api/v1/todos", json={"title": "Sing"}, headers=token))

    def answers(at_once: int) -> dict[str, httpx.Response]:
        def answer(request: httpx.Request) -> httpx.Response:
            with new_client(timeout=PATIENCE) as client:
                return client.send(request)

        with ThreadPoolExecutor(at_once) as clients:
            return {
                f"{one.method} {one.url.path}": got for one, got in zip(asked, clients.map(answer, asked), strict=True)
            }

    before = answers(2)
    assert {answer.status_code for answer in before.values()} & {429, 500, 503} == set()
    needing = {what for what in before if what.partition(" ")[2] not in WITHOUT_DATABASE}
    assert len(needing) > 30
    with proxy.stalled():
        until_unready(hanging)
        during = answers(len(asked))
        wrong = {what: during[what].text[:100] for what in needing if during[what].status_code != 503}
        assert wrong == {}
        assert all(int(during[what].headers["retry-after"]) > 0 for what in needing)
        for what in before.keys() - needing:
            assert during[what].status_code == before[what].status_code, what
        mine = {"X-User-UUID": person.uuid}
        coached = CLIENT.post(f"{hanging.url}/coach/suggestions", json=EXAMPLE_CONTEXT, headers=mine, timeout=PATIENCE)
        assert (coached.status_code, coached.json()["source"]) == (200, "policy")
    again = f"POST /api/users/{person.uuid}/summaries/weekly"  # 201 the first time, 200 later
    token["Authorization"] = f"Bearer {family.new_token()}"  # the first one has reached its limit per minute
    for request in asked:
        if "/api/v1/" in request.url.path:
            request.headers.update(token)
    after = {what: answer.status_code for what, answer in answers(2).items()}
    expected = {what: answer.status_code for what, answer in before.items()} | {again: 200}
    assert after == expected
    assert "unforeseen" not in hanging.log()


@pytest.mark.long
def test_tokens_are_looked_up_and_the_coach_remembers_within_the_budget(hanging: Server, proxy: Stalling) -> None:
    """The look-up of a token comes before the routes of Kinderbud, and the shortcut of the coach past all routes."""
    person, family = Person(hanging), Family(hanging)
    tokens = [family.token, *(family.new_token() for _ in range(3)), new_token()]  # only the first one asked before

    def ask(number: int) -> httpx.Response:
        with new_client(timeout=PATIENCE) as client:
            if number < len(tokens):
                told = {"Authorization": f"Bearer {tokens[number]}"}
                return client.get(f"{hanging.url}/api/v1/todos", headers=told)
            told = {"X-User-UUID": person.uuid}
            return client.post(f"{hanging.url}/coach/suggestions", json=EXAMPLE_CONTEXT, headers=told)

    family.read("/todos")
    with proxy.stalled(), ThreadPoolExecutor(20) as clients:
        answers = list(clients.map(ask, range(20)))
    assert [answer.status_code for answer in answers] == [503] * len(tokens) + [200] * (20 - len(tokens))
    assert all(int(answer.headers["retry-after"]) > 0 for answer in answers[: len(tokens)])
    assert {answer.json()["source"] for answer in answers[len(tokens) :]} == {"policy"}
    assert [ask(number).status_code for number in (0, 1, 4, 5)] == [200, 200, 401, 200]
    assert "unforeseen" not in hanging.log()


@pytest.mark.long
@pytest.mark.parametrize("forwarded", [True, False])
def test_a_connection_that_breaks_in_a_commit_is_told_apart(hanging: Server, proxy: Stalling, forwarded: bool) -> None:
    person = Person(hanging)
    url = f"{hanging.url}/api/users/{person.uuid}/summaries/weekly"
    proxy.break_at(b"COMMIT", forwarded=forwarded)
    answer = CLIENT.post(url, json=WEEK, timeout=PATIENCE)
    assert (answer.status_code, proxy.broken) == (503, 1)
    assert "may have been stored, or not" in answer.json()["detail"]
    stored = len(person.read("/data")["weekly_summaries"])
    assert stored == (1 if forwarded else 0)
    proxy.break_at(b"INSERT INTO weekly_summaries", forwarded=False)
    lost = CLIENT.post(url, json=WEEK | {"week_key": 3}, timeout=PATIENCE)
    assert (lost.status_code, proxy.broken) == (503, 2)
    assert "was not stored" in lost.json()["detail"]
    assert len(person.read("/data")["weekly_summaries"]) == stored


def test_the_limit_of_a_request_is_less_than_five_seconds() -> None:
    assert REQUEST_SECONDS + GRACE_SECONDS < 5
