"""The fast path answers as the ordinary path does: the same bytes, headers, errors, log lines and metrics."""

import http.client
import json
import re
import time
from contextlib import closing
from typing import Any
from urllib.parse import urlsplit

import msgspec
from hypothesis import given, settings
from hypothesis import strategies as st

from api.clock import timestamp, utc_now
from api.kakei.coach import fast_path
from api.kakei.coach.encoded_answers import encoded
from api.kakei.coach.responses import answer_of
from api.kakei.coach.schemas import EXAMPLE_CONTEXT
from coach_model.budget.coach import CONTRACT, decide
from coach_model.budget.context import FEATURES
from coach_model.budget.messages import BALANCED, LANGUAGES, messages
from coach_model.onnx_policy import load_policy
from coach_model.policy import FallbackReason
from tests.support import artifacts
from tests.support.contexts import random_contexts, shares
from tests.support.serving import Server

NEW = re.compile(rb'("suggestion_id":|"created_at":|"instance":)"[^"]*"')
"""What is new in each answer."""
ORDINARY = ("Content-Encoding", "identity")
"""A header without an effect, which the fast path leaves to the ordinary path."""
NUMBERS: st.SearchStrategy[Any] = st.one_of(
    shares, st.sampled_from([0, 1, -0.0, 2, -1e-9, 1e400, True, None, "0.5", [], 0.5])
)
BODIES = st.one_of(
    st.fixed_dictionaries(dict.fromkeys(FEATURES, shares)).map(json.dumps).map(str.encode),
    st.fixed_dictionaries(dict.fromkeys(FEATURES, NUMBERS)).map(json.dumps).map(str.encode),
    st.dictionaries(st.sampled_from([*FEATURES, "more", "é"]), shares).map(json.dumps).map(str.encode),
    st.binary(max_size=40),
    st.sampled_from(
        [
            b"\xef\xbb\xbf" + json.dumps(EXAMPLE_CONTEXT).encode(),
            json.dumps(EXAMPLE_CONTEXT, indent=2).encode() + b"\r\n ",
            json.dumps(EXAMPLE_CONTEXT).encode() + b" " * 20_000,
            json.dumps(EXAMPLE_CONTEXT).encode() + b"\0",
            json.dumps(EXAMPLE_CONTEXT).encode()[:-1],
            json.dumps(EXAMPLE_CONTEXT).replace("needs_share", "needs\\u005fshare").encode(),
        ]
    ),
)
HEADERS = st.lists(
    st.sampled_from(
        [
            ("Accept-Language", "ja"),
            ("Accept-Language", "ja;q=0.3, en;q=0.8"),
            ("Accept-Language", "\xe9, ja-JP;q=x"),
            ("Accept-Language", ""),
            ("X-Request-ID", "abc.DEF-1_2"),
            ("X-Request-ID", "no valid id"),
            ("X-Request-ID", "x" * 65),
            ("Idempotency-Key", "monday"),
            ("Connection", "close"),
            ("Origin", "https://somewhere.example"),
            ("Content-Type", "text/plain"),
            ("Expect", "100-continue"),
        ]
    ),
    max_size=4,
)

type Headers = list[tuple[str, str]]


def asked(server: Server, body: bytes, headers: Headers) -> tuple[int, dict[str, str], bytes, str]:
    """Status, headers, body and id of the answer; without what is new in each answer."""
    with closing(http.client.HTTPConnection(urlsplit(server.url).netloc, timeout=20)) as connection:
        connection.putrequest("POST", "/coach/suggestions")
        connection.putheader("Content-Length", str(len(body)))
        for name, value in headers:
            connection.putheader(name, value.encode("latin-1"))
        connection.endheaders(body)
        answer = connection.getresponse()
        content = answer.read()
    told = {name.lower(): value for name, value in answer.getheaders()}
    del told["date"]
    request_id = told.pop("x-request-id")
    if request_id not in [value for name, value in headers]:
        assert re.fullmatch("[0-9a-f]{32}", request_id)
        told["x-request-id"] = "a new one"
    return answer.status, told, NEW.sub(rb"\1", content), request_id


def logged(server: Server, request_id: str) -> dict[str, Any]:
    """The last log line of that request, without its times."""
    deadline = time.monotonic() + 5
    while True:
        lines = [line for line in server.log().splitlines() if f'"request_id":"{request_id}"' in line]
        if lines or time.monotonic() > deadline:
            break
        time.sleep(0.01)
    line = json.loads(lines[-1])
    assert list(line) == ["timestamp", "level", "method", "route", "status", "ms", "request_id", "event"]
    return {name: value for name, value in line.items() if name not in {"timestamp", "ms", "request_id"}}


def counted(server: Server) -> dict[str, float]:
    """The counts of requests to the coach, and of decisions."""
    lines = [line.rpartition(" ") for line in server.metrics().splitlines()]
    wanted = re.compile(r'buddy_request_seconds_count\{.*route="/coach/suggestions".*|buddy_coach_decisions_total.*')
    return {name: float(value) for name, _, value in lines if wanted.fullmatch(name)}


@settings(max_examples=60, deadline=None)
@given(BODIES, HEADERS)
def test_both_paths_give_the_same_answers_and_log_lines(running: Server, body: bytes, headers: Headers) -> None:
    *fast, fast_id = asked(running, body, headers)
    *ordinary, ordinary_id = asked(running, body, [*headers, ORDINARY])
    assert fast == ordinary
    assert logged(running, fast_id) == logged(running, ordinary_id)


def test_both_paths_count_requests_and_decisions_alike(running: Server) -> None:
    body = json.dumps(EXAMPLE_CONTEXT).encode()
    for headers in ([], [ORDINARY]):
        before = counted(running)
        for _ in range(3):
            asked(running, body, headers)
        rises = {name: value - before.get(name, 0) for name, value in counted(running).items()}
        assert sorted(rise for rise in rises.values() if rise) == [3, 3], headers


def test_only_usual_headers_take_the_fast_path() -> None:
    usual = [(b"host", b"x"), (b"content-length", b"300"), (b"user-agent", b"phone"), (b"accept-language", b"ja")]
    assert fast_path._is_usual({"headers": usual})
    for more in (b"x-user-uuid", b"origin", b"content-encoding", b"accept-language", b"host"):
        assert not fast_path._is_usual({"headers": [*usual, (more, b"x")]}), more
    assert not fast_path._is_usual({"headers": [(b"host", b"x"), (b"transfer-encoding", b"chunked")]})
    assert not fast_path._is_usual({"headers": [(b"host", b"x"), (b"content-length", b"10000")]})


def test_answers_of_parts_are_the_bytes_of_whole_answers() -> None:
    policy, now = load_policy(artifacts.PACKAGED, CONTRACT), utc_now().replace(microsecond=0)
    contexts = random_contexts(3_000, seed=16)
    decisions = [*decide(policy, contexts).rows, *decide(FallbackReason.MODEL_REFUSED, contexts[:500]).rows]
    assert len({tuple(decision.levels) for decision in decisions}) > 50
    for number, decision in enumerate(decisions):
        language = LANGUAGES[number % 2]
        found = encoded(decision, language, timestamp(now).encode())
        suggestion_id = json.loads(found)["suggestion_id"]
        assert found == msgspec.json.encode(answer_of(decision, messages(language, BALANCED), now, suggestion_id))
