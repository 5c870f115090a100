"""ETags, 304 and gzip of what clients may keep."""

import gzip
import http.client
import re
import time
from urllib.parse import urlsplit

import pytest

from api.http.cacheable import MOST_KEPT, KeptBodies, caching_of, is_known, prefers_gzip
from tests.actors.family import Family
from tests.actors.person import Person
from tests.support.serving import CLIENT, Server, Service

PUBLIC = [
    *("/openapi.json", "/api/v1/openapi.json", "/docs", "/api/v1/docs", "/badges", "/templates"),
    *("/api/income-ranges", "/api/research/instruments", "/coach/model", "/coach/model/policy.onnx"),
    *("/docs/assets/swagger-ui-bundle.js", "/family/static/family.css", "/admin/static/index.min.js"),
]
BINARY = {"/coach/model/policy.onnx"}
ONLY_OF_A_200 = {"content-type", "content-length", "content-encoding", "accept-ranges", "last-modified"}
OF_THE_REQUEST = {"date", "x-request-id", "x-ratelimit-remaining", "x-ratelimit-reset"}
BIG = 10_000

type Answer = tuple[int, dict[str, str], bytes]


def ask(service: Service, path: str, headers: dict[str, str] | None = None, method: str = "GET") -> Answer:
    """Status, headers and body as they came, not unpacked. A header's value may have any byte."""
    connection = http.client.HTTPConnection(urlsplit(service.url).netloc, timeout=60)
    try:
        connection.putrequest(method, path, skip_accept_encoding=True)
        for name, value in (headers or {}).items():
            connection.putheader(name, value.encode("latin-1"))
        connection.endheaders()
        response = connection.getresponse()
        return response.status, {name.lower(): value for name, value in response.getheaders()}, response.read()
    finally:
        connection.close()


@pytest.mark.parametrize("path", PUBLIC)
def test_what_is_public_is_tagged_and_compressed(path: str, running: Server) -> None:
    status, headers, plain = ask(running, path)
    assert status == 200
    assert "content-encoding" not in headers
    assert re.fullmatch(r'"[^"]+"', headers["etag"])
    assert "Accept-Encoding" in headers["vary"]
    assert "public" in headers["cache-control"]

    status, zipped, body = ask(running, path, {"Accept-Encoding": "br, gzip, deflate"})
    assert int(zipped["content-length"]) == len(body)
    if path in BINARY or len(plain) < 500:
        assert (body, "content-encoding" in zipped) == (plain, False)
    else:
        assert zipped["content-encoding"] == "gzip"
        assert gzip.decompress(body) == plain
        assert len(body) < len(plain) / 1.8
        assert zipped["etag"] == f"W/{headers['etag']}"
    assert zipped["content-type"] == headers["content-type"]

    for encoding, told in (("identity", headers), ("gzip", zipped)):
        asked = {"Accept-Encoding": encoding, "If-None-Match": told["etag"]}
        status, again, nothing = ask(running, path, asked)
        assert (status, nothing) == (304, b"")
        kept = {name: value for name, value in told.items() if name not in ONLY_OF_A_200 | OF_THE_REQUEST}
        assert {name: value for name, value in again.items() if name not in OF_THE_REQUEST} == kept


@pytest.mark.parametrize("path", ["/badges", "/openapi.json", "/family/static/family.css"])
def test_head_says_what_get_would(path: str, running: Server) -> None:
    for headers in ({}, {"Accept-Encoding": "gzip"}, {"If-None-Match": "*"}, {"If-None-Match": '"other"'}):
        got, head = (ask(running, path, headers, method) for method in ("GET", "HEAD"))
        told = [{name: value for name, value in one[1].items() if name not in OF_THE_REQUEST} for one in (got, head)]
        assert (head[0], told[1], head[2]) == (got[0], told[0], b"")


def test_a_change_of_the_answer_changes_its_tag(running: Server) -> None:
    all_of_them, two = (ask(running, path)[1]["etag"] for path in ("/badges", "/badges?limit=2"))
    assert all_of_them != two
    assert ask(running, "/badges?limit=2", {"If-None-Match": all_of_them})[0] == 200


@pytest.mark.parametrize(
    ("sent", "status"),
    [
        *(("*", 304), (" * ", 304), ("TAG", 304), ("W/TAG", 304), ('"a", W/"b,c" , TAG', 304), ('W/"\xe9", TAG', 304)),
        *(('"other"', 200), ('"*"', 200), ('*, "other"', 200), ("", 200), (",,,", 200), ('"', 200), ("\xff\xfe", 200)),
        *(("BARE", 200), ('"BARE, x"', 200), (BIG * '"', 200), (2_000 * '"a",' + "TAG", 304)),
    ],
)
def test_if_none_match(sent: str, status: int, running: Server) -> None:
    etag = ask(running, "/badges")[1]["etag"]
    header = sent.replace("TAG", etag).replace("BARE", etag.strip('"'))
    answer = ask(running, "/badges", {"If-None-Match": header})
    assert (answer[0], bool(answer[2])) == (status, status == 200)


@pytest.mark.parametrize(
    ("sent", "is_zipped"),
    [
        ("gzip", True),
        ("GZIP", True),
        ("x-gzip", True),
        ("*", True),
        ("gzip;q=0.001", True),
        ("gzip ; q=0.5 , br", True),
        ("br;q=1.0, *;q=0.5", True),
        ("identity;q=0, gzip", True),
        ("*;q=0, gzip", True),
        ("gzip;q=0", False),
        ("gzip;q=0.000, *", False),
        ("*;q=0", False),
        ("identity;q=0", False),
        ("identity, gzip;q=0.5", False),
        ("gzip;q=2", False),
        ("gzip;q=-1", False),
        ("gzip;q=nan", False),
        ("gzip;q=", False),
        ("gzipped", False),
        ("", False),
        (",;=,", False),
        ("\xff\xc3\xa9, gzip", True),
        ("gzip;q=\xb2", False),
        (BIG * "a,", False),
    ],
)
def test_accept_encoding(sent: str, is_zipped: bool, running: Server) -> None:
    status, headers, body = ask(running, "/badges", {"Accept-Encoding": sent})
    assert status == 200
    assert (headers.get("content-encoding") == "gzip", body[:2] == b"\x1f\x8b") == (is_zipped, is_zipped)


def test_who_refuses_plain_gets_small_answers_compressed_too() -> None:
    assert prefers_gzip("gzip, identity;q=0", 2)
    assert not prefers_gzip("gzip", 2)


def test_headers_are_compared_in_linear_time() -> None:
    for header in (32_000 * '"', 16_000 * "W/", 16_000 * ",;"):
        started = time.process_time()
        is_known(header, '"x"')
        prefers_gzip(header, 1_000)
        assert time.process_time() - started < 0.5


def test_answers_for_one_user_are_private_and_not_compressed(stored: Service) -> None:
    person = Person(stored)
    headers = {"X-User-UUID": person.uuid, "Accept-Encoding": "gzip"}
    answer = CLIENT.get(f"{stored.url}/templates", headers=headers)
    assert "content-encoding" not in answer.headers
    assert answer.headers["cache-control"].startswith("private")
    assert {"X-User-UUID", "Accept-Language", "Accept-Encoding"} <= set(answer.headers["vary"].split(", "))
    again = CLIENT.get(f"{stored.url}/templates", headers=headers | {"If-None-Match": answer.headers["etag"]})
    assert again.status_code == 304


def test_guides_are_kept_by_one_client_and_only_their_contents_are_compressed(stored: Service) -> None:
    family = Family(stored)
    token = {"Authorization": f"Bearer {family.token}", "Accept-Encoding": "gzip"}
    for path, is_zipped in (("/guides", False), ("/guides/1", True)):
        answer = CLIENT.get(f"{stored.url}/api/v1{path}", headers=token)
        assert answer.json()["ok"]
        assert ("content-encoding" in answer.headers) == is_zipped
        assert answer.headers["cache-control"] == "private, no-cache"
        assert "Authorization" in answer.headers["vary"]
        known = {"If-None-Match": answer.headers["etag"]}
        again = CLIENT.get(f"{stored.url}/api/v1{path}", headers=token | known)
        assert (again.status_code, again.content) == (304, b"")
        assert "x-ratelimit-remaining" in again.headers
        without = CLIENT.get(f"{stored.url}/api/v1{path}", headers=known)
        assert without.status_code == 401
        assert "etag" not in without.headers


def test_answers_that_hold_secrets_are_never_compressed(stored: Service) -> None:
    person, family = Person(stored), Family(stored)
    token = {"Authorization": f"Bearer {family.token}"}
    paths = [f"/api/users/{person.uuid}/data", "/api/v1/today", "/api/v1/me", "/family/login", "/admin", "/nothing"]
    for path in paths:
        answer = CLIENT.get(stored.url + path, headers=token | {"Accept-Encoding": "gzip"})
        assert "content-encoding" not in answer.headers
        assert caching_of(path) is None


def test_a_part_of_a_file_is_sent_as_it_is(running: Server) -> None:
    path = "/docs/assets/swagger-ui.css"
    status, headers, body = ask(running, path, {"Range": "bytes=0-9", "Accept-Encoding": "gzip"})
    assert (status, len(body)) == (206, 10)
    assert "content-encoding" not in headers


def test_kept_bodies_are_bounded_and_shared() -> None:
    bodies = KeptBodies()
    first = bytes(MOST_KEPT // 2)
    assert bodies.keep("a", first) is first
    assert bodies.keep("a", bytes(MOST_KEPT // 2)) is first
    bodies.keep("b", bytes(MOST_KEPT // 2))
    assert bodies.get("a") is first  # and it was read last
    bodies.keep("c", bytes(10))
    assert bodies.get("b") is None
    assert bodies.get("a") is first


def test_both_documents_describe_304(running: Server) -> None:
    for prefix, paths in (
        ("", {"/badges", "/templates", "/coach/model"}),
        ("/api/v1", {"/guides", "/guides/{guide_id}"}),
    ):
        described = CLIENT.get(f"{running.url}{prefix}/openapi.json").json()["paths"]
        found = {
            path for path, operations in described.items() if "304" in operations.get("get", {}).get("responses", {})
        }
        assert paths <= found
