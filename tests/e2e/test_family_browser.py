"""The family's pages in a real browser: all steps of a family, by touch, by keyboard, and without scripts."""

import json
import re

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.actors.browser import PASSWORD, new_email
from tests.support.browsing import DESK, PHONE, SMALL, barriers, is_too_wide, visit
from tests.support.kb import kb
from tests.support.serving import Service

pytestmark = pytest.mark.long

OPEN = ("/login", "/signup", "/forgot", "/nothing")
INSIDE = ("/today", "/people", "/guides", "/history", "/settings", "/access", "/leave")


def sign_up(page: Page, child: str = "Emma") -> str:
    """A new family with a child who follows a guide. Returns its address."""
    email = new_email()
    page.goto("/family/signup")
    page.get_by_label("What is your family's name?").fill("The Johnsons")
    page.get_by_label("Your first name").fill("Sarah")
    page.get_by_label("Your e-mail address").fill(email)
    page.get_by_label("A password").fill(PASSWORD)
    page.get_by_role("button", name="Sign up").click()
    expect(page.get_by_role("status")).to_contain_text("Welcome!")
    page.get_by_label("First name").fill(child)
    page.get_by_label("Birthday").fill("2024-11-15")
    page.get_by_role("button", name="Add").click()
    page.get_by_role("button", name=f"Follow: {child}, Early Development").click()
    expect(page.get_by_role("status")).to_contain_text("Wonderful")
    return email


def open_page(page: Page, name: str) -> None:
    page.get_by_role("navigation", name="Pages").get_by_role("link", name=name).click()


def test_from_signing_up_to_a_token_that_is_revoked(stored: Service, browser: Browser) -> None:
    with visit(browser, stored.url, timezone_id="America/New_York") as page:
        sign_up(page)
        open_page(page, "Today")
        expect(page.get_by_role("heading", name="For Emma")).to_be_visible()
        first = page.locator(".card.open").first
        title = first.get_by_role("heading").inner_text()
        first.get_by_role("button", name="Done").click()
        done = page.locator(".card.completed")
        expect(done).to_contain_text(title)
        expect(page.locator(".ring")).to_contain_text("1 of 8")
        done.get_by_role("button", name="Undo").click()
        expect(page.get_by_role("status")).to_contain_text("Taken back")
        expect(page.locator(".card.completed")).to_have_count(0)
        open_page(page, "Settings")
        expect(page.get_by_label("Time zone")).to_have_value("America/New_York")
        page.get_by_role("link", name="Logins, invitations and tokens").click()
        page.get_by_label("What is it for?").fill("Kitchen tablet")
        page.get_by_role("button", name="Make a token").click()
        token = page.locator("#new-token").inner_text()
        assert re.fullmatch(r"kb_live_[0-9a-f]{32}", token)
        told = kb("get", "/today", url=stored.url, token=token)
        assert (told.returncode, told.stderr) == (0, "")
        today = json.loads(told.stdout)["data"]
        assert title in {one["title"] for one in today["activities"]}
        assert {one["status"] for one in today["activities"]} == {"pending"}
        page.goto("/family/access")
        expect(page.get_by_text(token)).to_have_count(0)
        page.get_by_role("button", name="Revoke Kitchen tablet").click()
        expect(page.get_by_role("status")).to_contain_text("Revoked")
        refused = kb("get", "/today", url=stored.url, token=token)
        assert (refused.returncode, json.loads(refused.stderr)["code"]) == (1, "UNAUTHORIZED")


def test_every_page_is_accessible_in_every_light_and_width(running: Service, browser: Browser) -> None:
    with visit(browser, running.url) as page:
        email = sign_up(page)
        page.goto("/family/today")
        page.locator(".card.open").first.get_by_role("button", name="Done").click()
        todo = page.locator(".card h4 a").nth(1).get_attribute("href") or ""
        page.goto("/family/people")
        child = page.get_by_role("link", name="Change Emma").get_attribute("href") or ""
        page.goto("/family/access")
        page.get_by_role("button", name="Invite a second parent").click()
        join = page.locator("#new-link").inner_text().partition("/family")[2]
        member = page.get_by_role("link", name="Change Sarah").get_attribute("href") or ""
        state = page.context.storage_state()
    known = running.buddy("household", "browser-link", email).split()[0].partition("/family")[2]
    reset = running.buddy("household", "reset-link", email).split()[0].partition("/family")[2]
    of_ids = [address.removeprefix("/family") for address in (todo, child, f"{child}/remove", member)]
    found: dict[str, list[str]] = {}
    for width, scheme in ((PHONE, "light"), (PHONE, "dark"), (SMALL, "light"), (DESK, "dark")):
        for paths, kept in (((*OPEN, join, reset, known), None), ((*INSIDE, *of_ids, "/guides/1"), state)):
            with visit(browser, running.url, viewport=width, color_scheme=scheme, storage_state=kept) as page:
                for path in paths:
                    page.goto(f"/family{path}")
                    page.evaluate("document.querySelectorAll('details').forEach((one, n) => { one.open = n < 6 })")
                    where = f"{path} {width['width']} {scheme}"
                    assert not is_too_wide(page), where
                    if width is PHONE and (problems := barriers(page)):
                        found[where] = problems
    assert found == {}


def test_a_barrier_would_be_found(running: Service, browser: Browser) -> None:
    with visit(browser, running.url) as page:
        page.set_content("<p style='color: #999; background: #aaa'>grey</p><input><img src='data:,'>")
        assert {one.partition(" ")[0] for one in barriers(page)} >= {"color-contrast", "label", "image-alt"}


def test_a_keyboard_is_enough(running: Service, browser: Browser) -> None:
    with visit(browser, running.url, viewport=DESK) as page:
        sign_up(page)
        page.goto("/family/today")
        page.keyboard.press("Tab")
        expect(page.get_by_role("link", name="To the content")).to_be_focused()
        page.keyboard.press("Enter")
        expect(page.locator("#main")).to_be_focused()
        page.keyboard.press("Tab")  # the first activity's title
        page.keyboard.press("Tab")
        expect(page.locator(".card.open").first.get_by_role("button", name="Done")).to_be_focused()
        page.keyboard.press("Tab")
        page.keyboard.press("Enter")
        later = page.locator(".card.open details").first
        expect(later).to_have_attribute("open", "")
        page.keyboard.press("Tab")
        page.keyboard.type("She has a cold")
        page.keyboard.press("Escape")
        expect(later).not_to_have_attribute("open", "")
        expect(later.locator("summary")).to_be_focused()
        page.keyboard.press("Enter")
        page.keyboard.press("Tab")
        page.keyboard.press("Tab")
        page.keyboard.press("Enter")
        expect(page.locator(".card.snoozed")).to_have_count(1)


def test_scripts_are_not_needed(running: Service, browser: Browser) -> None:
    with visit(browser, running.url, java_script_enabled=False) as page:
        sign_up(page)
        open_page(page, "Today")
        page.locator(".card.open").first.get_by_role("button", name="Done").click()
        page.locator(".card.completed").get_by_role("button", name="Undo").click()
        card = page.locator(".card.open").first
        card.locator("summary").click()
        card.get_by_role("button", name="In three days").click()
        expect(page.locator(".card.snoozed")).to_contain_text("back on")
        open_page(page, "History")
        page.get_by_text("The same as a table").click()
        expect(page.get_by_role("table")).to_be_visible()


def test_a_script_in_a_childs_name_is_a_name(running: Service, browser: Browser) -> None:
    name = '<img src=x onerror="document.title=1"><script>document.title=2</script>'
    with visit(browser, running.url) as page:
        sign_up(page, name)
        for path in INSIDE:
            page.goto(f"/family{path}")
            assert page.title() not in {"1", "2"}
        page.goto("/family/today")
        expect(page.get_by_role("heading", name=f"For {name}")).to_be_visible()


def test_a_double_click_sends_once(running: Service, browser: Browser) -> None:
    with visit(browser, running.url) as page:
        sign_up(page)
        open_page(page, "Today")
        sent: list[str] = []
        page.on("request", lambda request: sent.append(request.url) if request.method == "POST" else None)
        page.locator(".card.open").first.get_by_role("button", name="Done").dblclick()
        expect(page.locator(".card.completed")).to_have_count(1)
        assert len(sent) == 1
