"""One rule for the body of every JSON route of both apps, and bounds that hold while a body is unpacked."""

import gzip
import json
import re
import zlib
from collections.abc import Iterator
from typing import Any

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from api.http.request_body import LARGEST_BODY, MOST_MEMBERS, MOST_VALUES, _commas_outside_texts
from tests.actors.family import Family
from tests.actors.person import EVENT, SNAPSHOT, Person, somewhere
from tests.support.serving import CLIENT, Service

UNKNOWN = json.dumps({"no_such_field": "収入"}, ensure_ascii=False)
READ_AS_JSON: dict[str, tuple[bytes, dict[str, str]]] = {
    "text/plain": (UNKNOWN.encode(), {"Content-Type": "text/plain"}),
    "no type": (UNKNOWN.encode(), {}),
    "curl -d": (UNKNOWN.encode(), {"Content-Type": "application/x-www-form-urlencoded"}),
    "a charset": (UNKNOWN.encode(), {"Content-Type": "application/json; charset=Shift_JIS"}),
    "a vendor's type": (UNKNOWN.encode(), {"Content-Type": "application/vnd.api+json"}),
    "multipart": (UNKNOWN.encode(), {"Content-Type": "multipart/form-data; boundary=x"}),
    "no media type": (UNKNOWN.encode(), {"Content-Type": "\xff;;=,"}),
    "a byte order mark": (b"\xef\xbb\xbf" + UNKNOWN.encode(), {}),
    "gzip": (gzip.compress(UNKNOWN.encode()), {"Content-Encoding": "gzip"}),
    "GZip": (gzip.compress(UNKNOWN.encode()), {"Content-Encoding": "GZip,"}),
    "gzip in two members": (
        gzip.compress(UNKNOWN.encode()[:9]) + gzip.compress(UNKNOWN.encode()[9:]),
        {"Content-Encoding": "gzip"},
    ),
    "gzip in many members": (
        b"".join(map(gzip.compress, [UNKNOWN.encode(), *[b""] * (MOST_MEMBERS - 1)])),
        {"Content-Encoding": "gzip"},
    ),
    "deflate": (zlib.compress(UNKNOWN.encode()), {"Content-Encoding": "deflate"}),
    "identity": (UNKNOWN.encode(), {"Content-Encoding": "identity"}),
}
MALFORMED: dict[str, tuple[bytes, dict[str, str]]] = {
    "UTF-16": (UNKNOWN.encode("utf-16"), {}),
    "UTF-16 without a mark": (UNKNOWN.encode("utf-16-le"), {"Content-Type": "application/json; charset=utf-16"}),
    "UTF-32": (UNKNOWN.encode("utf-32-be"), {}),
    "Latin-1": (b'{"no_such_field": "\xe9"}', {}),
    "0xFF": (b'{"no_such_field": "\xff"}', {}),
    "0xFF in a name": (b'{"\xff": 1}', {}),
    "half a character in UTF-8": (b'{"no_such_field": "\xed\xa0\xbd"}', {}),
    "NUL": (b'{"no_such_field": "\0"}', {}),
    "a form": (b"no_such_field=1", {"Content-Type": "application/x-www-form-urlencoded"}),
    "two marks": (b"\xef\xbb\xbf" * 2 + UNKNOWN.encode(), {}),
    "half a gzip": (gzip.compress(UNKNOWN.encode())[:-9], {"Content-Encoding": "gzip"}),
    "no gzip": (UNKNOWN.encode(), {"Content-Encoding": "gzip"}),
    "gzip and more": (gzip.compress(UNKNOWN.encode()) + b"more", {"Content-Encoding": "gzip"}),
    "gzip in too many members": (
        b"".join(map(gzip.compress, [UNKNOWN.encode(), *[b""] * MOST_MEMBERS])),
        {"Content-Encoding": "gzip"},
    ),
    "a second member that ends too early": (
        gzip.compress(UNKNOWN.encode()) + gzip.compress(b" ")[:-1],
        {"Content-Encoding": "gzip"},
    ),
    "a gzip of 0xFF": (gzip.compress(b'{"no_such_field": "\xff"}'), {"Content-Encoding": "gzip"}),
}
UNSUPPORTED = ["br", "zstd", "gzip, gzip", "gzip, br", "\xff", "gzip2"]
BOMB = gzip.compress(b"[" + b" " * (64 * 2**20))


def operations(service: Service, prefix: str) -> Iterator[tuple[str, str]]:
    """Method and address of every operation with a body, for a user who does not exist."""
    document = CLIENT.get(f"{service.url}{prefix}/openapi.json").json()
    for path, methods in document["paths"].items():
        for method, operation in methods.items():
            if "requestBody" in operation:
                yield method.upper(), f"{service.url}{prefix}{re.sub(r'{[^}]*}', '1', path)}"


@pytest.fixture
def every(stored: Service) -> list[tuple[str, str, dict[str, str]]]:
    """Every JSON operation of both apps, with the headers that it needs."""
    family = Family(stored)
    here = somewhere()
    token = here | {"Authorization": f"Bearer {family.token}"}
    found = [(*one, here) for one in operations(stored, "")] + [(*one, token) for one in operations(stored, "/api/v1")]
    assert len(found) > 15
    return found


def send(method: str, url: str, content: bytes, headers: dict[str, str]) -> httpx.Response:
    """Exactly these bytes and headers; httpx adds no Content-Type to bytes."""
    raw = [(name.encode(), value.encode("latin-1")) for name, value in headers.items()]
    answer = CLIENT.request(method, url, content=content, headers=raw)
    assert answer.status_code < 500, answer.text
    return answer


def said(answer: httpx.Response) -> tuple[Any, ...]:
    body = answer.json()
    return answer.status_code, body.get("code"), body.get("errors"), body.get("error"), body.get("detail")


@pytest.mark.long
@pytest.mark.parametrize("kind", READ_AS_JSON)
def test_json_is_read_as_json_on_every_route(kind: str, every: list[tuple[str, str, dict[str, str]]]) -> None:
    content, headers = READ_AS_JSON[kind]
    for method, url, token in every:
        plain = send(method, url, UNKNOWN.encode(), token | {"Content-Type": "application/json"})
        assert plain.status_code in {400, 404, 422}
        assert "malformed" not in plain.text
        assert said(send(method, url, content, token | headers)) == said(plain), url


@pytest.mark.long
@pytest.mark.parametrize("kind", MALFORMED)
def test_what_is_no_json_in_utf_8_is_refused_on_every_route(
    kind: str, every: list[tuple[str, str, dict[str, str]]]
) -> None:
    content, headers = MALFORMED[kind]
    for method, url, token in every:
        answer = send(method, url, content, token | headers)
        expected = (400, "VALIDATION_ERROR") if "/v1/" in url else (422, "malformed_body")
        assert (answer.status_code, answer.json()["code"]) == expected, (url, answer.text)


@pytest.mark.parametrize("encoding", UNSUPPORTED)
def test_another_encoding_is_415_and_says_what_is_taken(
    encoding: str, every: list[tuple[str, str, dict[str, str]]]
) -> None:
    for method, url, token in every:
        answer = send(method, url, UNKNOWN.encode(), token | {"Content-Encoding": encoding})
        expected = (415, "VALIDATION_ERROR" if "/v1/" in url else "content_encoding_unsupported")
        assert (answer.status_code, answer.json()["code"]) == expected, (url, answer.text)
        assert answer.headers["Accept-Encoding"] == "gzip, deflate"


def test_a_bomb_is_413_on_every_route(every: list[tuple[str, str, dict[str, str]]]) -> None:
    assert len(BOMB) < LARGEST_BODY
    for method, url, token in every:
        assert send(method, url, BOMB, token | {"Content-Encoding": "gzip"}).status_code == 413, url


def test_strangers_of_kinderbud_are_told_so_first(stored: Service) -> None:
    for content, headers in [*MALFORMED.values(), (UNKNOWN.encode(), {"Content-Encoding": "br"})]:
        assert send("POST", f"{stored.url}/api/v1/todos", content, headers).status_code == 401


def test_the_bound_counts_what_comes_out(stored: Service) -> None:
    url = f"{stored.url}/coach/suggestions"
    fits = gzip.compress(b" " * (LARGEST_BODY - 2) + b"{}")
    too_much = gzip.compress(b" " * (LARGEST_BODY - 1) + b"{}")
    assert send("POST", url, fits, {"Content-Encoding": "gzip"}).json()["code"] == "invalid_input"
    members = gzip.compress(b" " * (LARGEST_BODY - 1)) + gzip.compress(b"{}")
    assert send("POST", url, too_much, {"Content-Encoding": "gzip"}).status_code == 413
    assert send("POST", url, members, {"Content-Encoding": "gzip"}).status_code == 413


def test_a_compressed_batch_is_answered(stored: Service) -> None:
    body = gzip.compress(b'{"contexts": [{}, {"budget_used_ratio": "\\u0000"}]}')
    answer = send("POST", f"{stored.url}/coach/suggestions/batch", body, {"Content-Encoding": "gzip"})
    assert answer.status_code == 200
    assert answer.json()["answers"] == [None, None]


@pytest.mark.parametrize("name", ["\ud83d", "a\0b", "x" * 100_000, "\\u0000", "収入"])
def test_a_strange_name_of_a_field_is_refused(name: str, every: list[tuple[str, str, dict[str, str]]]) -> None:
    for method, url, token in every:
        assert send(method, url, json.dumps({name: 1}).encode(), token).status_code in {400, 404, 422}, url


def test_thousands_of_bad_fields_are_told_in_a_short_answer(every: list[tuple[str, str, dict[str, str]]]) -> None:
    body, more = (json.dumps(dict.fromkeys(map(str, range(size)), 1)).encode() for size in (MOST_VALUES, 20_000))
    for method, url, token in every:
        answer = send(method, url, body, token)
        assert answer.status_code in {400, 404, 422}
        assert len(answer.content) < 32 * 1024, url
        if "/coach/" not in url:  # msgspec stops at the first
            assert send(method, url, more, token).status_code == 413


@pytest.mark.parametrize(("text", "status"), [("\\u0000", 201), ("say \\ud83d", 201), ("\0", 422), ("\ud83d", 422)])
def test_what_apps_send_may_mention_nul_and_may_not_hold_it(stored: Service, text: str, status: int) -> None:
    person = Person(stored)
    person.consent()
    free: dict[str, Any] = {text: [{"deep": {text: text}}]}
    for path, body in (
        ("events", EVENT | {"event_name": "something_new", "context": {"note": text}}),
        ("research/progress-snapshots", SNAPSHOT | {"game_metrics": free}),
    ):
        answer = send("POST", f"{stored.url}/api/users/{person.uuid}/{path}", json.dumps(body).encode(), {})
        assert answer.status_code == status, answer.text
    kept = person.read("/data")
    assert [event["context"] for event in kept["events"]] == ([{"note": text}] if status == 201 else [])
    assert [row["game_metrics"] for row in kept["progress_snapshots"]] == ([free] if status == 201 else [])


@pytest.mark.parametrize("text", [",", '",', '\\",', "\\,\\"])
def test_a_text_may_hold_any_number_of_commas(stored: Service, text: str) -> None:
    person = Person(stored)
    person.consent()
    note = text * MOST_VALUES
    body = json.dumps(SNAPSHOT | {"game_metrics": {"note": note}}).encode()
    answer = send("POST", f"{stored.url}/api/users/{person.uuid}/research/progress-snapshots", body, {})
    fits = len(json.dumps({"note": note})) <= 16_384
    assert answer.status_code == (201 if fits else 422), answer.text
    values = json.dumps(SNAPSHOT | {"game_metrics": {"note": [text] * MOST_VALUES}}).encode()
    assert send("POST", str(answer.request.url), values, {}).status_code == 413


JSON_VALUES = st.recursive(
    st.none() | st.text() | st.text(',"\\\\{}[]'), lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner)
)


@given(JSON_VALUES, st.booleans())
def test_commas_are_counted_outside_of_texts(value: Any, ensure_ascii: bool) -> None:
    def commas(one: Any) -> int:
        if not isinstance(one, dict | list):
            return 0
        return max(0, len(one) - 1) + sum(map(commas, one.values() if isinstance(one, dict) else one))

    written = json.dumps(value, ensure_ascii=ensure_ascii).encode(errors="replace")
    assert _commas_outside_texts(written) == commas(value)


@pytest.mark.parametrize("moment", ["2026-06-13t10:30:00z", "2026-06-13T10:30:00z", "2026-06-13t10:30:00.5+02:00"])
def test_the_letters_of_a_time_may_be_small(stored: Service, moment: str) -> None:
    person = Person(stored)
    person.consent()
    url = f"{stored.url}/api/users/{person.uuid}/research/progress-snapshots"
    answer = send("POST", url, json.dumps(SNAPSHOT | {"client_timestamp": moment}).encode(), {})
    assert answer.status_code == 201, answer.text


def test_forms_are_unpacked_within_the_same_bound(stored: Service) -> None:
    url, form = f"{stored.url}/family/login", {"Content-Type": "application/x-www-form-urlencoded"}
    assert send("POST", url, BOMB, form | {"Content-Encoding": "gzip"}).status_code == 413
    assert send("POST", url, b"a=b", form | {"Content-Encoding": "br"}).status_code == 415
    assert send("POST", url, b"a=b", form | {"Content-Encoding": "gzip"}).status_code == 422
    for content in (b"form_token=\xff&email=\xff", b"email=%00", b"%ed%a0%bd=%ff", b"=&=&;", b"email=a\rb"):
        assert send("POST", url, content, form).status_code == 403
