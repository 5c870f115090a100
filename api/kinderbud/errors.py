"""Every error of Kinderbud once: the reference's closed list of codes, in its envelope."""

from collections.abc import Awaitable, Callable, Mapping
from enum import StrEnum
from http import HTTPStatus
from typing import Any, Literal

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from pydantic import BaseModel
from starlette.exceptions import HTTPException
from starlette.responses import JSONResponse

from api.db.failures import RETRY_SECONDS
from api.http.problems import MOST_ERRORS, allowed_methods, install_database_errors, log_unforeseen, whole

OF_BODIES = {
    *(HTTPStatus.BAD_REQUEST, HTTPStatus.REQUEST_ENTITY_TOO_LARGE),
    *(HTTPStatus.UNSUPPORTED_MEDIA_TYPE, HTTPStatus.UNPROCESSABLE_ENTITY),
}
"""What the framework and the bound of bodies say of a body that cannot be read."""

MAYBE_STORED = (
    "The connection to the database broke while this was stored: it may have been stored, or not. Send it again with "
    "the same Idempotency-Key, or look first."
)


class Code(StrEnum):
    """The closed list."""

    UNAUTHORIZED = "UNAUTHORIZED"
    FORBIDDEN = "FORBIDDEN"
    NOT_FOUND = "NOT_FOUND"
    VALIDATION_ERROR = "VALIDATION_ERROR"
    RATE_LIMITED = "RATE_LIMITED"
    NO_API_KEY = "NO_API_KEY"
    ALREADY_SUBSCRIBED = "ALREADY_SUBSCRIBED"
    INTERNAL_ERROR = "INTERNAL_ERROR"


class Failure(BaseModel):
    """What did not go well: a sentence for people, and a code for programs."""

    ok: Literal[False] = False
    error: str
    code: Code


class Refused(HTTPException):
    """Raised anywhere below a route. An HTTPException, because FastAPI passes those on."""

    def __init__(self, status: int, code: Code, error: str, headers: Mapping[str, str] | None = None) -> None:
        super().__init__(status, error, dict(headers or {}))
        self.code = code


def not_found(what: str) -> Refused:
    """There is no such thing, or it belongs to somebody else: the same answer."""
    return Refused(404, Code.NOT_FOUND, f"There is no such {what}.")


def invalid(field: str, why: str) -> Refused:
    """A field is wrong; the sentence names it."""
    return Refused(400, Code.VALIDATION_ERROR, f"{field}: {why}")


def failures(*statuses: int) -> dict[int | str, dict[str, Any]]:
    """The responses of a route that are failures, beside those of every route."""
    return {status: {"model": Failure} for status in statuses}


def failure(status: int, code: Code, error: str, headers: Mapping[str, str] | None = None) -> JSONResponse:
    """The envelope of an error."""
    return JSONResponse(Failure(error=whole(error), code=code).model_dump(mode="json"), status, dict(headers or {}))


def install(app: FastAPI, recognise: Callable[[Request], Awaitable[object]]) -> None:
    """Answer every error of the sub-app, the framework's own included, in the envelope. A body is read before anybody
    asks whose it is; so where it is the body that is wrong, `recognise` raises Refused for strangers first."""

    async def _refusal(request: Request) -> JSONResponse | None:
        try:
            await recognise(request)
        except Refused as refused:
            return failure(refused.status_code, refused.code, str(refused.detail), refused.headers)
        return None

    @app.exception_handler(HTTPException)
    async def _http(request: Request, error: HTTPException) -> JSONResponse:
        headers = dict(error.headers or {})
        if isinstance(error, Refused):
            return failure(error.status_code, error.code, str(error.detail), headers)
        if error.status_code in OF_BODIES and (stranger := await _refusal(request)):
            return stranger
        if error.status_code == HTTPStatus.NOT_FOUND:
            return failure(404, Code.NOT_FOUND, "There is nothing at this address.")
        if error.status_code == HTTPStatus.METHOD_NOT_ALLOWED:
            headers["Allow"] = allowed_methods(request) or headers.get("allow", headers.get("Allow", ""))
            return failure(405, Code.VALIDATION_ERROR, f"This address does not take {request.method}.", headers)
        code = Code.VALIDATION_ERROR if error.status_code < HTTPStatus.INTERNAL_SERVER_ERROR else Code.INTERNAL_ERROR
        status = 400 if error.status_code == HTTPStatus.UNPROCESSABLE_ENTITY else error.status_code
        return failure(status, code, str(error.detail), headers)

    @app.exception_handler(RequestValidationError)
    async def _validation(request: Request, error: RequestValidationError) -> JSONResponse:
        if any(one["type"] == "json_invalid" for one in error.errors()) and (stranger := await _refusal(request)):
            return stranger
        return failure(400, Code.VALIDATION_ERROR, "; ".join(_sentence(one) for one in error.errors()[:MOST_ERRORS]))

    async def _away(_: Request, __: Exception, is_unknown: bool) -> JSONResponse:
        detail = MAYBE_STORED if is_unknown else "The database is away for a moment. Send it again."
        return failure(503, Code.INTERNAL_ERROR, detail, {"Retry-After": str(RETRY_SECONDS)})

    async def _gone(_: Request, __: Exception) -> JSONResponse:
        return failure(404, Code.NOT_FOUND, "There is no such thing any more.")

    install_database_errors(app, _away, _gone)

    @app.exception_handler(Exception)
    async def _unforeseen(request: Request, error: Exception) -> JSONResponse:
        detail = f"Something went wrong on our side; it was logged as {log_unforeseen(request, error)}."
        return failure(500, Code.INTERNAL_ERROR, detail)


def _sentence(error: Mapping[str, Any]) -> str:
    """What is wrong with a field, without what was sent."""
    if error["type"] == "json_invalid":
        return f"body: no valid JSON ({error['ctx']['error']})"
    place, *path = error["loc"]
    return f"{'.'.join(map(str, path)) or place}: {error['msg']}"
