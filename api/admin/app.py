"""The admin as the service mounts it: its page, and the rest, which is built when it is first asked for."""

import asyncio
import importlib.metadata
import logging

from fastapi import FastAPI
from starlette.responses import HTMLResponse
from starlette.types import ASGIApp, Receive, Scope, Send

from api.auth.security_headers import JSON, SecurityHeadersMiddleware

PREFIX = "/admin"
NAME = "Buddy Coach"
POLICY = {
    "default-src": "'none'",
    "script-src": "'self'",
    "style-src": "'self' 'unsafe-inline'",  # Ant Design writes its styles at run time
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
    <link rel="stylesheet" href="{PREFIX}/static/index.min.css?VERSION">
    <link rel="stylesheet" href="{PREFIX}/own/own.css">
    <script src="{PREFIX}/own/own.js"></script>
    <script src="{PREFIX}/static/index.min.js?VERSION" defer></script>
  </head>
  <body>
    <noscript>This page needs JavaScript.</noscript>
    <div id="root"></div>
  </body>
</html>
"""
"""FastAdmin's own page has an inline script, which the policy forbids. Its assets are cached by VERSION."""


class Admin:
    """The admin, to be mounted in `service` at `PREFIX`; it shares the service's parts. It is built by its first
    request: FastAdmin takes a tenth of the time that the service needs to start, and phones should not wait for it."""

    def __init__(self, service: FastAPI) -> None:
        self._service = service
        self._building = asyncio.Lock()
        self._app: ASGIApp | None = None

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if self._app is None:
            async with self._building:
                if self._app is None:
                    self._app = await asyncio.to_thread(_built, self._service)
        await self._app(scope, receive, send)


def _built(service: FastAPI) -> ASGIApp:
    before = logging.root.manager.disable
    logging.disable(logging.INFO)  # FastAdmin tells which database libraries are missing
    try:
        from api.admin.assembly import create_admin  # noqa: PLC0415 - slow
    finally:
        logging.disable(before)
    return SecurityHeadersMiddleware(create_admin(service), POLICY, f"{PREFIX}/static/", JSON)


def index() -> ASGIApp:
    """Answers at the bare prefix, which a mount does not match: the single page, which requests the rest."""
    html = INDEX.replace("VERSION", importlib.metadata.version("fastadmin"))
    return SecurityHeadersMiddleware(HTMLResponse(html), POLICY, f"{PREFIX}/static/", JSON)
