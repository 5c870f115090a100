"""The messages that are sent to Claude: answered questions in turn, and the current question at the end."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from itertools import cycle
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.actors.family import Family
from tests.support import claude_streams as streams
from tests.support.claude_server import Claude, claude_server
from tests.support.lived import Lived, lived_service

EXAMPLES = 25
FAILS: list[bytes | float] = [streams.error("overloaded_error")]


@pytest.fixture(scope="module")
def claude() -> Iterator[Claude]:
    with claude_server() as server:
        yield server


@pytest.fixture(scope="module", params=["sqlite", "postgresql"])
def lived(claude: Claude, request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lived]:
    folder = tmp_path_factory.mktemp("conversation")
    url = f"sqlite:///{folder}/buddy.db" if request.param == "sqlite" else request.getfixturevalue("postgres_url")
    own = {"ANTHROPIC_BASE_URL": claude.url, "CLAUDE_SECONDS": "5"}
    with lived_service(folder, url, own, datetime(2026, 2, 2, 15, tzinfo=UTC)) as running:
        yield running


@pytest.fixture
def family(lived: Lived, claude: Claude) -> Family:
    claude.behaviour = "fine"
    claude.asked.clear()
    claude.streams.clear()
    made = Family(lived, now=lived.clock.now)
    made.give_claude_key()
    return made


def turns(request: dict[str, Any]) -> list[tuple[str, str]]:
    return [(one["role"], one["content"]) for one in request["messages"]]


def assert_in_turn(request: dict[str, Any], question: str) -> None:
    sent = turns(request)
    assert [role for role, _ in sent] == [role for role, _ in zip(cycle(("user", "assistant")), sent, strict=False)]
    assert sent[-1] == ("user", question)


def test_a_retried_question_is_last_after_other_questions(family: Family, claude: Claude) -> None:
    claude.streams.append(FAILS)
    assert family.ask("POST", "/chat", {"message": "First?"}).status_code == 503
    family.chat("Second?")
    claude.streams.append(FAILS)
    assert family.ask("POST", "/chat", {"message": "Third?"}).status_code == 503
    said = family.chat("First?")
    answer = "Serve and return is a back-and-forth. Wait for her turn."
    assert turns(claude.asked[-1]) == [("user", "Second?"), ("assistant", answer), ("user", "First?")]
    shown = family.read("/chat")["messages"]
    assert [one["content"] for one in shown] == ["First?", "Second?", answer, "Third?", answer]
    assert shown[-1] == said


def test_a_retry_with_a_key_is_last_and_asked_once(family: Family, claude: Claude) -> None:
    claude.streams.append(FAILS)
    assert family.ask("POST", "/chat", {"message": "First?"}, Idempotency_Key="a").status_code == 503
    family.chat("Second?", Idempotency_Key="b")
    first = family.chat("First?", Idempotency_Key="a")
    assert_in_turn(claude.asked[-1], "First?")
    asked = len(claude.asked)
    assert family.chat("First?", Idempotency_Key="a") == first
    assert len(claude.asked) == asked
    assert [one["content"] for one in family.read("/chat")["messages"] if one["role"] == "user"] == [
        "First?",
        "Second?",
    ]


def test_two_parents_at_once_are_each_answered_about_their_own(family: Family, claude: Claude) -> None:
    family.chat("Before?")
    claude.behaviour = "slow"
    questions = [f"Question {number}?" for number in range(6)]
    with ThreadPoolExecutor(6) as parents:
        list(parents.map(family.chat, questions))
    assert sorted(turns(request)[-1][1] for request in claude.asked[1:]) == questions
    for request in claude.asked:
        assert_in_turn(request, turns(request)[-1][1])


def test_the_same_words_a_week_later_are_another_question(family: Family, claude: Claude, lived: Lived) -> None:
    claude.streams.append(FAILS)
    assert family.ask("POST", "/chat", {"message": "Hello?"}).status_code == 503
    lived.clock.move(days=7)
    family.chat("Hello?")
    assert [one["role"] for one in family.read("/chat")["messages"]] == ["user", "user", "assistant"]


STEPS = st.lists(
    st.tuples(st.sampled_from(["A?", "B?", "C?"]), st.booleans(), st.sampled_from([None, "k", "l"])), max_size=8
)


@pytest.mark.long
def test_roles_alternate_and_the_question_is_last_in_every_life(lived: Lived, claude: Claude) -> None:
    claude.behaviour = "fine"

    @settings(
        max_examples=EXAMPLES, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck), database=None
    )
    @given(STEPS)
    def check(steps: list[tuple[str, bool, str | None]]) -> None:
        family = Family(lived, now=lived.clock.now)
        family.give_claude_key()
        answered: set[str] = set()
        for question, fails, key in steps:
            claude.asked.clear()
            claude.streams[:] = [FAILS] if fails else []
            headers = {"Idempotency_Key": f"{question[0]}{key}"} if key else {}
            answer = family.ask("POST", "/chat", {"message": question}, **headers)
            assert answer.status_code in {200, 503}
            for request in claude.asked:
                assert_in_turn(request, question)
                assert {text for role, text in turns(request) if role == "user"} <= answered | {question}
            if answer.status_code == 200:
                answered.add(question)
            if claude.asked and not fails:
                assert family.read("/chat")["messages"][-1]["role"] == "assistant"

    check()
