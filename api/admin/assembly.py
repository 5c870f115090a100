"""Assembles the admin: FastAdmin's routes behind our own login and errors."""

from typing import Any

from fastadmin import register_admin_model_class
from fastadmin.api.frameworks.fastapi.api import router as fastadmin_router
from fastadmin.settings import ROOT_DIR, settings
from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from sqlalchemy.exc import DataError, DBAPIError, StatementError
from starlette.responses import JSONResponse
from starlette.staticfiles import StaticFiles
from starlette.types import ASGIApp

from api.admin import auth, dashboard, instruments, kakei, kinderbud
from api.admin.page import NAME, PREFIX
from api.app_state import share
from api.db.failures import RETRY_SECONDS, sqlstate
from api.http.error_texts import pydantic_errors, sentences
from api.http.problems import install_database_errors, log_unforeseen

NOT_TAKEN = ("/upload-file/", "/change-password/", "/sign-in", "/sign-out", "/export/")
"""FastAdmin's routes that we replace, or that no screen needs."""
WRONG_KIND = ("22", "42883")
"""PostgreSQL's SQLSTATEs for values of the wrong type, and for comparing them with a column."""


def create_admin(service: FastAPI) -> ASGIApp:
    """The admin without the security headers of its answers. It shares the service's parts."""
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
    share(service, app)
    app.include_router(auth.router)
    for route in fastadmin_router.routes:
        if not any(way in route.path for way in NOT_TAKEN):
            app.router.routes.append(route)
    app.mount("/static", StaticFiles(directory=ROOT_DIR / "static"), name="admin-static")
    app.mount("/own", StaticFiles(packages=[("api.admin", "static")]), name="admin-own")
    _install_errors(app)
    return auth.Inner(app)


def _settings() -> dict[str, Any]:
    return {
        "ADMIN_PREFIX": PREFIX.removeprefix("/"),
        "ADMIN_SITE_NAME": NAME,
        "ADMIN_SITE_SIGN_IN_LOGO": f"{PREFIX}/own/logo.svg",
        "ADMIN_SITE_HEADER_LOGO": f"{PREFIX}/own/logo.svg",
        "ADMIN_SITE_FAVICON": f"{PREFIX}/own/logo.svg",
        "ADMIN_PRIMARY_COLOR": "#1f6b4a",
        "ADMIN_SESSION_ID_KEY": auth.INNER_COOKIE,
        "ADMIN_SECRET_KEY": auth.inner_key(),
        "ADMIN_USER_MODEL": "Operator",
        "ADMIN_USER_MODEL_USERNAME_FIELD": "name",
    }


def _install_errors(app: FastAPI) -> None:
    """Answer errors in the format of FastAdmin's pages, without the values that were sent."""

    @app.exception_handler(RequestValidationError)
    async def _validation(_: Request, error: RequestValidationError) -> JSONResponse:
        return JSONResponse({"detail": sentences(pydantic_errors(error.errors(), error.body))}, 422)

    async def _unfitting(_: Request, __: Exception) -> JSONResponse:
        return JSONResponse({"detail": "The database cannot compare that: is it the right kind of value?"}, 422)

    for unfitting in (OverflowError, TypeError, StatementError):
        app.add_exception_handler(unfitting, _unfitting)

    async def _away(_: Request, __: Exception, is_unknown: bool) -> JSONResponse:
        detail = "The database is away." + (
            " The change may have been stored, or not: look first." if is_unknown else ""
        )
        return JSONResponse({"detail": detail}, 503, {"Retry-After": str(RETRY_SECONDS)})

    async def _gone(_: Request, __: Exception) -> JSONResponse:
        return JSONResponse({"detail": "It is not there any more."}, 404)

    async def _other(request: Request, error: Exception) -> JSONResponse:
        driver = error.orig if isinstance(error, DBAPIError) else None
        wrong_kind = sqlstate(error).startswith(WRONG_KIND)
        if wrong_kind or isinstance(error, DataError) or isinstance(getattr(driver, "__cause__", None), ValueError):
            return await _unfitting(request, error)
        raise error

    install_database_errors(app, _away, _gone, _other)

    @app.exception_handler(Exception)
    async def _unforeseen(request: Request, error: Exception) -> JSONResponse:
        return JSONResponse(
            {"detail": f"Something went wrong; it was logged as {log_unforeseen(request, error)}."}, 500
        )
