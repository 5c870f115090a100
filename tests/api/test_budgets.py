"""No request costs more statements, calls or bytes than `budgets.json` says. Nothing here is timed."""

import pytest

from tests.support.budgets import COUNTED, Budgets, Costs, costs, more_bytes, more_calls, more_statements
from tests.support.databases import empty_database
from tests.support.serving import CLIENT, Server
from tests.support.work import Work

pytestmark = pytest.mark.long

ELSEWHERE = {"research_export", "ask_question"}
"""An export runs in a process of its own, and a question waits for Claude."""


@pytest.fixture(scope="module", params=["sqlite", "postgresql"])
def database(request: pytest.FixtureRequest) -> str:
    name: str = request.param
    return name


@pytest.fixture(scope="module")
def spent(database: str, request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Costs:
    """What the requests cost now."""
    with empty_database(database, request, tmp_path_factory.mktemp("budgets")) as url:
        return costs(url)


@pytest.fixture(scope="module")
def budgets(database: str) -> Budgets:
    return Budgets.of(database)


def test_every_documented_operation_has_a_budget(running: Server, spent: Costs, budgets: Budgets) -> None:
    documents = [CLIENT.get(f"{running.url}{prefix}/openapi.json").json() for prefix in ("", "/api/v1")]
    methods = [one for document in documents for path in document["paths"].values() for one in path.values()]
    documented = {one["operationId"] for one in methods}
    assert documented - ELSEWHERE <= set(spent.statements)
    assert set(spent.statements) == set(budgets.statements)
    assert set(COUNTED) == set(budgets.calls) == set(budgets.bytes)


def test_no_request_sends_more_statements(spent: Costs, budgets: Budgets) -> None:
    over = [more_statements(name, budgets.statements[name], work) for name, work in spent.statements.items()]
    assert not any(over), "\n".join(filter(None, over))


@pytest.mark.parametrize("name", COUNTED)
def test_a_frequent_request_makes_no_more_calls(spent: Costs, budgets: Budgets, name: str) -> None:
    over = more_calls(name, budgets.calls[name], spent.calls[name])
    assert not over, over


@pytest.mark.parametrize("name", COUNTED)
def test_a_frequent_request_holds_no_more_memory(spent: Costs, budgets: Budgets, name: str) -> None:
    over = more_bytes(name, budgets.bytes[name], spent.bytes[name])
    assert not over, over


def test_a_report_says_by_how_much_and_where() -> None:
    work = Work(200, ["SELECT 1", "SELECT 2"], peak_bytes=2_000, lines=["900 bytes at a.py:1"])
    work.calls.update({"api.kakei: summaries/rules.py:check": 30, "fastapi: routing.py:app": 80})
    assert more_statements("claim", 2, work) == ""
    assert more_statements("claim", 1, work).splitlines() == [
        "claim: 2 statements, 1 more than its budget of 1:",
        "  SELECT 1",
        "  SELECT 2",
    ]
    assert more_calls("claim", {"fastapi": 80, "api.kakei": 30}, work) == ""
    assert more_calls("claim", {"fastapi": 80, "api.kakei": 20}, work).splitlines() == [
        "claim: 110 calls, 8 more than its budget of 102:",
        "  api.kakei: +10",
        "       30 × api.kakei: summaries/rules.py:check",
    ]
    assert more_bytes("claim", 2_000, work) == ""
    assert more_bytes("claim", 1_000, work).splitlines() == [
        "claim: 2000 bytes, 900 more than its budget of 1100:",
        "  900 bytes at a.py:1",
    ]
