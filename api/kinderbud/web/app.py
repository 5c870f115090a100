"""Assembles the pages: a sub-app with its own errors and security headers. It shares the service's parts."""

from fastapi import Depends, FastAPI, Request, Response
from starlette.staticfiles import StaticFiles
from starlette.types import ASGIApp

from api.app_state import share
from api.auth.security_headers import FORMS, SecurityHeadersMiddleware
from api.kinderbud.web import errors
from api.kinderbud.web.access import routes as access
from api.kinderbud.web.auth import routes as account
from api.kinderbud.web.browsers import routes as browsers
from api.kinderbud.web.confirm import routes as confirm
from api.kinderbud.web.export_and_deletion import routes as leaving
from api.kinderbud.web.guides import routes as guides
from api.kinderbud.web.history import routes as history
from api.kinderbud.web.members import routes as members
from api.kinderbud.web.people import routes as people
from api.kinderbud.web.rendering import HERE, PREFIX, go
from api.kinderbud.web.sessions import checked_form
from api.kinderbud.web.settings import routes as settings
from api.kinderbud.web.today import routes as today

POLICY = {
    "default-src": "'none'",
    "script-src": "'self'",
    "style-src": "'self'",
    "font-src": "'self'",
    "img-src": "'self'",
    "manifest-src": "'self'",
    "form-action": "'self'",
    "base-uri": "'none'",
    "frame-ancestors": "'none'",
}
"""Pages load from and send to this site only; nothing is inline."""


def create_family(service: FastAPI) -> ASGIApp:
    """The pages, to be mounted in `service` at `PREFIX`."""
    app = FastAPI(
        title="Kinderbud, for families",
        openapi_url=None,
        docs_url=None,
        redoc_url=None,
        redirect_slashes=False,
        dependencies=[Depends(checked_form)],
        telemetry={"tracing": False, "metrics": False, "logs": False},
    )
    share(service, app)
    for feature in (account, confirm, browsers, today, people, guides, history, settings, access, members, leaving):
        app.include_router(feature.router)
    app.mount("/static", StaticFiles(directory=HERE / "static"), name="family-static")
    errors.install(app)
    return SecurityHeadersMiddleware(app, POLICY, f"{PREFIX}/static/", FORMS)


async def to_family(_: Request) -> Response:
    """Answers at the bare prefix, which a mount does not match."""
    return go("/today")
