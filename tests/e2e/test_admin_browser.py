"""The admin in a real browser: login, changing a template, logout, and too many wrong passwords."""

import secrets
from collections.abc import Iterator

import httpx
import pytest
from playwright.sync_api import Browser, Page, expect

from tests.actors.admin import CHANGEABLE, PASSWORD, Admin, administered
from tests.actors.browser import signed_up
from tests.actors.person import EVENT, PROFILE, Person
from tests.support.browsing import DESK, PHONE, barriers, visit
from tests.support.serving import Service

pytestmark = pytest.mark.long


@pytest.fixture(scope="module", params=["sqlite", "postgresql"])
def served(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    """A service with rows in most tables."""
    with administered(request, tmp_path_factory.mktemp("admin")) as running:
        person = Person(running)
        person.put("/profile", PROFILE)
        person.consent()
        person.post("/events", EVENT)
        person.accept(1)
        signed_up(running)
        yield running


CHANGED = 3
"""A template of the list's first page."""


def log_in(page: Page, password: str = PASSWORD) -> None:
    page.goto("/admin")
    page.get_by_label("Name").fill("admin")
    page.get_by_label("Password").fill(password)
    with page.expect_response("**/sign-in"):
        page.get_by_role("button", name="Sign In").click()
    expect(page.get_by_role("tab", name="Coaches")).to_be_visible()


def test_a_template_is_changed_and_the_api_tells_it(served: Service, browser: Browser) -> None:
    title = f"Cook at home {secrets.token_hex(3)}"
    before = next(one["title"] for one in httpx.get(f"{served.url}/templates").json() if one["id"] == CHANGED)
    with visit(browser, served.url, viewport=DESK) as page:
        log_in(page)
        page.goto("/admin#/list/ChallengeTemplate")
        page.get_by_text(before, exact=True).click()
        page.get_by_role("textbox", name="Title").fill(title)
        page.get_by_role("button", name="Save", exact=False).first.click()
        expect(page.get_by_text("Succesfully changed").or_(page.get_by_text("Successfully changed"))).to_be_visible()
        assert title in {one["title"] for one in httpx.get(f"{served.url}/templates").json()}
        cookies = {one["name"]: one["value"] for one in page.context.cookies()}
        assert httpx.get(f"{served.url}/admin/api/me", cookies=cookies).status_code == 200
        page.get_by_role("img", name="setting").click()
        page.get_by_role("menuitem", name="Sign Out").press("Enter")  # a click may be lost while the menu unfolds
        expect(page.get_by_role("button", name="Sign In")).to_be_visible()
        assert httpx.get(f"{served.url}/admin/api/me", cookies=cookies).status_code == 401


@pytest.mark.parametrize("width", [DESK, PHONE], ids=["desk", "phone"])
def test_every_screen_is_accessible(served: Service, browser: Browser, width: dict[str, int]) -> None:
    admin = Admin(served)
    admin.sign_in()
    models = admin.read("/configuration")["models"]
    with visit(browser, served.url, viewport=width) as page:
        page.goto("/admin")
        expect(page.get_by_role("button", name="Sign In")).to_be_visible()
        found = {"": barriers(page)}
        log_in(page)
        page.reload()
        expect(page.get_by_role("tab", name="People and research")).to_be_visible()
        page.wait_for_load_state("networkidle")
        found["dashboard"] = barriers(page)
        for model in models:
            name, may_change = model["name"], "Change" in model["permissions"]
            page.goto(f"/admin#/list/{name}")
            expect(page.get_by_text(model["verbose_name_plural"], exact=True).last).to_be_visible()
            rows = admin.read(f"/list/{name}?limit=1")["results"]
            shown = page.locator(".ant-table-row, .ant-descriptions" if rows else ".ant-empty")
            expect(shown.first).to_be_visible()
            found[name] = barriers(page)
            for row in rows if may_change else ():
                key = row.get("id") or row["user_id"]
                page.goto(f"/admin#/change/{name}/{key}")
                expect(page.get_by_role("button", name="Save").first).to_be_visible()
                expect(page.get_by_role("textbox").first).to_be_visible()
                found[f"{name} {key}"] = barriers(page)
    assert {name: lines for name, lines in found.items() if lines} == {}
    assert len(found) == 2 + len(models) + len(CHANGEABLE)


def test_eleven_wrong_passwords_lock_the_door_for_a_while(served: Service, browser: Browser) -> None:
    elsewhere = {"X-Forwarded-For": f"203.0.113.{secrets.randbelow(250)}"}
    with visit(browser, served.url, viewport=DESK, extra_http_headers=elsewhere) as page:
        page.goto("/admin")
        page.get_by_label("Name").fill("admin")
        for number in range(11):
            page.get_by_label("Password").fill(f"not the password {number}")
            with page.expect_response("**/sign-in") as answered:
                page.get_by_role("button", name="Sign In").click()
            assert answered.value.status == (401 if number < 10 else 429)
        expect(page.get_by_text("Too many tries")).to_be_visible()
        page.get_by_label("Password").fill(PASSWORD)
        with page.expect_response("**/sign-in") as answered:
            page.get_by_role("button", name="Sign In").click()
        assert answered.value.status == 429
