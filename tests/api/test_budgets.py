"""No request costs more statements, calls or bytes than `budgets.json` says. Nothing here is timed."""

from collections.abc import Iterator

import pytest

from tests.support.budgets import COUNTED, Budgets, more_bytes, more_calls, more_statements
from tests.support.databases import empty_database
from tests.support.lived import Lived, lived_service
from tests.support.one_of_each import NOW, Requests, of_all
from tests.support.serving import CLIENT
from tests.support.work import Work, bytes_of, calls_of, statements_of

pytestmark = pytest.mark.long

ELSEWHERE = {"research_export", "ask_question"}
"""An export runs in a process of its own, and a question waits for Claude."""


@pytest.fixture(scope="module", params=["sqlite", "postgresql"])
def lived(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lived]:
    """A service on a database of its own that was not used before, at the time of the records."""
    folder = tmp_path_factory.mktemp("budgets")
    with empty_database(request.param, request, folder) as url, lived_service(folder, url, now=NOW) as running:
        yield running


@pytest.fixture(scope="module")
def requests(lived: Lived) -> Requests:
    return of_all(lived)


@pytest.fixture(scope="module")
def budgets(lived: Lived) -> Budgets:
    return Budgets.of("sqlite" if lived.environment["DATABASE_URL"].startswith("sqlite") else "postgresql")


def test_every_documented_operation_has_a_budget(lived: Lived, requests: Requests, budgets: Budgets) -> None:
    documents = [CLIENT.get(f"{lived.url}{prefix}/openapi.json").json() for prefix in ("", "/api/v1")]
    methods = [one for document in documents for path in document["paths"].values() for one in path.values()]
    documented = {one["operationId"] for one in methods}
    assert documented - ELSEWHERE <= set(requests)
    assert set(requests) == set(budgets.statements)
    assert set(COUNTED) == set(budgets.calls) == set(budgets.bytes)


def test_no_request_sends_more_statements(lived: Lived, requests: Requests, budgets: Budgets) -> None:
    over = [
        more_statements(name, budgets.statements[name], statements_of(lived, asks)) for name, asks in requests.items()
    ]
    assert not any(over), "\n".join(filter(None, over))


@pytest.mark.parametrize("name", COUNTED)
def test_a_frequent_request_makes_no_more_calls(lived: Lived, requests: Requests, budgets: Budgets, name: str) -> None:
    over = more_calls(name, budgets.calls[name], calls_of(lived, requests[name]))
    assert not over, over


@pytest.mark.parametrize("name", COUNTED)
def test_a_frequent_request_holds_no_more_memory(lived: Lived, requests: Requests, budgets: Budgets, name: str) -> None:
    over = more_bytes(name, budgets.bytes[name], bytes_of(lived, requests[name]))
    assert not over, over


def test_a_report_says_by_how_much_and_where() -> None:
    work = Work(200, ["SELECT 1", "SELECT\n  2"], peak_bytes=2_000, lines=["900 bytes at a.py:1"])
    work.calls.update({"api.kakei: summaries/rules.py:check": 30, "fastapi: routing.py:app": 80})
    assert more_statements("claim", 2, work) == ""
    assert more_statements("claim", 1, work).splitlines() == [
        "claim: 2 statements, 1 more than its budget of 1:",
        "  SELECT 1",
        "  SELECT 2",
    ]
    assert more_calls("claim", {"fastapi": 80, "api.kakei": 30}, work) == ""
    assert more_calls("claim", {"fastapi": 80, "api.kakei": 20}, work).splitlines() == [
        "claim: 110 calls, 2 more than its budget of 108:",
        "  api.kakei: +10",
        "       30 × api.kakei: summaries/rules.py:check",
    ]
    assert more_bytes("claim", 2_000, work) == ""
    assert more_bytes("claim", 1_000, work).splitlines() == [
        "claim: 2000 bytes, 750 more than its budget of 1250:",
        "  900 bytes at a.py:1",
    ]
