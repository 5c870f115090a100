"""How many SQL statements a page of the family needs. A count is the same on a busy machine, and on both databases."""

import re

import pytest

from tests.actors.browser import Browser, following
from tests.support.serving import Service
from tests.support.work import statements_sent

MOST = {
    "/forgot": 1,
    "/today": 10,
    "/todos/{todo}": 3,
    "/history?days=90": 6,
    "/people": 5,
    "/people/{child}": 2,
    "/people/{child}/remove": 3,
    "/guides": 4,
    "/guides/1": 5,
    "/settings": 1,
    "/access": 4,
    "/access/members/{user}": 2,
    "/leave": 2,
}
"""Statements of each page, the one that finds the session among them."""
COMPLETE = r"/todos/\d+/complete"


def larger(browser: Browser) -> None:
    """More of everything: children, plans, own todos, actions, tokens and invitations."""
    for name in ("Mia", "Noah", "Liam"):
        browser.go("/people", "/people", name=name, birthday="2025-01-02")
    for form in browser.forms("/guides"):
        if form.action.endswith("/follow"):
            browser.post(form.action.removeprefix("/family"), form.fields)
    for title in ("Read", "Sing", "Walk"):
        browser.go("/today", "/todos", title=title)
    for _ in range(3):
        browser.go("/today", COMPLETE)
    assert browser.send("/access", "/access/tokens", name="Tablet").status_code == 200
    assert browser.send("/access", "/access/invitations").status_code == 200


def counted(browser: Browser, page: str) -> tuple[int, list[str]]:
    """The status of a page and its statements, when the day is already chosen."""
    browser.get("/today")
    with statements_sent() as heard:
        return browser.get(page).status_code, list(heard)


def named(browser: Browser, page: str) -> str:
    """The page with the ids of this family."""
    if "{" not in page:
        return page
    where = {
        "todo": ("/today", r"todos/(\d+)"),
        "child": ("/people", r"people/(\d+)"),
        "user": ("/access", r"access/members/(\d+)"),
    }
    name = page[page.index("{") + 1 : page.index("}")]
    listed, pattern = where[name]
    found = re.search(f"/family/{pattern}", browser.page(listed))
    return page.replace(f"{{{name}}}", found[1] if found else "0")


@pytest.fixture(scope="module")
def families(stored: Service) -> tuple[Browser, Browser]:
    """A family that has just begun, and one with more of everything."""
    new, filled = following(stored), following(stored)
    larger(filled)
    return new, filled


@pytest.mark.parametrize("page", MOST)
def test_a_page_needs_few_statements_however_much_a_family_has(page: str, families: tuple[Browser, Browser]) -> None:
    found = []
    for browser in families:
        status, heard = counted(browser, named(browser, page))
        assert status == 200
        assert len(heard) <= MOST[page], "\n".join(heard)
        found.append(len(heard))
    assert found[0] == found[1], "the number of statements grows with what a family has"
