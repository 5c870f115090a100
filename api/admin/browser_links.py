"""The page behind a link of `buddy admin browser-link`. It makes one browser known, once.
The first page only asks, since messengers and mail scanners open links too.

"""

from html import escape

import structlog
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response
from starlette.routing import Route
from starlette.types import ASGIApp

from api.admin.accounts import BROWSERS
from api.admin.page import POLICY, PREFIX
from api.app_state import services_of, share
from api.auth.csrf import is_cross_site
from api.auth.security_headers import FORMS, SecurityHeadersMiddleware
from api.dependencies import is_plain

PATH = PREFIX + "/browser"
SEE_OTHER = 303
GONE = "This link does not work. A link works once, for a day. `buddy admin browser-link` makes another."
PAGE = """<!doctype html>
<html lang="en">
  <head>
    <meta charset="utf-8">
    <meta name="viewport" content="width=device-width, initial-scale=1">
    <meta name="robots" content="noindex">
    <title>Buddy Coach: admin</title>
    <link rel="icon" href="/admin/own/logo.svg" type="image/svg+xml">
    <link rel="stylesheet" href="/admin/own/page.css">
  </head>
  <body><main><h1>{title}</h1><p>{text}</p>{form}</main></body>
</html>
"""

log = structlog.get_logger("api.admin")


def create_browser_links(service: Starlette) -> ASGIApp:
    """The page, to be mounted in `service` at `PATH`. It shares the service's parts."""
    app = Starlette(routes=[Route("/{secret}", _link, methods=["GET", "POST"])])
    share(service, app)
    app.add_exception_handler(HTTPException, _failed)
    return SecurityHeadersMiddleware(app, POLICY, f"{PREFIX}/static/", FORMS)


async def _link(request: Request) -> Response:
    services, secret = services_of(request), request.path_params["secret"]
    now = services.clock()
    if request.method != "POST":
        async with services.database.read() as session:
            if not await BROWSERS.is_link(session, secret, now):
                raise HTTPException(404, GONE)
        form = '<form method="post"><button>Yes, this is my browser</button></form>'
        text = "Then wrong passwords in other browsers do not block it. You still need the password."
        return _page("Is this your browser?", text, form)
    if is_cross_site(request):
        raise HTTPException(403, "This was sent by another site.")
    async with services.database.write() as session:
        cookie = await BROWSERS.claim_link(session, secret, BROWSERS.shown(request, is_plain=is_plain(request)), now)
    if cookie is None:
        raise HTTPException(404, GONE)
    log.info("a link made a browser known to /admin")
    response = RedirectResponse(PREFIX, SEE_OTHER)
    BROWSERS.cookie.give(response, cookie, is_plain=is_plain(request))
    return response


async def _failed(_: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)  # noqa: S101 - registered for these only
    return _page("That did not work", error.detail, status=error.status_code)


def _page(title: str, text: str, form: str = "", status: int = 200) -> HTMLResponse:
    return HTMLResponse(PAGE.format(title=escape(title), text=escape(text), form=form), status)
