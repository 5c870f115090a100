"""Every error once: code, status, title. On the wire they are problem details (RFC 9457)."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any

import msgspec
import structlog
from fastapi import FastAPI, Request, Response
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException

MEDIA_TYPE = "application/problem+json"
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
NO_POLICY = ErrorKind("no_policy", 404, "No policy is being served")
METRICS_FORBIDDEN = ErrorKind("metrics_forbidden", 403, "Only this machine or the holder of the token reads metrics")
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


class ProblemOccurred(Exception):
    """Raised anywhere below a route, answered as problem details."""

    def __init__(
        self, kind: ErrorKind, detail: str, errors: Sequence[FieldError] = (), headers: Mapping[str, str] | None = None
    ) -> None:
        super().__init__(detail)
        self.kind = kind
        self.detail = detail
        self.errors = list(errors)
        self.headers = dict(headers or {})


def install(app: FastAPI) -> None:
    """Answer every error of the app, the framework's own included, as problem details."""

    @app.exception_handler(ProblemOccurred)
    async def _problem(request: Request, occurred: ProblemOccurred) -> Response:
        return problem_response(request, occurred)

    @app.exception_handler(HTTPException)
    async def _http(request: Request, error: HTTPException) -> Response:
        kind = BY_STATUS.get(error.status_code)
        if kind is None:
            status = HTTPStatus(error.status_code)
            kind = ErrorKind(status.phrase.lower().replace(" ", "_"), status.value, status.phrase)
        return _response(request, kind, str(error.detail), headers=error.headers)

    @app.exception_handler(RequestValidationError)
    async def _validation(request: Request, error: RequestValidationError) -> Response:
        errors = [FieldError(".".join(str(part) for part in e["loc"][1:]), e["msg"]) for e in error.errors()]
        return _response(request, INVALID_INPUT, "; ".join(f"{e.field}: {e.message}" for e in errors), errors)

    @app.exception_handler(Exception)
    async def _unforeseen(request: Request, error: Exception) -> Response:
        log.error("unforeseen error", request_id=request.scope["request_id"], exc_info=error)
        headers = {"X-Request-ID": request.scope["request_id"]}  # this one is answered outside of api.telemetry
        return _response(request, INTERNAL_ERROR, "The error was logged; its id is in `instance`.", headers=headers)


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
        detail=detail,
        instance=f"urn:request:{request.scope['request_id']}",
        code=kind.code,
        errors=list(errors),
    )
    return Response(msgspec.json.encode(problem), kind.status, dict(headers or {}), MEDIA_TYPE)
