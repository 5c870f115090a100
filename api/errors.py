"""Every error once: code, status, title. On the wire they are problem details (RFC 9457)."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any

import asyncpg
import msgspec
import structlog
from fastapi import FastAPI, Request, Response
from fastapi.exceptions import RequestValidationError
from sqlalchemy.exc import DBAPIError, IntegrityError, InterfaceError, NoResultFound, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeout
from sqlalchemy.orm.exc import ObjectDeletedError, StaleDataError
from starlette.exceptions import HTTPException

MEDIA_TYPE = "application/problem+json"
RETRY_SECONDS = 2
"""When a client may try again after the database was away."""
DATABASE_AWAY = (
    *(OperationalError, InterfaceError, PoolTimeout, OSError, TimeoutError),
    # What asyncpg raises itself comes only from a connection that broke while it was made; the rest is translated.
    *(asyncpg.PostgresError, asyncpg.InterfaceError, asyncpg.InternalClientError),
)
GONE = (NoResultFound, StaleDataError, ObjectDeletedError)
"""Somebody deleted it while this request was at work."""
FOREIGN_KEY_STATE = "23503"
RETRYABLE_STATES = ("08", "40001", "40P01", "57P", "53300")
"""PostgreSQL: connection lost, serialisation failure, deadlock, shutting down or starting up, too many connections."""
MOST_ERRORS = 50
"""Bad fields that one answer names; a body may hold tens of thousands."""
LOGGED = "logged"
"""Notes on an error that it is in the log: an error of a mounted app comes by again in the service."""
log = structlog.get_logger("api.errors")


@dataclass(frozen=True)
class ErrorKind:
    """An error that clients may rely on: its code never changes its meaning."""

    code: str
    status: int
    title: str


MALFORMED_BODY = ErrorKind("malformed_body", 422, "The body is no valid JSON document")
INVALID_INPUT = ErrorKind("invalid_input", 422, "Some fields are missing, unknown or out of range")
BODY_TOO_LARGE = ErrorKind("body_too_large", 413, "The body is too large")
ENCODING_UNSUPPORTED = ErrorKind("content_encoding_unsupported", 415, "This Content-Encoding is not known here")
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
DATABASE_UNAVAILABLE = ErrorKind("database_unavailable", 503, "The database is away for a moment")
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
    """One bad field: where it is, and what is wrong with it."""

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
    """Raised anywhere below a route, answered as problem details. An HTTPException, because FastAPI passes those on
    where it would swallow others."""

    def __init__(
        self, kind: ErrorKind, detail: str, errors: Sequence[FieldError] = (), headers: Mapping[str, str] | None = None
    ) -> None:
        super().__init__(kind.status, detail, dict(headers or {}))
        self.kind = kind
        self.errors = list(errors)


def install(app: FastAPI) -> None:
    """Answer every error of the app, the framework's own included, as problem details."""

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
        ):  # FastAPI's word for a body that is no UTF-8, or nested too deep
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
        told = error.errors()[:MOST_ERRORS]
        errors = [FieldError(".".join(str(part) for part in e["loc"][1:]), e["msg"]) for e in told]
        return _response(request, INVALID_INPUT, "; ".join(f"{e.field}: {e.message}" for e in errors), errors)

    async def _database(request: Request, error: Exception) -> Response:
        log.warning("database unavailable", request_id=request.scope["request_id"], why=type(error).__name__)
        headers = {"Retry-After": str(RETRY_SECONDS)}
        return _response(
            request, DATABASE_UNAVAILABLE, "What was sent may not have been written. Send it again.", headers=headers
        )

    for away in DATABASE_AWAY:
        app.add_exception_handler(away, _database)

    @app.exception_handler(DBAPIError)
    async def _driver(request: Request, error: DBAPIError) -> Response:
        if error.connection_invalidated or str(getattr(error.orig, "sqlstate", "")).startswith(RETRYABLE_STATES):
            return await _database(request, error)
        raise error

    @app.exception_handler(Exception)
    async def _unforeseen(request: Request, error: Exception) -> Response:
        headers = {"X-Request-ID": log_unforeseen(request, error)}  # this one is answered outside of api.telemetry
        return _response(request, INTERNAL_ERROR, "The error was logged; its id is in `instance`.", headers=headers)


def whole(text: str) -> str:
    """`text` without half characters, which no encoding can write: JSON may name a field `\\ud83d`."""
    return text.encode(errors="replace").decode()


def is_gone(error: DBAPIError) -> bool:
    """Whether a row could not be written because what it belongs to was deleted meanwhile."""
    state = str(getattr(error.orig, "sqlstate", ""))
    return isinstance(error, IntegrityError) and (state == FOREIGN_KEY_STATE or "FOREIGN KEY" in str(error.orig))


def log_unforeseen(request: Request, error: Exception) -> str:
    """Log an error that nobody foresaw, once, whichever app sees it first; returns the request's id."""
    request_id: str = request.scope["request_id"]
    if LOGGED not in getattr(error, "__notes__", ()):
        log.error("unforeseen error", request_id=request_id, exc_info=error)
        error.add_note(LOGGED)
    return request_id


def allowed_methods(request: Request) -> str:
    """Every method that the path takes; routing itself knows only those of the first route with that path."""
    path = getattr(request.scope.get("route"), "path", "")
    return ", ".join(sorted(method.upper() for method in request.app.openapi()["paths"].get(path, {})))


def problem_response(request: Request, occurred: ProblemOccurred) -> Response:
    """The answer to an error that was raised below a route."""
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
