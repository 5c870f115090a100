"""A browser without a screen: it keeps cookies, fills in the forms of a page, and sends their data."""

import json
import re
import secrets
from dataclasses import dataclass, field
from html.parser import HTMLParser

import httpx

from tests.actors.actor import Actor, named
from tests.actors.person import somewhere
from tests.support.lived import Lived
from tests.support.serving import Service, new_client

PASSWORD = "a calm day in spring"
OTHER = "a windy day in autumn"
"""Another password."""
SEE_OTHER = 303


@dataclass
class Form:
    """A form of a page: its address, method and fields."""

    action: str
    method: str
    fields: dict[str, str] = field(default_factory=dict)


class _Forms(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.forms: list[Form] = []
        self._select: str | None = None

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = {name: value or "" for name, value in attrs}
        if tag == "form":
            self.forms.append(Form(given.get("action", ""), given.get("method", "get")))
        if not self.forms:
            return
        if tag == "input" and given.get("name") and given.get("type") != "checkbox":
            self.forms[-1].fields.setdefault(given["name"], given.get("value", ""))
        if tag == "select":
            self._select = given.get("name")
        if tag == "option" and self._select is not None:
            first = self._select not in self.forms[-1].fields
            if first or "selected" in given:
                self.forms[-1].fields[self._select] = given.get("value", "")

    def handle_endtag(self, tag: str) -> None:
        if tag == "select":
            self._select = None


@dataclass
class Browser(Actor):
    """A browser with its own address. What it sends are the fields of a form, and the content of an answer is text."""

    headers: dict[str, str] = field(default_factory=dict)
    """Sent with every request."""

    def __post_init__(self) -> None:
        self.base = f"{self.service.url}/family"
        self.client = new_client(headers=somewhere() | self.headers, timeout=60)

    def ask(self, method: str, path: str, body: dict[str, str] | None = None, **headers: str) -> httpx.Response:
        """The answer of any status; `path` begins below /family. Redirects are not followed."""
        return self.client.request(method, self.base + path, data=body, headers=named(headers))

    def content(self, answer: httpx.Response) -> str:
        return answer.text

    def page(self, path: str) -> str:
        """A page that must exist, perhaps behind redirects."""
        answer = self.client.get(self.base + path, follow_redirects=True)
        assert answer.status_code == 200, (path, answer.status_code, answer.text[:500])
        return answer.text

    def forms(self, path: str) -> list[Form]:
        """The forms of a page."""
        parser = _Forms()
        parser.feed(self.page(path))
        return parser.forms

    def form(self, path: str, action: str) -> Form:
        """The first form of a page whose address matches the pattern `action`."""
        found = [one for one in self.forms(path) if re.fullmatch(f"/family{action}", one.action)]
        assert found, (path, action, [one.action for one in self.forms(path)])
        return found[0]

    def send(self, path: str, action: str, **typed: str) -> httpx.Response:
        """The answer to a page's form with these values, without following redirects."""
        form = self.form(path, action)
        return self.post(form.action.removeprefix("/family"), form.fields | typed)

    def go(self, path: str, action: str, **typed: str) -> str:
        """The path to which an accepted form redirects."""
        answer = self.send(path, action, **typed)
        assert answer.status_code == SEE_OTHER, (action, answer.status_code, answer.text[:2000])
        return answer.headers["location"].removeprefix("/family")

    def log_in(self, email: str, password: str = PASSWORD) -> httpx.Response:
        """The answer to the form of the login."""
        return self.send("/login", "/login", email=email, password=password)

    def new_api_token(self) -> str:
        """A token for an app, as the page shows it once."""
        shown = self.send("/access", "/access/tokens", name="An app").text
        return re.findall(r"kb_live_[0-9a-f]{32}", shown)[0]

    def invitation(self) -> str:
        """The path of a new invitation."""
        shown = self.send("/access", "/access/invitations").text
        return re.findall(r"/join/[A-Za-z0-9_-]{43}", shown)[0]

    def token(self) -> str:
        """The form token of this browser."""
        return self.form("/login" if self.get("/today").status_code == SEE_OTHER else "/settings", ".*").fields[
            "form_token"
        ]


def new_email() -> str:
    """An unused address."""
    return f"sarah-{secrets.token_hex(6)}@example.com"


def link(service: Service, *arguments: str) -> str:
    """The path of a link that `buddy household` makes."""
    made = json.loads(service.buddy("household", *arguments, "--json"))["link"]
    return str(made.partition("/family")[2])


def signed_up(
    service: Service | Lived, email: str | None = None, zone: str = "America/New_York", child: str | None = "Emma"
) -> Browser:
    """The browser of a new family's first user, with a child."""
    browser = Browser(service)
    typed = {"family": "The Johnsons", "name": "Sarah", "email": email or new_email(), "password": PASSWORD}
    assert browser.go("/signup", "/signup", **typed, time_zone=zone) == "/people?said=welcome"
    if child is not None:
        browser.go("/people", "/people", name=child, birthday="2024-11-15")
    return browser


def following(service: Service | Lived) -> Browser:
    """The browser of a family that follows a guide."""
    browser = signed_up(service)
    browser.go("/guides", r"/guides/\d+/follow")
    return browser
