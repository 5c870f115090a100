"""A family cannot act on another family's pages: not with its ids, not from another site, not with typed text."""

import re
from html import unescape

import pytest
from starlette.routing import Mount

from api.app import create_app
from tests.actors.browser import PASSWORD, SEE_OTHER, Browser, following, signed_up
from tests.actors.person import somewhere
from tests.support.serving import CLIENT, Service, request

SCRIPT = "<script>alert(1)</script>"
UNKNOWN = "2000000000"
OPEN = {"/login", "/signup", "/forgot", "/reset/{secret}", "/join/{secret}", "/browser/{secret}", "/confirm/{secret}"}
"""Pages that need no login."""


def routes() -> list[tuple[str, str]]:
    """All routes of the pages with their methods, read from the app, so that new routes are tested too."""
    service = create_app()
    mounted = next(one for one in service.routes if isinstance(one, Mount) and one.path == "/family")
    pages = mounted.app.app  # type: ignore[attr-defined]  # behind its headers
    return sorted((method.upper(), path) for path, one in pages.openapi()["paths"].items() for method in one)


ROUTES = routes()


OF_FAMILIES = [(method, path) for method, path in ROUTES if re.search(r"{(?!guide_id|secret)", path)]
"""Guides are shared; a test of its own follows one for another family's child. Links are secrets."""


def test_the_list_of_addresses_is_whole() -> None:
    assert len(ROUTES) > 35
    assert ("POST", "/todos/{todo_id}/undo") in ROUTES


@pytest.fixture(scope="module")
def families(stored: Service) -> tuple[Browser, dict[str, str]]:
    """A browser of one family, and the ids of another family by parameter name."""
    theirs = following(stored)
    theirs.go("/today", r"/todos/\d+/complete")
    theirs.send("/access", "/access/tokens", name="An app")
    theirs.send("/access", "/access/invitations")
    pages = {path: theirs.page(path) for path in ("/today", "/people", "/guides", "/access")}

    def first(path: str, pattern: str) -> str:
        return re.findall(pattern, pages[path])[0]

    ids = {
        "todo_id": first("/today", r"/family/todos/(\d+)/complete"),
        "participant_id": first("/people", r"/family/people/(\d+)"),
        "plan_id": first("/guides", r"/family/plans/(\d+)/stop"),
        "token_id": first("/access", r"/family/access/tokens/(\d+)/revoke"),
        "user_id": first("/access", r"/family/access/members/(\d+)"),
        "link_id": first("/access", r"/family/access/invitations/(\d+)/revoke"),
        "action_id": first("/today", r'name="action_id" value="(\d+)"'),
    }
    return following(stored), ids


@pytest.mark.long
@pytest.mark.parametrize(("method", "path"), OF_FAMILIES)
def test_what_is_another_familys_is_404_as_if_it_never_was(
    families: tuple[Browser, dict[str, str]], method: str, path: str
) -> None:
    mine, ids = families
    token = mine.token()
    said = []
    for known in (True, False):
        address = re.sub(r"{(\w+)}", lambda found, known=known: ids[found[1]] if known else UNKNOWN, path)  # type: ignore[misc]
        fields = {"form_token": token, "action_id": ids["action_id"], "name": "Mia", "birthday": "2024-01-01"}
        answer = mine.get(address) if method == "GET" else mine.post(address, fields)
        assert answer.status_code == 404, (method, address, answer.text[:300])
        said.append(answer.text)
    assert said[0] == said[1]


def test_ids_in_forms_are_looked_at_too(families: tuple[Browser, dict[str, str]]) -> None:
    mine, ids = families
    token = mine.token()
    guide = re.findall(r"/family/guides/(\d+)\"", mine.page("/guides"))[0]
    my_todo = re.findall(r"/family/todos/(\d+)/complete", mine.page("/today"))[0]
    for path, fields in (
        (f"/guides/{guide}/follow", {"participant_id": ids["participant_id"]}),
        ("/todos", {"title": "Mine", "participant_id": ids["participant_id"]}),
    ):
        assert mine.post(path, {"form_token": token} | fields).status_code == 404, path
    assert (
        mine.post(f"/todos/{my_todo}/undo", {"form_token": token, "action_id": ids["action_id"]}).status_code
        == SEE_OTHER
    )
    page = mine.page("/history")
    assert "Taken back" not in page


@pytest.mark.long
@pytest.mark.parametrize("path", sorted({path for method, path in ROUTES if method == "POST"}))
def test_a_form_from_elsewhere_is_refused(running: Service, path: str) -> None:
    mine = signed_up(running)
    address = re.sub(r"{\w+}", "1", path)
    good = {"form_token": mine.token()}
    other = Browser(running)
    foreign = {"form_token": other.form("/login", "/login").fields["form_token"]}
    for fields in ({}, {"form_token": ""}, foreign):
        refused = mine.post(address, fields)
        assert (refused.status_code, "Please send it again" in refused.text) == (403, True)
    for headers in (
        {"Sec-Fetch-Site": "cross-site"},
        {"Sec-Fetch-Site": "same-site"},
        {"Origin": "https://evil.example"},
        {"Origin": "http://["},
    ):
        refused = mine.client.post(mine.base + address, data=good, headers=headers)
        assert refused.status_code == 403, headers
    without_cookie = request("POST", mine.base + address, data=good, headers=somewhere())
    assert without_cookie.status_code == 403
    for media in ("application/json", "text/plain", "multipart/form-data; boundary=B; charset=punycode"):
        other_media = mine.client.post(mine.base + address, content=b"{}", headers={"Content-Type": media})
        assert other_media.status_code == 415


@pytest.mark.parametrize(("method", "path"), [one for one in ROUTES if one[1] not in OPEN and one[1] != "/logout"])
def test_without_a_login_there_is_only_the_login(running: Service, method: str, path: str) -> None:
    stranger = Browser(running)
    form = stranger.form("/login", "/login")
    address = re.sub(r"{\w+}", "1", path)
    answer = stranger.get(address) if method == "GET" else stranger.post(address, form.fields)
    assert answer.status_code == SEE_OTHER, (method, address)
    assert answer.headers["location"].startswith("/family/login")


def test_a_token_in_a_cookies_place_opens_nothing(running: Service) -> None:
    mine = signed_up(running)
    token = mine.new_api_token()
    for cookie in (token, token.removeprefix("kb_live_"), "", "x" * 3000, "%00", "'; DROP TABLE users; --"):
        answer = request("GET", f"{mine.base}/people", headers=somewhere(), cookies={"kinderbud": cookie})
        assert answer.status_code == SEE_OTHER, cookie
    bearer = request("GET", f"{mine.base}/people", headers=somewhere() | {"Authorization": f"Bearer {token}"})
    assert bearer.status_code == SEE_OTHER
    cookie = mine.client.cookies["kinderbud"]
    for headers in ({"Authorization": f"Bearer {cookie}"}, {"Cookie": f"kinderbud={cookie}"}):
        assert CLIENT.get(f"{running.url}/api/v1/me", headers=headers).status_code == 401


def test_a_script_is_text_wherever_someone_types_it(running: Service) -> None:
    mine = Browser(running)
    typed = {"family": SCRIPT, "name": SCRIPT, "email": f"s-{id(mine)}@example.com", "password": PASSWORD}
    mine.go("/signup", "/signup", **typed)
    mine.go("/people", "/people", name=SCRIPT, birthday="2024-11-15")
    mine.go("/guides", r"/guides/\d+/follow")
    mine.go("/today", "/todos", title=SCRIPT)
    mine.go("/today", r"/todos/\d+/snooze", reason=SCRIPT)
    mine.go("/today", r"/todos/\d+/complete", notes=SCRIPT)
    mine.send("/access", "/access/tokens", name=SCRIPT)
    child = re.findall(r"/family/people/(\d+)", mine.page("/people"))[0]
    for path in (
        "/today",
        "/people",
        f"/people/{child}",
        f"/people/{child}/remove",
        "/guides",
        "/history",
        "/settings",
        "/access",
        "/leave",
    ):
        page = mine.page(path)
        assert SCRIPT not in page, path
        assert SCRIPT in unescape(page) or path == "/guides", path
    wrong = mine.send("/settings", "/settings/household", name=SCRIPT * 9)
    assert (wrong.status_code, SCRIPT in wrong.text) == (422, False)


@pytest.mark.parametrize(
    "onward", ["//evil.example", "https://evil.example", "/\\evil.example", "javascript:alert(1)", "@evil.example"]
)
def test_a_login_leads_nowhere_else(running: Service, onward: str) -> None:
    email = f"sarah-{abs(hash(onward))}@example.com"
    signed_up(running, email)
    answer = Browser(running).send("/login", "/login", email=email, password=PASSWORD, onward=onward)
    assert answer.headers["location"] == "/family/today"


@pytest.mark.parametrize(
    "path",
    ["/todos/abc", "/todos/0", "/todos/-1", f"/todos/{10**30}", "/people/%00", "/guides/1e3", "/reset/%F0%9F%98%80"],
)
def test_addresses_that_someone_made_up_are_404(running: Service, path: str) -> None:
    assert signed_up(running).get(path).status_code == 404


@pytest.mark.parametrize("text", ["\0", "a\0b", "x" * 5000])
def test_text_that_no_database_holds_is_refused_calmly(running: Service, text: str) -> None:
    mine = signed_up(running)
    refused = mine.send("/people", "/people", name=text, birthday="2024-11-15")
    assert refused.status_code in {400, 422}
    large = mine.client.post(
        f"{mine.base}/people",
        content=b"name=" + b"x" * 300_000,
        headers={"Content-Type": "application/x-www-form-urlencoded"},
    )
    assert large.status_code == 413
