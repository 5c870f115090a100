"""The list of all errors: code, status, title. Answers send them as problem details (RFC 9457)."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any

import msgspec
import structlog
from fastapi import FastAPI, Request, Response
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException

from api.db.failures import GONE, MAY_BE_AWAY, RETRY_SECONDS, OutcomeUnknown, is_away, is_gone
from api.http.error_texts import pydantic_errors, sentences

MEDIA_TYPE = "application/problem+json"
NOT_STORED = "The database is away or too slow. What was sent was not stored; send it again."
MAYBE_STORED = (
    "The connection to the database broke while this request was stored: it may have been stored, or not. Send it "
    "again with the same Idempotency-Key, which stores it once, or look first."
)
LOGGED = "logged"
"""Note that marks an error as logged: the service sees an error of a mounted app a second time."""
log = structlog.get_logger("api.http.problems")


@dataclass(frozen=True)
class ErrorKind:
    """A kind of error. Clients may rely on its code, whose meaning never changes."""

    code: str
    status: int
    title: str


MALFORMED_BODY = ErrorKind("malformed_body", 422, "The body is not a valid JSON document")
INVALID_INPUT = ErrorKind("invalid_input", 422, "Some fields are missing, unknown or out of range")
BODY_TOO_LARGE = ErrorKind("body_too_large", 413, "The body is too large")
ENCODING_UNSUPPORTED = ErrorKind("content_encoding_unsupported", 415, "This Content-Encoding is not supported")
MALFORMED_REQUEST = ErrorKind("malformed_request", 400, "The request is not valid HTTP")
REQUEST_TIMEOUT = ErrorKind("request_timeout", 408, "The request arrived too slowly")
TARGET_TOO_LONG = ErrorKind("address_too_long", 414, "The address is too long")
HEAD_TOO_LARGE = ErrorKind("headers_too_large", 431, "The headers are too many or too large")
TOO_BUSY = ErrorKind("too_busy", 503, "The service is too busy at the moment")
NO_POLICY = ErrorKind("no_policy", 404, "No policy is being served")
METRICS_FORBIDDEN = ErrorKind("metrics_forbidden", 403, "Only this machine or the holder of the token reads metrics")
USER_UNKNOWN = ErrorKind("user_unknown", 404, "There is no such user")
RESERVED_NAME = ErrorKind("reserved_name", 409, "This id is reserved")
INCOME_RANGE_UNKNOWN = ErrorKind("income_range_unknown", 422, "There is no such income range")
PROFILE_MISSING = ErrorKind("profile_missing", 404, "There is no profile yet")
SUMMARY_MISSING = ErrorKind("summary_missing", 404, "There is no such summary")
TEMPLATE_UNKNOWN = ErrorKind("challenge_template_unknown", 404, "There is no such challenge template")
CHALLENGE_UNKNOWN = ErrorKind("challenge_unknown", 404, "This user has no such challenge")
CHALLENGE_ALREADY_ACCEPTED = ErrorKind("challenge_already_accepted", 409, "Accepted for this month already")
CHALLENGE_ALREADY_CLAIMED = ErrorKind("challenge_already_claimed", 409, "Claimed already")
CHALLENGE_EXPIRED = ErrorKind("challenge_expired", 409, "The month of this challenge is over")
CHALLENGE_NOT_BEGUN = ErrorKind("challenge_not_begun", 409, "The month of this challenge has not begun")
CHALLENGE_NOT_COMPLETED = ErrorKind("challenge_not_completed", 409, "This challenge is not completed")
SUGGESTION_UNKNOWN = ErrorKind("suggestion_unknown", 422, "The coach gave this user no such suggestion")
TOO_MANY_REQUESTS = ErrorKind("too_many_requests", 429, "Too many requests")
KEY_IN_USE = ErrorKind("idempotency_key_in_use", 409, "The first request with this key is still at work")
KEY_REUSED = ErrorKind("idempotency_key_reused", 422, "This key was used for another request")
GUESSABLE_ID = ErrorKind("guessable_id", 403, "This needs an id that cannot be guessed: a UUID")
UUID_NEEDED = ErrorKind("uuid_needed", 422, "This service creates users with a UUID only")
DATABASE_UNAVAILABLE = ErrorKind("database_unavailable", 503, "The database is unavailable at the moment")
NOT_READY = ErrorKind("not_ready", 503, "Requests cannot be answered now")
NO_CONSENT = ErrorKind("no_consent", 403, "There is no consent to research in force")
EXPORT_FORBIDDEN = ErrorKind("export_forbidden", 403, "Only the holder of the research token exports")
EXPORT_NOT_CONFIGURED = ErrorKind("export_not_configured", 503, "Exporting is not configured")
FORMAT_NOT_INSTALLED = ErrorKind("format_not_installed", 501, "The writers of this format are not installed")
EXPORT_FAILED = ErrorKind("export_failed", 503, "The export could not be made")
CELLS_TOO_SMALL = ErrorKind("cells_too_small", 409, "Some groups of participants are too small to be shown")
RELEASE_UNKNOWN = ErrorKind("release_unknown", 422, "There is no such release")
NOT_FOUND = ErrorKind("not_found", 404, "There is nothing here")
METHOD_NOT_ALLOWED = ErrorKind("method_not_allowed", 405, "This address does not take that method")
INTERNAL_ERROR = ErrorKind("internal_error", 500, "Something went wrong on our side")

BY_STATUS = {kind.status: kind for kind in (NOT_FOUND, METHOD_NOT_ALLOWED, BODY_TOO_LARGE, INVALID_INPUT)}


class FieldError(msgspec.Struct):
    """One bad field: its path, and what is wrong with it."""

    field: str
    message: str


class Problem(msgspec.Struct, omit_defaults=True):
    """Problem details (RFC 9457). `code` is stable; `errors` has one entry for each bad field."""

    type: str
    title: str
    status: int
    detail: str
    instance: str
    code: str
    errors: list[FieldError] = []


class ProblemOccurred(HTTPException):
    """An error that is answered as problem details; any code below a route may raise it. It is an HTTPException,
    because FastAPI re-raises those where it swallows others."""

    def __init__(
        self, kind: ErrorKind, detail: str, errors: Sequence[FieldError] = (), headers: Mapping[str, str] | None = None
    ) -> None:
        super().__init__(kind.status, detail, dict(headers or {}))
        self.kind = kind
        self.errors = list(errors)


def install(app: FastAPI) -> None:
    """Answer every error of the app as problem details, including the framework's own."""

    @app.exception_handler(ProblemOccurred)
    async def _problem(request: Request, occurred: ProblemOccurred) -> Response:
        return problem_response(request, occurred)

    @app.exception_handler(HTTPException)
    async def _http(request: Request, error: HTTPException) -> Response:
        kind = BY_STATUS.get(error.status_code)
        if error.status_code == HTTPStatus.METHOD_NOT_ALLOWED:
            error.headers = {"Allow": allowed_methods(request)}
        if (
            error.status_code == HTTPStatus.BAD_REQUEST
        ):  # FastAPI's detail for a body that is not UTF-8 or nested too deep
            kind = MALFORMED_BODY
        if kind is None:
            status = HTTPStatus(error.status_code)
            kind = ErrorKind(status.phrase.lower().replace(" ", "_"), status.value, status.phrase)
        return _response(request, kind, str(error.detail), headers=error.headers)

    @app.exception_handler(RequestValidationError)
    async def _validation(request: Request, error: RequestValidationError) -> Response:
        if any(e["type"] == "json_invalid" for e in error.errors()):
            detail = str(error.errors()[0]["ctx"]["error"])
            return _response(request, MALFORMED_BODY, detail)
        told = pydantic_errors(error.errors(), error.body)
        return _response(request, INVALID_INPUT, sentences(told), [FieldError(*one) for one in told])

    async def _away(request: Request, _: Exception, is_unknown: bool) -> Response:
        detail = MAYBE_STORED if is_unknown else NOT_STORED
        return _response(request, DATABASE_UNAVAILABLE, detail, headers={"Retry-After": str(RETRY_SECONDS)})

    async def _gone(request: Request, _: Exception) -> Response:
        return _response(request, NOT_FOUND, "Another request deleted it meanwhile.")

    install_database_errors(app, _away, _gone)

    @app.exception_handler(Exception)
    async def _unforeseen(request: Request, error: Exception) -> Response:
        headers = {"X-Request-ID": log_unforeseen(request, error)}  # this answer is outside the middleware that adds it
        return _response(request, INTERNAL_ERROR, "The error was logged; its id is in `instance`.", headers=headers)


def whole(text: str) -> str:
    """`text` without lone surrogates, which no encoding can write: JSON may name a field `\\ud83d`."""
    return text.encode(errors="replace").decode()


type Away = Callable[[Request, Exception, bool], Awaitable[Response]]
"""Answers 503 with `Retry-After`; the flag says whether the request may still have been stored."""
type Handler = Callable[[Request, Exception], Awaitable[Response]]


def install_database_errors(app: FastAPI, away: Away, gone: Handler, other: Handler | None = None) -> None:
    """Answer database failures the same way in every app: `away` (503) if the database is the cause, `gone` if another
    request deleted a row, else `other` or an unexpected error."""

    async def failed(request: Request, error: Exception) -> Response:
        if is_away(error):
            is_unknown = isinstance(error, OutcomeUnknown)
            why = type(error.__cause__ if is_unknown else error).__name__
            log.warning(
                "database unavailable", request_id=request.scope["request_id"], why=why, maybe_stored=is_unknown
            )
            return await away(request, error, is_unknown)
        if is_gone(error):
            return await gone(request, error)
        if other is not None:
            return await other(request, error)
        raise error

    for kind in (*MAY_BE_AWAY, *GONE):
        app.add_exception_handler(kind, failed)


def log_unforeseen(request: Request, error: Exception) -> str:
    """Log an unexpected error once, in the first app that sees it. Returns the request's id."""
    request_id: str = request.scope["request_id"]
    if LOGGED not in getattr(error, "__notes__", ()):
        log.error("unforeseen error", request_id=request_id, exc_info=error)
        error.add_note(LOGGED)
    return request_id


def allowed_methods(request: Request) -> str:
    """All methods of the path, joined; routing itself knows only those of the first route with that path."""
    path = getattr(request.scope.get("route"), "path", "")
    methods = {method.upper() for method in request.app.openapi()["paths"].get(path, {})}
    return ", ".join(sorted(methods | {"HEAD"} if "GET" in methods else methods))


def problem_response(request: Request, occurred: ProblemOccurred) -> Response:
    """The answer to an error that code below a route raised."""
    return _response(request, occurred.kind, occurred.detail, occurred.errors, occurred.headers)


def _response(
    request: Request,
    kind: ErrorKind,
    detail: str,
    errors: Sequence[FieldError] = (),
    headers: Mapping[str, Any] | None = None,
) -> Response:
    problem = Problem(
        type=f"urn:buddy-coach:problem:{kind.code}",
        title=kind.title,
        status=kind.status,
        detail=whole(detail),
        instance=f"urn:request:{request.scope['request_id']}",
        code=kind.code,
        errors=[FieldError(whole(error.field), error.message) for error in errors],
    )
    return Response(msgspec.json.encode(problem), kind.status, dict(headers or {}), MEDIA_TYPE)
