"""All replies of Claude, over HTTP on both databases: the only 5xx is the 503 that keeps the question."""

import json
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import httpx
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from api.http.text import INVISIBLE
from tests.actors.family import Family
from tests.support import claude_streams as streams
from tests.support.claude_server import Claude, chosen, claude_server, fenced_in
from tests.support.lived import Lived, lived_service

SECONDS = 2
EXAMPLES = 60
OVERLOADED = 30
MORNING = datetime(2026, 2, 2, 15, tzinfo=UTC)
NO_PAUSES = settings(
    max_examples=EXAMPLES, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck), database=None
)


@pytest.fixture(scope="module")
def claude() -> Iterator[Claude]:
    with claude_server() as server:
        yield server


@pytest.fixture(scope="module", params=["sqlite", "postgresql"])
def lived(claude: Claude, request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lived]:
    folder = tmp_path_factory.mktemp("moods")
    url = f"sqlite:///{folder}/buddy.db" if request.param == "sqlite" else request.getfixturevalue("postgres_url")
    own = {"ANTHROPIC_BASE_URL": claude.url, "CLAUDE_SECONDS": str(SECONDS), "LOG_LEVEL": "debug"}
    with lived_service(folder, url, own, MORNING) as running:
        yield running
        log = running.log()
        assert "a secret of Claude's" not in log
        assert '"level":"error"' not in log


@pytest.fixture
def family(lived: Lived, claude: Claude) -> Family:
    return a_family(lived, claude)


def a_family(lived: Lived, claude: Claude) -> Family:
    claude.behaviour = "fine"
    for sequence in (claude.asked, claude.streams, claude.wholes):
        sequence.clear()
    made = Family(lived, now=lived.clock.now)
    made.give_claude_key()
    return made


def streamed(family: Family, question: str) -> tuple[httpx.Response, list[dict[str, Any]]]:
    answer = family.ask("POST", "/chat", {"message": question}, Accept="text/event-stream")
    return answer, [json.loads(line.removeprefix("data: ")) for line in answer.text.splitlines() if line]


@pytest.mark.long
@pytest.mark.parametrize("mood", [*streams.GOOD, *streams.CUT])
def test_an_answer_is_stored_and_says_whether_it_is_cut_off(mood: str, family: Family, claude: Claude) -> None:
    claude.streams.append((streams.GOOD | streams.CUT)[mood])
    said = family.chat("How?")
    assert said["content"] == streams.WHOLE
    assert set(said) == {"role", "content", "created_at"} | ({"cut_off"} if mood in streams.CUT else set())
    assert family.read("/chat")["messages"][-1] == said
    claude.streams.append((streams.GOOD | streams.CUT)[mood])
    answer, events = streamed(family, "And how?")
    assert answer.status_code == 200
    assert "".join(one["delta"] for one in events[:-1]) == streams.WHOLE
    assert events[-1]["data"].get("cut_off") == said.get("cut_off")


@pytest.mark.long
@pytest.mark.parametrize("mood", list(streams.FAILING))
def test_without_an_answer_it_is_503_and_the_question_is_kept(mood: str, family: Family, claude: Claude) -> None:
    claude.streams.append(streams.FAILING[mood])
    failed = family.ask("POST", "/chat", {"message": "How?"})
    assert (failed.status_code, failed.json()["code"]) == (503, "INTERNAL_ERROR")
    overloaded = mood.startswith("overloaded")
    assert (int(failed.headers["Retry-After"]) == OVERLOADED) == overloaded
    assert ("overloaded" in failed.json()["error"]) == overloaded
    claude.streams.append(streams.FAILING[mood])
    answer, events = streamed(family, "How?")
    if answer.status_code == 200:
        assert "delta" in events[0]
        assert (events[-1]["ok"], events[-1]["code"]) == (False, "INTERNAL_ERROR")
        assert (events[-1]["retry_after"] == OVERLOADED) == overloaded
    else:
        assert (answer.status_code, events[-1]["code"]) == (503, "INTERNAL_ERROR")
        assert (int(answer.headers["Retry-After"]) == OVERLOADED) == overloaded
    assert [one["role"] for one in family.read("/chat")["messages"]] == ["user"]
    family.chat("How?")
    assert [one["role"] for one in family.read("/chat")["messages"]] == ["user", "assistant"]


def test_controls_and_half_characters_are_cleaned(family: Family, claude: Claude) -> None:
    halves = [
        streams.start(),
        streams.block(),
        *(streams.delta(part) for part in ("\ud83d", "\ude00 ", "\r")),
    ]
    claude.streams.append([*halves, streams.delta("\n"), streams.delta(streams.DIRTY), streams.end("end_turn")])
    said = family.chat("How?")
    assert said["content"] == f"😀 \n{streams.CLEAN}"
    assert family.read("/chat")["messages"][-1] == said


def test_a_paused_answer_is_continued(family: Family, claude: Claude) -> None:
    claude.streams += [streams.PAUSED, streams.said("Second.")]
    said = family.chat("How?")
    assert (said["content"], said.get("cut_off")) == ("First. Second.", None)
    assert [one["content"] for one in claude.asked[-1]["messages"]] == ["How?", "First."]


@pytest.mark.parametrize("then", [[streams.PAUSED] * 5, [[streams.error("overloaded_error")]], [[]]])
def test_an_answer_that_stays_paused_is_cut_off(then: list[Any], family: Family, claude: Claude) -> None:
    claude.streams += [streams.PAUSED, *then]
    said = family.chat("How?")
    assert said["content"].startswith("First.")
    assert said["cut_off"] is True
    assert len(claude.asked) <= 4


@pytest.mark.long
@pytest.mark.parametrize("reason", ["max_tokens", "pause_turn", "model_context_window_exceeded", "sunset", None, 7])
def test_a_choice_that_is_cut_off_is_the_policys(reason: Any, family: Family, claude: Claude) -> None:
    family.follow()
    claude.wholes.append(streams.whole(json.dumps({"ids": list(range(1, 9)), "note": "Fine."}), reason))
    assert family.read("/today")["source"] == "policy"


def test_a_choice_in_a_reply_with_unknown_parts_counts(lived: Lived, claude: Claude) -> None:
    family = a_family(lived, claude)
    family.follow()
    family.read("/today")
    ids = chosen(fenced_in(claude.asked[-1]))
    again = a_family(lived, claude)
    again.follow()
    blocks = [
        {"type": "thinking", "thinking": "Hm.", "signature": ""},
        {"type": "hologram", "depth": 3},
        {"type": "text", "text": json.dumps({"ids": ids, "note": streams.DIRTY})},
    ]
    claude.wholes.append(streams.whole("", blocks=blocks, usage={"input_tokens": 10**20, "output_tokens": "?"}))
    today = again.read("/today")
    assert (today["source"], today["daily_note"]) == ("llm", " ".join(streams.CLEAN.split()))


@pytest.mark.long
@pytest.mark.parametrize("note", ["", "\x00", "\ud83d", "\u202e \n", 7, None])
def test_a_note_that_is_empty_after_cleaning_is_no_choice(note: Any, family: Family, claude: Claude) -> None:
    family.follow()
    claude.wholes.append(streams.whole(json.dumps({"ids": list(range(1, 9)), "note": note})))
    today = family.read("/today")
    assert today["source"] == "policy"
    assert today["daily_note"]


ANY_TEXT = st.text(st.characters(), max_size=30)
JUNK = st.recursive(st.none() | st.booleans() | st.integers() | ANY_TEXT, lambda inner: st.lists(inner, max_size=3))
KINDS = st.sampled_from(["text", "thinking", "hologram", "tool_use"])
REASONS = st.sampled_from(["end_turn", "max_tokens", "pause_turn", "refusal", "sunset", None])
EVENTS = st.one_of(
    st.just(streams.start()),
    st.builds(streams.block, st.integers(0, 2), KINDS),
    st.builds(streams.delta, ANY_TEXT, st.integers(0, 2)),
    st.builds(streams.delta, ANY_TEXT, st.integers(0, 2), st.sampled_from(["thinking_delta", "colour_delta"])),
    st.builds(streams.end, REASONS),
    st.builds(streams.error, st.sampled_from(["overloaded_error", "api_error", "gravity_error"])),
    st.builds(lambda kind, more: streams.event({"type": kind, "delta": more, "message": more}), ANY_TEXT, JUNK),
    st.binary(max_size=40),
    st.just(b"\n\n"),
)
GOOD_ENDS = st.builds(lambda text: [streams.start(), streams.block(), streams.delta(text)], ANY_TEXT)


@pytest.mark.long
def test_no_part_of_any_stream_is_lost(lived: Lived, claude: Claude) -> None:
    family = a_family(lived, claude)
    asked = 0

    @NO_PAUSES
    @given(st.builds(list.__add__, GOOD_ENDS | st.just([]), st.lists(EVENTS, max_size=8)), st.booleans())
    def check(parts: list[bytes], is_stream: bool) -> None:
        nonlocal asked
        asked += 1
        claude.streams[:] = [list(parts)] * 5
        question = f"Question {asked}"
        headers = {"Accept": "text/event-stream"} if is_stream else {}
        answer = family.ask("POST", "/chat", {"message": question}, **headers)
        last = family.read("/chat?limit=2")["messages"]
        if answer.status_code == 503:
            assert int(answer.headers["Retry-After"]) > 0
            assert last[-1]["content"] == question
            return
        assert answer.status_code == 200
        lines = answer.text.split("\n\n") if is_stream else [f"data: {answer.text}"]
        whole = json.loads([line for line in lines if line][-1].removeprefix("data: "))
        if whole["ok"]:
            assert last[-1] == whole["data"]
            assert last[-2]["content"] == question
            assert last[-1]["content"].strip()
            assert not INVISIBLE.search(last[-1]["content"])
        else:
            assert last[-1]["content"] == question

    check()


@pytest.mark.long
def test_there_is_a_day_after_any_reply(lived: Lived, claude: Claude) -> None:
    family = a_family(lived, claude)
    family.follow()
    choices = st.fixed_dictionaries({"ids": st.lists(st.integers(-1, 12), max_size=9) | JUNK, "note": ANY_TEXT | JUNK})
    texts = ANY_TEXT | st.builds(json.dumps, choices)
    blocks = st.builds(lambda kind, text: {"type": kind, "text": text}, KINDS, texts) | JUNK
    bodies = st.binary(max_size=60) | st.builds(
        lambda found, reason, usage: streams.whole("", reason, found, usage),
        st.lists(blocks, max_size=3) | JUNK,
        REASONS | JUNK,
        JUNK,
    )

    @NO_PAUSES
    @given(bodies)
    def check(body: bytes) -> None:
        lived.clock.move(days=1)
        claude.wholes[:] = [body] * 3
        today = family.read("/today")
        assert today["daily_note"].strip()
        assert not INVISIBLE.search(today["daily_note"])
        assert today["activities"]

    check()
