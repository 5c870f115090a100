"""Assembles Kinderbud: a sub-app with its own envelope, errors and limits. It shares the service's parts."""

from typing import Any

from fastapi import FastAPI, Request, Response

from api.app_state import share
from api.db.engine import Database
from api.http.openapi import add_docs_page, add_not_modified
from api.http.rate_limits import RateLimits
from api.kinderbud import errors
from api.kinderbud.auth import recognise
from api.kinderbud.chat import routes as chat
from api.kinderbud.errors import failures
from api.kinderbud.guides import routes as guides
from api.kinderbud.history import routes as history
from api.kinderbud.me import routes as me
from api.kinderbud.rate_limits import TokenLimits
from api.kinderbud.today import routes as today
from api.kinderbud.todos import routes as todos
from api.settings import Settings

DESCRIPTION = """
A household app for child development: guides, plans, todos, and a few activities a day.

Every answer is `{"ok": true, "data": …}` or `{"ok": false, "error": "a sentence", "code": "ONE_OF_A_CLOSED_LIST"}`.
Dates and timestamps are those of the household. A body is JSON in UTF-8, whatever its `Content-Type` says, as it is or
with `Content-Encoding: gzip` or `deflate`. A POST with an `Idempotency-Key` may be sent again. `scripts/kb.sh` is
a client.
"""


def limited(app: FastAPI, settings: Settings, database: Database) -> TokenLimits:
    """The sub-app behind its rate limits. Every answer carries the limit headers, errors included."""
    shared, addresses = RateLimits(settings.redis_url, exact=True), RateLimits(settings.redis_url)
    return TokenLimits(app, database, shared, addresses)


def create_kinderbud(service: FastAPI) -> FastAPI:
    """The sub-app, to be mounted in `service`."""
    app = FastAPI(
        title="Kinderbud",
        version="1",
        description=DESCRIPTION,
        docs_url=None,
        redoc_url=None,
        redirect_slashes=False,
        responses=failures(400, 429, 503),
        telemetry={"tracing": False, "metrics": False, "logs": False},
    )
    share(service, app)
    for feature in (me, today, todos, guides, history, chat):
        app.include_router(feature.router)
    errors.install(app, recognise)
    _install_docs(app)
    return app


async def nothing_here(_: Request) -> Response:
    """Answers at the bare prefix, which a mount does not match."""
    return errors.failure(404, errors.Code.NOT_FOUND, "There is nothing at this address.")


def _install_docs(app: FastAPI) -> None:
    """`/openapi.json` without FastAPI's own 422, which is a 400 here, and `/docs` with the service's assets."""
    plain = app.openapi

    def openapi() -> dict[str, Any]:
        if app.openapi_schema is None:
            schema = plain()
            for name in ("HTTPValidationError", "ValidationError"):
                schema["components"]["schemas"].pop(name, None)
            for path, operations in schema["paths"].items():
                add_not_modified(f"/api/v1{path}", operations)
                for method, operation in operations.items():
                    operation["responses"].pop("422", None)
                    failed = operation["responses"]["400"]
                    if method in {"post", "put"}:
                        operation["responses"] |= {"413": failed, "415": failed}
                    operation["responses"] |= {"409": failed} if method == "post" else {}  # its key is at work
            app.openapi_schema = schema
        return app.openapi_schema

    app.openapi = openapi  # type: ignore[method-assign]

    add_docs_page(app, "openapi.json")
