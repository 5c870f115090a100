"""Puts the pages together: a sub-app with its own errors, behind its own security headers. It shares the service's
state."""

import asyncio

from fastapi import Depends, FastAPI, Request, Response
from starlette.staticfiles import StaticFiles
from starlette.types import ASGIApp

from api.browsers import FORMS, Guarded
from api.kinderbud.family import errors
from api.kinderbud.family.access import routes as access
from api.kinderbud.family.account import routes as account
from api.kinderbud.family.browsers import routes as browsers
from api.kinderbud.family.confirm import routes as confirm
from api.kinderbud.family.guides import routes as guides
from api.kinderbud.family.history import routes as history
from api.kinderbud.family.leaving import routes as leaving
from api.kinderbud.family.members import routes as members
from api.kinderbud.family.people import routes as people
from api.kinderbud.family.rendering import HERE, PREFIX, go
from api.kinderbud.family.settings import routes as settings
from api.kinderbud.family.today import routes as today
from api.kinderbud.family.visits import checked_form

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
"""No page runs, shows or sends anything but to where it came from; nothing stands inline."""


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
    app.state = service.state
    app.state.choosing = {}
    app.state.taking_along = asyncio.Lock()
    for feature in (account, confirm, browsers, today, people, guides, history, settings, access, members, leaving):
        app.include_router(feature.router)
    app.mount("/static", StaticFiles(directory=HERE / "static"), name="family-static")
    errors.install(app)
    return Guarded(app, POLICY, f"{PREFIX}/static/", FORMS)


async def to_family(_: Request) -> Response:
    """What stands at the bare prefix, which a mount does not match."""
    return go("/today")
