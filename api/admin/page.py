"""The single page of the admin, which requests the rest, and its security policy."""

import importlib.metadata

from starlette.responses import HTMLResponse
from starlette.types import ASGIApp

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


def index() -> ASGIApp:
    """Answers at the bare prefix, which a mount does not match: the single page, which requests the rest."""
    html = INDEX.replace("VERSION", importlib.metadata.version("fastadmin"))
    return SecurityHeadersMiddleware(HTMLResponse(html), POLICY, f"{PREFIX}/static/", JSON)
