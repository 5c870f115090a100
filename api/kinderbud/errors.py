"""All errors of Kinderbud: the reference's closed list of codes, in its envelope."""

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
from api.http.error_texts import pydantic_errors, sentences
from api.http.problems import allowed_methods, install_database_errors, log_unforeseen, whole

OF_BODIES = {
    *(HTTPStatus.BAD_REQUEST, HTTPStatus.REQUEST_ENTITY_TOO_LARGE),
    *(HTTPStatus.UNSUPPORTED_MEDIA_TYPE, HTTPStatus.UNPROCESSABLE_ENTITY),
}
"""Messages of the framework and of the size limit for a body that cannot be read."""

MAYBE_STORED = (
    "The connection to the database broke while this was stored: it may have been stored, or not. Send it again with "
    "the same Idempotency-Key, or look first."
)


class Code(StrEnum):
    """The closed list of error codes."""

    UNAUTHORIZED = "UNAUTHORIZED"
    FORBIDDEN = "FORBIDDEN"
    NOT_FOUND = "NOT_FOUND"
    VALIDATION_ERROR = "VALIDATION_ERROR"
    RATE_LIMITED = "RATE_LIMITED"
    NO_API_KEY = "NO_API_KEY"
    ALREADY_SUBSCRIBED = "ALREADY_SUBSCRIBED"
    INTERNAL_ERROR = "INTERNAL_ERROR"


class Failure(BaseModel):
    """An error: a sentence for people and a code for programs."""

    ok: Literal[False] = False
    error: str
    code: Code


class Refused(HTTPException):
    """A failure as an exception, raised anywhere below a route. An HTTPException, because FastAPI passes those on."""

    def __init__(self, status: int, code: Code, error: str, headers: Mapping[str, str] | None = None) -> None:
        super().__init__(status, error, dict(headers or {}))
        self.code = code


def not_found(what: str) -> Refused:
    """The error for a missing row, or for one of another household: the same answer."""
    return Refused(404, Code.NOT_FOUND, f"There is no such {what}.")


def invalid(field: str, why: str) -> Refused:
    """The error for an invalid field. The sentence names it."""
    return Refused(400, Code.VALIDATION_ERROR, f"{field}: {why}")


def failures(*statuses: int) -> dict[int | str, dict[str, Any]]:
    """The error responses of a route, in addition to those of every route."""
    return {status: {"model": Failure} for status in statuses}


def failure(status: int, code: Code, error: str, headers: Mapping[str, str] | None = None) -> JSONResponse:
    """The error envelope."""
    return JSONResponse(Failure(error=whole(error), code=code).model_dump(mode="json"), status, dict(headers or {}))


def install(app: FastAPI, recognise: Callable[[Request], Awaitable[object]]) -> None:
    """Answer every error of the sub-app in the envelope, the framework's own errors included. FastAPI reads a body
    before it checks the caller. So for an invalid body `recognise` first raises Refused for unknown callers.
    """

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
        malformed = next((one for one in error.errors() if one["type"] == "json_invalid"), None)
        if malformed is None:
            return failure(400, Code.VALIDATION_ERROR, sentences(pydantic_errors(error.errors(), error.body)))
        said = f"body: no valid JSON ({malformed['ctx']['error']})"
        return await _refusal(request) or failure(400, Code.VALIDATION_ERROR, said)

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
