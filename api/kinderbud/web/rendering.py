"""Renders the pages. Templates escape all values. Messages for everyone are here."""

import hashlib
from datetime import date
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from fastapi import Request
from starlette.responses import HTMLResponse, RedirectResponse

from api.app_state import services_of
from api.dependencies import is_plain
from api.kinderbud.ages import age_display
from api.kinderbud.web.sessions import COOKIE, VISIT

if TYPE_CHECKING:
    from jinja2 import Environment

HERE = Path(__file__).parent
PREFIX = "/family"
SEE_OTHER, INVALID = 303, 422
SAID = {
    "saved": "Saved.",
    "welcome": "Welcome! Who are your children?",
    "joined": "Welcome to the family.",
    "added": "Added.",
    "put-away": "You put this away for good. Undo that first, then mark it as done.",
    "too-many": "You have too many todos of your own. Put some away first, then add this one again.",
    "too-many-invitations": "There are too many open invitations. Take some back first.",
    "removed": "Removed.",
    "handed-over": "You handed the household over. You are a member now.",
    "following": "Wonderful. Your day now has activities from this guide.",
    "stopped": "You stopped this guide. Your history stays.",
    "undone": "Taken back.",
    "revoked": "Revoked. It does not work any more.",
    "key": "Claude accepts your key. It answers from now on, and chooses your next day.",
    "no-key": "Your key is deleted.",
    "password": "Your new password is set. All other browsers are logged out, and all tokens have ended.",
    "known": "This browser is known now. Log in with your password.",
    "goodbye": "Everything is deleted. Goodbye, and all the best!",
    "mailed": "Please read your mail: we sent you a message with the next step. No message? Look in your spam folder.",
    "asked-by-mail": "If we know this address, we sent a mail with a link to it.",
    "asked": "If we know this address, the operator of this service now sees that you need a link.",
}
"""Messages on the next page, by the word in `?said=`."""


def page(request: Request, template: str, status: int = 200, **context: Any) -> HTMLResponse:
    """A page. `context` holds the template's values beyond those of all pages."""
    visit = VISIT.find(request)
    html = (
        _environment()
        .get_template(template)
        .render(
            caller=visit.caller if visit else None,
            form_token=visit.form_token if visit else "",
            here=request.url.path.removeprefix(PREFIX),
            has_mail=services_of(request).mailer.is_on,
            said=SAID.get(request.query_params.get("said", "")),
            **context,
        )
    )
    response = HTMLResponse(html, status)
    if visit is not None and visit.is_new:
        COOKIE.give(response, visit.secret, is_plain=is_plain(request))
    return response


def go(path: str, said: str | None = None, anchor: str | None = None) -> RedirectResponse:
    """Redirect to another page by GET, so that a reload sends nothing twice."""
    query = f"?said={said}" if said else ""
    return RedirectResponse(f"{PREFIX}{path}{query}{f'#{anchor}' if anchor else ''}", SEE_OTHER)


def address(request: Request, path: str) -> str:
    """The absolute address of a page, to share."""
    told = services_of(request).settings.public_url
    return f"{told or f'{request.url.scheme}://{request.url.netloc}'}{PREFIX}{path}"


def sentence(error: Exception) -> str:
    """An error of the rules as a sentence for a page."""
    text = str(error)
    return text[:1].upper() + text[1:] + ("" if text.endswith((".", "!", "?")) else ".")


@cache
def _environment() -> "Environment":
    from jinja2 import Environment, FileSystemLoader, StrictUndefined  # noqa: PLC0415 - the API starts without it

    environment = Environment(
        loader=FileSystemLoader(HERE / "templates"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.globals |= {"at": lambda path: PREFIX + path, "asset": _asset}
    environment.filters |= {"age": _age, "long_date": _long_date, "short_date": _short_date}
    return environment


@cache
def _asset(name: str) -> str:
    """The address of a static file, which changes with its content."""
    digest = hashlib.sha256((HERE / "static" / name).read_bytes()).hexdigest()[:10]
    return f"{PREFIX}/static/{name}?{digest}"


def _age(birthday: date, today: date) -> str:
    return age_display(birthday, today)


def _long_date(day: date) -> str:
    return f"{day:%A}, {day.day} {day:%B}"


def _short_date(day: date) -> str:
    return f"{day.day} {day:%B %Y}"
