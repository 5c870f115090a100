"""Invalid bodies: every answer is in the envelope, with a code of the closed list."""

import json

import httpx
import pytest

from tests.actors.family import Family, refused
from tests.support.serving import CLIENT, Service

JSON = "application/json"
FIELDS = {"title": "/todos", "description": "/todos", "notes": "/todos/{}/complete", "reason": "/todos/{}/snooze"}
"""Every text field, and the route that takes it."""


@pytest.fixture
def family(stored: Service) -> Family:
    return Family(stored)


@pytest.fixture
def todo(family: Family) -> int:
    made: int = family.create_todo("Read bedtime story", frequency="daily")
    return made


def send(family: Family, method: str, path: str, content: bytes | None = None, media: str = JSON) -> httpx.Response:
    """The answer to exactly these bytes."""
    headers = {"Authorization": f"Bearer {family.token}"} | ({"Content-Type": media} if content is not None else {})
    return CLIENT.request(method, f"{family.service.url}/api/v1{path}", content=content, headers=headers, timeout=30)


@pytest.mark.parametrize("content", [b"", b" \r\n", b"{}", None])
def test_an_empty_body_is_an_empty_object_where_the_body_is_optional(
    family: Family, todo: int, content: bytes | None
) -> None:
    done = send(family, "POST", f"/todos/{todo}/complete", content)
    assert (done.status_code, done.json()["data"]["notes"]) == (200, None)
    put_off = send(family, "POST", f"/todos/{todo}/snooze", content)
    assert (put_off.status_code, put_off.json()["data"]["action"]) == (200, "snoozed")


def test_an_empty_body_is_refused_where_one_is_needed(family: Family, todo: int) -> None:
    for method, path in (
        ("POST", "/todos"),
        ("PUT", f"/todos/{todo}"),
        ("POST", f"/todos/{todo}/undo"),
        ("POST", "/plans"),
        ("POST", "/chat"),
    ):
        for empty in (b"", b"  "):
            assert refused(send(family, method, path, empty), 400, "VALIDATION_ERROR") == "body: is missing"


@pytest.mark.parametrize("field", FIELDS)
@pytest.mark.parametrize(
    "text", ["a\0b", "half \ud83d of a face", "x" * 10_000], ids=["NUL", "half a character", "far too long"]
)
def test_text_that_cannot_be_kept_is_refused_by_the_name_of_its_field(
    family: Family, todo: int, field: str, text: str
) -> None:
    body = {"title": "Sing"} | {field: text} if FIELDS[field] == "/todos" else {field: text}
    sentence = refused(
        send(family, "POST", FIELDS[field].format(todo), json.dumps(body).encode()), 400, "VALIDATION_ERROR"
    )
    assert sentence.startswith(f"{field}: ")
    assert text not in sentence
    assert family.read("/todos")["total"] == 1
    assert family.read("/history")["total_actions"] == 0


def test_text_of_any_script_comes_back_as_it_went(family: Family) -> None:
    title = '„Gute Nacht“, 絵本を読む, قصة 👩‍👧 — it\'s "fun" \\ <b>'
    made = family.data("POST", "/todos", {"title": title, "description": "line one\nline two\t" + "あ" * 1900})
    seen = family.read(f"/todos/{made['id']}")
    assert (seen["title"], seen["description"]) == (title, made["description"])
    assert "あ" * 1900 in seen["description"]


@pytest.mark.parametrize(
    "content",
    [
        *(b"{", b"\xff\xfe", b"[]", b'"text"', b"7"),
        b"[" * 100_000,
        b'{"notes": ' + b"1" * 5_000 + b"}",
        b'{"notes": NaN}',
        b'{"notes": ["a"]}',
        b'{"\\ud800": 1}',
        b'{"\\u0000": 1}',
        b'{"nothing known": "x"}',
    ],
)
def test_a_body_that_is_no_json_object_of_known_fields_is_refused(family: Family, todo: int, content: bytes) -> None:
    refused(send(family, "POST", f"/todos/{todo}/complete", content), 400, "VALIDATION_ERROR")
    assert family.read("/history")["total_actions"] == 0


@pytest.mark.parametrize("media", ["text/plain", "application/x-www-form-urlencoded"])
def test_json_is_read_under_each_content_type(family: Family, todo: int, media: str) -> None:
    done = send(family, "POST", f"/todos/{todo}/complete", b'{"notes": "x"}', media)
    assert (done.status_code, done.json()["data"]["notes"]) == (200, "x")


def test_a_body_that_is_far_too_large_is_refused_in_the_envelope(family: Family, todo: int) -> None:
    large = json.dumps({"notes": "x" * 300_000}).encode()
    refused(send(family, "POST", f"/todos/{todo}/complete", large), 413, "VALIDATION_ERROR")
    headers = {"Authorization": f"Bearer {family.token}", "Content-Type": JSON}
    pieces = (large[start : start + 10_000] for start in range(0, len(large), 10_000))  # without Content-Length
    url = f"{family.service.url}/api/v1/todos/{todo}/complete"
    refused(CLIENT.post(url, content=pieces, headers=headers), 413, "VALIDATION_ERROR")
    assert family.read("/history")["total_actions"] == 0


@pytest.mark.parametrize("path", ["/nothing", "/todos/1/nothing", "/me/", "/", ""])
def test_an_address_where_nothing_is_answers_in_the_envelope(family: Family, path: str) -> None:
    answer = send(family, "GET", path)
    if path == "/me/":  # a trailing slash is accepted, without a redirect
        assert answer.json()["data"] == family.read("/me")
    else:
        refused(answer, 404, "NOT_FOUND")


@pytest.mark.parametrize("number", ["0", "-1", "x", "1.5", "%00", "%ff", str(2**31), "9" * 30])
def test_a_number_that_no_todo_can_have_is_refused(family: Family, number: str) -> None:
    for method, below in (("GET", ""), ("DELETE", ""), ("POST", "/complete")):
        answer = send(family, method, f"/todos/{number}{below}")
        assert "todo_id" in refused(answer, 400, "VALIDATION_ERROR")


@pytest.mark.parametrize(
    ("method", "path", "allowed"),
    [
        ("PATCH", "/todos/1", {"GET", "PUT", "DELETE"}),
        ("DELETE", "/todos", {"GET", "POST"}),
        ("GET", "/todos/1/complete", {"POST"}),
        ("POST", "/today", {"GET"}),
        ("POST", "/openapi.json", {"GET"}),
        ("POST", "/docs", {"GET"}),
    ],
)
def test_a_method_that_an_address_does_not_take_is_refused_with_those_that_it_takes(
    family: Family, method: str, path: str, allowed: set[str]
) -> None:
    answer = send(family, method, path)
    refused(answer, 405, "VALIDATION_ERROR")
    assert {one for one in answer.headers["Allow"].split(", ") if one != "HEAD"} == allowed
