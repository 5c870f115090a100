"""Several workers on one port: one catalog, one set of metrics and one count of limits."""

import re
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from api.kakei.coach.schemas import EXAMPLE_CONTEXT
from tests.actors.person import WEEK, Person
from tests.support.serving import CLIENT, STARTING_SECONDS, Server, service

ASKED = 60


@pytest.fixture(params=["sqlite", "postgresql"])
def workers(request: pytest.FixtureRequest, redis_url: str, tmp_path: Path) -> object:
    url = f"sqlite:///{tmp_path}/x.db" if request.param == "sqlite" else request.getfixturevalue("postgres_url")
    with service(tmp_path, {"DATABASE_URL": url, "REDIS_URL": redis_url, "WEB_CONCURRENCY": "2"}) as running:
        yield running


COACHES = 2
"""Policies that each worker loads."""


def counted(running: Server, route: str) -> tuple[int, int]:
    """How many requests of a route all workers counted in total, and the policy gauges that are 1."""
    text = running.metrics()
    found = re.findall(rf'buddy_request_seconds_count{{[^}}]*route="{re.escape(route)}"[^}}]*}} (\d+)', text)
    served = re.findall(r"buddy_coach_policy{[^}]*budget[^}]*} 1\.0", text)
    return sum(map(int, found)), len(served)


@pytest.mark.long
def test_they_share_what_must_be_shared(workers: Server) -> None:
    def ask(_: int) -> int:
        return CLIENT.post(f"{workers.url}/coach/suggestions", json=EXAMPLE_CONTEXT).status_code

    with ThreadPoolExecutor(8) as phones:
        assert set(phones.map(ask, range(ASKED))) == {200}
    assert counted(workers, "/coach/suggestions") == (ASKED, 1)
    person = Person(workers)
    assert [person.post("/summaries/weekly", WEEK).status_code for _ in range(6)] == [201, *[200] * 5]
    deadline = time.monotonic() + STARTING_SECONDS  # the second worker may still be starting
    while workers.log().count('"policy served"') < 2 * COACHES and time.monotonic() < deadline:
        time.sleep(0.1)
    assert workers.log().count('"policy served"') == 2 * COACHES


@pytest.mark.long
def test_two_processes_take_one_decision_a_week(workers: Server) -> None:
    workers.buddy("study", "start", "shared")
    person = Person(workers)
    person.consent(study_version="shared")

    def ask(_: int) -> str:
        url, mine = f"{workers.url}/coach/suggestions", {"X-User-UUID": person.uuid}
        answer = CLIENT.post(url, json=EXAMPLE_CONTEXT, headers=mine, timeout=30)
        assert answer.status_code == 200
        return str(answer.json()["suggestion_id"])

    with ThreadPoolExecutor(16) as phones:
        told = set(phones.map(ask, range(ASKED)))
    data = person.read("/data")
    assert told == {row["decision_id"] for row in data["decisions"]}
    assert len(told) == len(data["outcomes"]) == 1
