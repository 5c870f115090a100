"""HEAD works wherever GET does: the same status and headers, and no body."""

import re

import httpx
import pytest

from tests.actors.browser import Browser
from tests.actors.family import Family
from tests.support.serving import CLIENT, EXPORT_TOKEN, Server, Service

CHANGES = {"date", "x-request-id", "x-ratelimit-remaining", "set-cookie", "transfer-encoding"}
"""Headers that differ between two answers to GET, and the one that says how a body is sent."""
OTHERS = [
    "/docs",
    "/openapi.json",
    "/docs/assets/swagger-ui.css",
    "/nothing",
    "/admin",
    "/admin/own/own.css",
    "/admin/api/x",
]


def told(answer: httpx.Response) -> dict[str, str]:
    return {name: value for name, value in answer.headers.items() if name not in CHANGES}


def both(url: str, headers: dict[str, str], client: httpx.Client = CLIENT) -> int:
    """The status of GET, which HEAD must have, too, with the same headers."""
    got, head = (client.request(method, url, headers=headers, timeout=60) for method in ("GET", "HEAD"))
    assert (head.status_code, head.content) == (got.status_code, b""), url
    if "/export" in url:  # HEAD makes none
        assert head.headers["content-type"] == got.headers["content-type"]
        assert "x-release" not in head.headers
    elif "/metrics" in url or got.status_code >= 400:  # a figure more, another id: the length may change
        assert set(told(head)) == set(told(got))
    else:
        assert told(head) == told(got), url
    return got.status_code


@pytest.mark.long
@pytest.mark.parametrize("prefix", ["", "/api/v1"])
def test_every_documented_get_has_a_head(prefix: str, stored: Service) -> None:
    family = Family(stored)
    headers = {"Authorization": f"Bearer {family.token}", "X-Research-Export-Token": EXPORT_TOKEN}
    paths = CLIENT.get(f"{stored.url}{prefix}/openapi.json").json()["paths"]
    found = [path for path, methods in paths.items() if "get" in methods]
    assert len(found) > 5
    good = [both(f"{stored.url}{prefix}{re.sub(r'{[^}]*}', '1', path)}", headers) for path in found]
    assert 200 in good


@pytest.mark.parametrize("path", OTHERS)
def test_what_no_document_names_has_a_head(path: str, stored: Service) -> None:
    both(stored.url + path, {})


def test_pages_have_a_head(stored: Service) -> None:
    browser = Browser(stored)
    for path in ("/login", "/signup", "/today", "/nothing", "/static/own.css"):
        both(browser.base + path, {}, browser.client)


def test_head_of_what_has_no_get_is_405_and_says_what_there_is(stored: Service) -> None:
    answer = CLIENT.head(f"{stored.url}/coach/suggestions")
    assert (answer.status_code, answer.headers["Allow"]) == (405, "POST")
    answer = CLIENT.post(f"{stored.url}/templates")
    assert (answer.status_code, answer.headers["Allow"]) == (405, "GET, HEAD")


def test_a_connection_goes_on_after_head(running: Server) -> None:
    with httpx.Client(base_url=running.url) as client:
        for _ in range(3):
            assert client.head("/templates").status_code == 200
            assert client.get("/health/live").json() == {"status": "live"}
