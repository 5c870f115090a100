"""Every way in which a page can fail, as a page: calm, and without what was sent."""

from http import HTTPStatus
from urllib.parse import quote

from fastapi import FastAPI, Request, Response
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.responses import RedirectResponse

from api.auth.fair_queue import QueueFull
from api.db.failures import RETRY_SECONDS
from api.http.problems import install_database_errors, log_unforeseen
from api.kinderbud.web.rendering import PREFIX, SEE_OTHER, page
from api.kinderbud.web.sessions import AdminNeeded, FormRefused, LoginNeeded, TooOften

TRIED_ELSEWHERE = (
    "This address was tried too often in browsers where it never logged in. Use a browser where you logged in before, "
    "or ask for a link: “Forgotten your password?” on the login page."
)
NOT_HERE = ("There is nothing here", "This page does not exist, or it belongs to somebody else.")


class NotHere(Exception):
    """There is no such thing, or it belongs to another family: the same page."""


def install(app: FastAPI) -> None:
    """Answer every error of the pages, the framework's own included, with a page."""

    def failed(request: Request, status: int, title: str, text: str, retry_after: int | None = None) -> Response:
        response = page(request, "error.html", status, title=title, text=text)
        if retry_after is not None:
            response.headers["Retry-After"] = str(retry_after)
        return response

    @app.exception_handler(LoginNeeded)
    async def _login(request: Request, _: LoginNeeded) -> Response:
        asked = request.url.path.removeprefix(PREFIX) if request.method == "GET" else ""
        return RedirectResponse(f"{PREFIX}/login" + (f"?next={quote(asked)}" if asked else ""), SEE_OTHER)

    @app.exception_handler(AdminNeeded)
    async def _admin(request: Request, _: AdminNeeded) -> Response:
        return failed(request, 403, "Only for admins", "An admin of your household can do this.")

    @app.exception_handler(FormRefused)
    async def _form(request: Request, _: FormRefused) -> Response:
        text = (
            "This form is too old, or your browser sent no cookie along. Go back, load the page again, and send it "
            "once more. Outside your home the address must begin with https."
        )
        return failed(request, 403, "Please send it again", text)

    @app.exception_handler(TooOften)
    async def _often(request: Request, error: TooOften) -> Response:
        minutes = max(1, round(error.seconds / 60))
        text = f"That was tried too often. Try again in {minutes} minute{'' if minutes == 1 else 's'}."
        if error.unknown_only:
            text = f"{TRIED_ELSEWHERE} Or try again in {minutes} minute{'' if minutes == 1 else 's'}."
        return failed(request, 429, "A little patience", text, error.seconds)

    @app.exception_handler(QueueFull)
    async def _full(request: Request, error: QueueFull) -> Response:
        text = "Many are logging in just now. Send it again in a moment."
        return failed(request, 503, "One moment, please", text, error.seconds)

    async def _not_here(request: Request, _: Exception) -> Response:
        return failed(request, 404, *NOT_HERE)

    app.add_exception_handler(NotHere, _not_here)

    @app.exception_handler(RequestValidationError)
    async def _validation(request: Request, error: RequestValidationError) -> Response:
        if any(one["loc"][0] == "path" for one in error.errors()):
            return failed(request, 404, *NOT_HERE)
        return failed(request, 400, "That did not fit", "Something in this form or address is not what it should be.")

    @app.exception_handler(HTTPException)
    async def _http(request: Request, error: HTTPException) -> Response:
        if error.status_code in {HTTPStatus.NOT_FOUND, HTTPStatus.METHOD_NOT_ALLOWED}:
            return failed(request, error.status_code, *NOT_HERE)
        return failed(request, error.status_code, "That did not work", str(error.detail))

    async def _away(request: Request, _: Exception, is_unknown: bool) -> Response:
        kept = (
            "may have been kept, or not: look before you send it again" if is_unknown else "was not kept; send it again"
        )
        text = f"The database is away for a moment. What you sent {kept}."
        return failed(request, 503, "One moment, please", text, RETRY_SECONDS)

    install_database_errors(app, _away, _not_here)

    @app.exception_handler(Exception)
    async def _unforeseen(request: Request, error: Exception) -> Response:
        text = f"It was logged as {log_unforeseen(request, error)}."
        return failed(request, 500, "Something went wrong on our side", text)
