"""Puts the admin together: FastAdmin's pages and routes behind our own sign-in, headers and errors."""

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import structlog
from fastapi import FastAPI, Request, Response
from sqlalchemy.exc import StatementError
from starlette.responses import HTMLResponse, JSONResponse
from starlette.staticfiles import StaticFiles
from starlette.types import ASGIApp

from api.admin import doors
from api.browsers import Guarded
from api.errors import DATABASE_AWAY, RETRY_SECONDS

PREFIX = "/admin"
NAME = "Buddy Coach"
POLICY = {
    "default-src": "'none'",
    "script-src": "'self'",
    "style-src": "'self' 'unsafe-inline'",  # Ant Design writes its styles while it runs
    "font-src": "'self' data:",
    "img-src": "'self' data:",
    "connect-src": "'self'",
    "worker-src": "'self' blob:",
    "form-action": "'self'",
    "base-uri": "'none'",
    "frame-ancestors": "'none'",
}
INDEX = f"""<!doctype html>
<html lang="en">
  <head>
    <meta charset="utf-8">
    <meta name="viewport" content="width=device-width, initial-scale=1">
    <meta name="robots" content="noindex">
    <title>{NAME}: admin</title>
    <link rel="icon" href="{PREFIX}/own/logo.svg" type="image/svg+xml">
    <link rel="stylesheet" href="{PREFIX}/static/index.min.css">
    <link rel="stylesheet" href="{PREFIX}/own/own.css">
    <script src="{PREFIX}/own/own.js"></script>
    <script src="{PREFIX}/static/index.min.js" defer></script>
  </head>
  <body>
    <noscript>This page needs JavaScript.</noscript>
    <div id="root"></div>
  </body>
</html>
"""
"""FastAdmin's own page has a script within, which the policy forbids."""

log = structlog.get_logger("api.admin")


def create_admin(service: FastAPI) -> ASGIApp:
    """The admin, to be mounted in `service` at `PREFIX`; it shares the service's state."""
    with _quietly():
        from fastadmin import register_admin_model_class  # noqa: PLC0415 - takes a moment, and logs what is not there
        from fastadmin.api.frameworks.fastapi.api import router as fastadmin_router  # noqa: PLC0415
        from fastadmin.settings import ROOT_DIR, settings  # noqa: PLC0415

        from api.admin import dashboard, instruments, kakei, kinderbud  # noqa: PLC0415

    for name, value in _settings().items():
        setattr(settings, name, value)
    for screens in (dashboard, kakei, instruments, kinderbud):
        for model, screen in screens.SCREENS.items():
            register_admin_model_class(screen, [model])
    app = FastAPI(
        title=f"{NAME}: admin",
        openapi_url=None,
        docs_url=None,
        redoc_url=None,
        redirect_slashes=False,
        telemetry={"tracing": False, "metrics": False, "logs": False},
    )
    app.state = service.state
    app.include_router(doors.router)
    app.include_router(fastadmin_router)
    app.mount("/static", StaticFiles(directory=ROOT_DIR / "static"), name="admin-static")
    app.mount("/own", StaticFiles(packages=[("api.admin", "static")]), name="admin-own")
    _install_errors(app)
    return Guarded(doors.Inner(app, service.state), POLICY, f"{PREFIX}/static/")


async def index(_: Request) -> Response:
    """What stands at the bare prefix, which a mount does not match: the one page, which asks for everything else."""
    response = HTMLResponse(INDEX)
    policy = "; ".join(f"{key} {value}" for key, value in POLICY.items())
    response.headers.update({"Content-Security-Policy": policy, "Cache-Control": "no-store"})
    return response


@contextmanager
def _quietly() -> Iterator[None]:
    """FastAdmin tells the log which databases' libraries it did not find."""
    before = logging.root.manager.disable
    logging.disable(logging.INFO)
    try:
        yield
    finally:
        logging.disable(before)


def _settings() -> dict[str, Any]:
    return {
        "ADMIN_PREFIX": PREFIX.removeprefix("/"),
        "ADMIN_SITE_NAME": NAME,
        "ADMIN_SITE_SIGN_IN_LOGO": f"{PREFIX}/own/logo.svg",
        "ADMIN_SITE_HEADER_LOGO": f"{PREFIX}/own/logo.svg",
        "ADMIN_SITE_FAVICON": f"{PREFIX}/own/logo.svg",
        "ADMIN_PRIMARY_COLOR": "#1f6b4a",
        "ADMIN_SESSION_ID_KEY": doors.INNER_COOKIE,
        "ADMIN_SECRET_KEY": doors.inner_key(),
        "ADMIN_USER_MODEL": "Operator",
        "ADMIN_USER_MODEL_USERNAME_FIELD": "name",
    }


def _install_errors(app: FastAPI) -> None:
    """In the words that FastAdmin's pages understand, and without what was sent."""

    async def away(request: Request, error: Exception) -> JSONResponse:
        log.warning("database unavailable", request_id=request.scope["request_id"], why=type(error).__name__)
        return JSONResponse({"detail": "The database is away."}, 503, {"Retry-After": str(RETRY_SECONDS)})

    for kind in DATABASE_AWAY:
        app.add_exception_handler(kind, away)

    @app.exception_handler(StatementError)
    async def _driver(_: Request, __: StatementError) -> JSONResponse:
        return JSONResponse({"detail": "The database cannot compare that: is it the right kind of value?"}, 422)

    @app.exception_handler(Exception)
    async def _unforeseen(request: Request, error: Exception) -> JSONResponse:
        request_id = request.scope["request_id"]
        log.error("unforeseen error", request_id=request_id, exc_info=error)
        return JSONResponse({"detail": f"Something went wrong; it was logged as {request_id}."}, 500)
