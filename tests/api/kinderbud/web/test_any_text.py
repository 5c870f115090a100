"""Any text in every field of every form of the family's pages: no 5xx."""

import random
import re
from collections.abc import Iterator
from urllib.parse import urlencode

import httpx
import pytest

from tests.actors.browser import SEE_OTHER, Browser, Form, new_email, signed_up
from tests.actors.person import somewhere
from tests.support.serving import Service
from tests.support.strange_texts import FIXED, random_text

LIMITED, SERVER_ERROR = 429, 500
PUBLIC = ("/login", "/signup", "/forgot")
RANDOM = 3
"""Random texts for each field, beside the fixed ones."""
TYPED = {"email": new_email(), "title": "Sing", "name": "Sarah", "family": "The Johnsons", "birthday": "2024-11-15"}
"""What a person types into the other fields, where the page proposes nothing."""


def texts(chance: random.Random) -> Iterator[str]:
    yield from FIXED
    yield from ("", " ", "x" * 5000, "9" * 400, "-1", "2026-02-30", "<script>", "{{ 7 * 7 }}", "%s%n", "None")
    for _ in range(RANDOM):
        yield random_text(chance)


def shape(path: str) -> str:
    """A path without its numbers and secrets: one page of each kind is enough."""
    return re.sub(r"[A-Za-z0-9_-]{20,}|\d+", "*", path.partition("?")[0])


def crawled(browser: Browser) -> dict[str, Form]:
    """A form of each kind on the pages to which links lead."""
    forms: dict[str, Form] = {}
    seen, waiting = {"/today"}, ["/today"]
    while waiting:
        path = waiting.pop()
        answer = browser.client.get(browser.base + path, follow_redirects=True)
        if answer.status_code != httpx.codes.OK or "html" not in answer.headers["Content-Type"]:
            continue
        for form in browser.forms(path):
            if form.method.lower() == "post" and set(form.fields) - {"form_token"}:
                forms.setdefault(shape(form.action), form)
        for link in re.findall(r'href="/family(/[^"#]+)"', answer.text):
            if shape(link) not in map(shape, seen):
                seen.add(link)
                waiting.append(link)
    return forms


def sent(browser: Browser, form: Form, field: str, text: str) -> httpx.Response:
    """The answer to a form with the text in one field, as a browser would send these bytes."""
    fields = {name: value or TYPED.get(name, "x") for name, value in form.fields.items()} | {field: text}
    body = urlencode(fields, encoding="utf-8", errors="surrogatepass")
    headers = {"Content-Type": "application/x-www-form-urlencoded"} | somewhere()
    return browser.client.post(browser.base + form.action.removeprefix("/family"), content=body, headers=headers)


@pytest.mark.long
def test_no_form_of_a_family_answers_5xx(stored: Service) -> None:
    browser = signed_up(stored)
    found = crawled(browser)
    assert {"/family/todos", "/family/settings/household", "/family/people"} <= set(found)
    chance, refused = random.Random(1), 0
    for kind, form in found.items():
        for field in set(form.fields) - {"form_token"}:
            for text in texts(chance):
                answer = sent(browser, form, field, text)
                if answer.status_code == LIMITED:  # 60 a minute, for a family
                    browser = signed_up(stored)
                    form = crawled(browser).get(kind, form)  # noqa: PLW2901 - with the token of the new family
                    answer = sent(browser, form, field, text)
                assert answer.status_code < SERVER_ERROR, (kind, field, text, answer.text[:500])
                refused += answer.status_code not in {SEE_OTHER, httpx.codes.OK}
    assert refused > 100, "the forms were sent to nowhere"


@pytest.mark.long
@pytest.mark.parametrize("path", PUBLIC)
def test_no_form_of_a_stranger_answers_5xx(path: str, stored: Service) -> None:
    browser, chance = Browser(stored), random.Random(2)
    form = browser.form(path, path)
    for field in set(form.fields) - {"form_token"}:
        for text in texts(chance):
            answer = sent(browser, form, field, text)
            assert answer.status_code < SERVER_ERROR, (path, field, text, answer.text[:500])
