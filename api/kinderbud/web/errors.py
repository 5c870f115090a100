"""The error pages: calm, and without the values that were sent."""

from collections.abc import Awaitable, Callable
from http import HTTPStatus
from urllib.parse import quote

from fastapi import FastAPI, Request, Response
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.responses import RedirectResponse

from api.auth.fair_queue import QueueFull
from api.db.failures import RETRY_SECONDS
from api.http.problems import install_database_errors, log_unforeseen
from api.kinderbud.households.actions import InvitationUnknown
from api.kinderbud.web.rendering import PREFIX, SEE_OTHER, page
from api.kinderbud.web.sessions import AdminNeeded, FormRefused, LoginNeeded, TooOften

TRIED_ELSEWHERE = (
    "There were too many tries in new browsers. Use a browser where you logged in before, "
    "or ask for a link: “Forgotten your password?” on the login page."
)
NOT_HERE = ("There is nothing here", "This page does not exist, or it belongs to another family.")


class NotHere(Exception):
    """There is no such row, or it belongs to another family: the same page."""


def install(app: FastAPI) -> None:
    """Answer every error of the pages with a page, the framework's own errors included."""
    for kind, handler in HANDLERS.items():
        app.add_exception_handler(kind, handler)
    install_database_errors(app, _away, _not_here)


def _failed(request: Request, status: int, title: str, text: str, retry_after: int | None = None) -> Response:
    response = page(request, "error.html", status, title=title, text=text)
    if retry_after is not None:
        response.headers["Retry-After"] = str(retry_after)
    return response


async def _login(request: Request, _: Exception) -> Response:
    asked = request.url.path.removeprefix(PREFIX) if request.method == "GET" else ""
    return RedirectResponse(f"{PREFIX}/login" + (f"?next={quote(asked)}" if asked else ""), SEE_OTHER)


async def _admin(request: Request, _: Exception) -> Response:
    return _failed(request, 403, "Only for admins", "An admin of your household can do this.")


async def _form(request: Request, _: Exception) -> Response:
    text = (
        "This form is too old, or your browser sent no cookie. Go back, load the page again, and send it "
        "once more. Outside your home the address must begin with https."
    )
    return _failed(request, 403, "Please send it again", text)


async def _often(request: Request, error: Exception) -> Response:
    assert isinstance(error, TooOften)  # noqa: S101 - as registered
    minutes = max(1, round(error.seconds / 60))
    wait = f"{minutes} minute{'' if minutes == 1 else 's'}"
    text = f"There were too many tries. Try again in {wait}."
    if error.unknown_only:
        text = f"{TRIED_ELSEWHERE} Or try again in {wait}."
    return _failed(request, 429, "A little patience", text, error.seconds)


async def _full(request: Request, error: Exception) -> Response:
    assert isinstance(error, QueueFull)  # noqa: S101 - as registered
    text = "Many people log in at the moment. Please send it again soon."
    return _failed(request, 503, "One moment, please", text, error.seconds)


async def _not_here(request: Request, _: Exception) -> Response:
    return _failed(request, 404, *NOT_HERE)


async def _validation(request: Request, error: Exception) -> Response:
    assert isinstance(error, RequestValidationError)  # noqa: S101 - as registered
    if any(one["loc"][0] == "path" for one in error.errors()):
        return _failed(request, 404, *NOT_HERE)
    return _failed(request, 400, "Please check the form", "A value in this form or address is not valid.")


async def _http(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)  # noqa: S101 - as registered
    if error.status_code in {HTTPStatus.NOT_FOUND, HTTPStatus.METHOD_NOT_ALLOWED}:
        return _failed(request, error.status_code, *NOT_HERE)
    return _failed(request, error.status_code, "That did not work", str(error.detail))


async def _away(request: Request, _: Exception, is_unknown: bool) -> Response:
    kept = (
        "may or may not be saved. Look before you send it again"
        if is_unknown
        else "was not saved. Please send it again"
    )
    text = f"The database does not answer at the moment. Your entry {kept}."
    return _failed(request, 503, "One moment, please", text, RETRY_SECONDS)


async def _unforeseen(request: Request, error: Exception) -> Response:
    text = f"The error has the number {log_unforeseen(request, error)}."
    return _failed(request, 500, "Something went wrong on our side", text)


HANDLERS: dict[type[Exception], Callable[[Request, Exception], Awaitable[Response]]] = {
    LoginNeeded: _login,
    AdminNeeded: _admin,
    FormRefused: _form,
    TooOften: _often,
    QueueFull: _full,
    NotHere: _not_here,
    InvitationUnknown: _not_here,
    RequestValidationError: _validation,
    HTTPException: _http,
    Exception: _unforeseen,
}
