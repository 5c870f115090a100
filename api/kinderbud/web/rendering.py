"""Renders the pages. Templates escape everything; what a page may say to everybody is here."""

import hashlib
from datetime import date
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from fastapi import Request
from starlette.responses import HTMLResponse, RedirectResponse

from api.kinderbud.ages import age_display
from api.kinderbud.web.sessions import COOKIE, Visit

if TYPE_CHECKING:
    from jinja2 import Environment

HERE = Path(__file__).parent
PREFIX = "/family"
SEE_OTHER, INVALID = 303, 422
SAID = {
    "saved": "Saved.",
    "welcome": "Welcome! Who are the children?",
    "joined": "Welcome to the family.",
    "added": "Added.",
    "put-away": "You had put this away for good. Take that back first, and mark it as done then.",
    "too-many": "You have very many todos of your own. Put some away first, and add this one again.",
    "too-many-invitations": "Very many invitations wait already. Take some back first.",
    "removed": "Removed.",
    "handed-over": "The household is handed over. You are a member now.",
    "following": "Wonderful. From now on, activities of this guide wait on your day.",
    "stopped": "This guide rests now. What was done stays in your history.",
    "undone": "Taken back.",
    "revoked": "Revoked. It does not work any more.",
    "key": "Claude accepts your key, answers at once, and chooses the next day that is not chosen yet.",
    "no-key": "Your key is deleted.",
    "password": "Your new password is set. You are logged out everywhere else, and every token has ended.",
    "known": "This browser is known now. Log in with your password.",
    "goodbye": "Everything is deleted. Goodbye, and all the best!",
    "mailed": "Look into your mail: a message of ours says how to go on. None came? Look among the unwanted ones.",
    "asked-by-mail": "If this address is known here, a mail with a link is on its way to it.",
    "asked": "If this address is known here, whoever runs this service now sees that you wait for a link.",
}
"""What one page tells the next one to say, by the word in `?said=`."""


def page(request: Request, template: str, status: int = 200, **context: Any) -> HTMLResponse:
    """A page. `context` is what its template needs beside what all of them know."""
    visit: Visit | None = getattr(request.state, "visit", None)
    html = (
        _environment()
        .get_template(template)
        .render(
            caller=visit.caller if visit else None,
            form_token=visit.form_token if visit else "",
            here=request.url.path.removeprefix(PREFIX),
            has_mail=request.app.state.mailer.is_on,
            said=SAID.get(request.query_params.get("said", "")),
            **context,
        )
    )
    response = HTMLResponse(html, status)
    if visit is not None and visit.is_new:
        COOKIE.give(request, response, visit.secret)
    return response


def go(path: str, said: str | None = None, anchor: str | None = None) -> RedirectResponse:
    """On to another page, by GET, so that a reload sends nothing twice."""
    query = f"?said={said}" if said else ""
    return RedirectResponse(f"{PREFIX}{path}{query}{f'#{anchor}' if anchor else ''}", SEE_OTHER)


def address(request: Request, path: str) -> str:
    """The whole address of a page, to be given to somebody else."""
    told: str | None = request.app.state.settings.public_url
    return f"{told or f'{request.url.scheme}://{request.url.netloc}'}{PREFIX}{path}"


def sentence(error: Exception) -> str:
    """What an error of the rules says, as a page says it."""
    text = str(error)
    return text[:1].upper() + text[1:] + ("" if text.endswith((".", "!", "?")) else ".")


@cache
def _environment() -> "Environment":
    from jinja2 import Environment, FileSystemLoader, StrictUndefined  # noqa: PLC0415 - phones need not wait for pages

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
