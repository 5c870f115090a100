"""The error pages: calm, and without the values that were sent."""

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
    "There were too many tries in new browsers. Use a browser where you logged in before, "
    "or ask for a link: “Forgotten your password?” on the login page."
)
NOT_HERE = ("There is nothing here", "This page does not exist, or it belongs to another family.")


class NotHere(Exception):
    """There is no such row, or it belongs to another family: the same page."""


def install(app: FastAPI) -> None:
    """Answer every error of the pages with a page, the framework's own errors included."""

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
            "This form is too old, or your browser sent no cookie. Go back, load the page again, and send it "
            "once more. Outside your home the address must begin with https."
        )
        return failed(request, 403, "Please send it again", text)

    @app.exception_handler(TooOften)
    async def _often(request: Request, error: TooOften) -> Response:
        minutes = max(1, round(error.seconds / 60))
        text = f"There were too many tries. Try again in {minutes} minute{'' if minutes == 1 else 's'}."
        if error.unknown_only:
            text = f"{TRIED_ELSEWHERE} Or try again in {minutes} minute{'' if minutes == 1 else 's'}."
        return failed(request, 429, "A little patience", text, error.seconds)

    @app.exception_handler(QueueFull)
    async def _full(request: Request, error: QueueFull) -> Response:
        text = "Many people log in at the moment. Please send it again soon."
        return failed(request, 503, "One moment, please", text, error.seconds)

    async def _not_here(request: Request, _: Exception) -> Response:
        return failed(request, 404, *NOT_HERE)

    app.add_exception_handler(NotHere, _not_here)

    @app.exception_handler(RequestValidationError)
    async def _validation(request: Request, error: RequestValidationError) -> Response:
        if any(one["loc"][0] == "path" for one in error.errors()):
            return failed(request, 404, *NOT_HERE)
        return failed(request, 400, "Please check the form", "A value in this form or address is not valid.")

    @app.exception_handler(HTTPException)
    async def _http(request: Request, error: HTTPException) -> Response:
        if error.status_code in {HTTPStatus.NOT_FOUND, HTTPStatus.METHOD_NOT_ALLOWED}:
            return failed(request, error.status_code, *NOT_HERE)
        return failed(request, error.status_code, "That did not work", str(error.detail))

    async def _away(request: Request, _: Exception, is_unknown: bool) -> Response:
        kept = (
            "may or may not be saved. Look before you send it again"
            if is_unknown
            else "was not saved. Please send it again"
        )
        text = f"The database does not answer at the moment. Your entry {kept}."
        return failed(request, 503, "One moment, please", text, RETRY_SECONDS)

    install_database_errors(app, _away, _not_here)

    @app.exception_handler(Exception)
    async def _unforeseen(request: Request, error: Exception) -> Response:
        text = f"The error has the number {log_unforeseen(request, error)}."
        return failed(request, 500, "Something went wrong on our side", text)
