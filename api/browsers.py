"""What browsers are told with every page: from where it may load what, and that nobody may frame, keep or guess it."""

import hashlib
import ipaddress
import secrets
from urllib.parse import urlsplit

from starlette.datastructures import MutableHeaders
from starlette.requests import HTTPConnection, Request
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

HOME_NETWORK = (".local", ".localhost", ".home.arpa", ".lan")
"""Names that mean a machine at home, which has no certificate."""
SECRET_BYTES = 32
ALWAYS = {
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=(), payment=()",
}


class Guarded:
    """ASGI middleware: a content security policy and its companions on every answer, errors included. Nothing but what
    `lasting` paths serve is kept by a browser."""

    def __init__(self, app: ASGIApp, policy: dict[str, str], lasting: str) -> None:
        self.app = app
        self.headers = ALWAYS | {
            "Content-Security-Policy": "; ".join(f"{key} {value}" for key, value in policy.items())
        }
        self.lasting = lasting

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        async def guarded(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                headers.update(self.headers)
                kept = message["status"] in {200, 304} and scope["path"].startswith(self.lasting)
                headers["Cache-Control"] = "public, max-age=31536000, immutable" if kept else "no-store"
            await send(message)

        await self.app(scope, receive, guarded if scope["type"] == "http" else send)


class Cookie:
    """A secret that a browser keeps for a while. It goes over HTTPS alone, except where a plain address is at home."""

    def __init__(self, name: str, path: str, seconds: int) -> None:
        self._name = name
        self._path = path
        self._seconds = seconds

    def of(self, connection: HTTPConnection) -> str | None:
        """What the browser showed."""
        return connection.cookies.get(self._named(connection))

    def give(self, request: Request, response: Response, secret: str) -> None:
        """Let the browser keep it."""
        secure = not is_plain_home(request)
        response.set_cookie(
            self._named(request),
            secret,
            max_age=self._seconds,
            path="/" if secure else self._path,
            secure=secure,
            httponly=True,
            samesite="lax",
        )

    def take(self, request: Request, response: Response) -> None:
        """Let the browser forget it."""
        secure = not is_plain_home(request)
        response.delete_cookie(self._named(request), path="/" if secure else self._path, secure=secure, httponly=True)

    def _named(self, connection: HTTPConnection) -> str:
        """`__Host-` binds it to this very host, so that no neighbour can plant one."""
        return self._name if is_plain_home(connection) else f"__Host-{self._name}"


def new_secret() -> str:
    """256 random bits for a cookie or a link."""
    return secrets.token_urlsafe(SECRET_BYTES)


def secret_digest(secret: str) -> str:
    """What is stored of such a secret, which needs no salt."""
    return hashlib.sha256(secret.encode()).hexdigest()


def is_plain_home(connection: HTTPConnection) -> bool:
    """Whether somebody asks without TLS, at an address that cannot have a certificate: this machine or a private one.
    A public name asks for HTTPS, also where a proxy that we do not know ends it."""
    if connection.url.scheme not in {"http", "ws"}:
        return False
    host = connection.url.hostname or ""
    try:
        return ipaddress.ip_address(host).is_private
    except ValueError:
        return host == "localhost" or "." not in host or host.endswith(HOME_NETWORK)


def is_from_elsewhere(request: Request) -> bool:
    """Whether a browser says that another site's page sent this. Browsers that say nothing are told by the form's own
    token, which must fit their cookie."""
    site = request.headers.get("sec-fetch-site")
    if site is not None:
        return site not in {"same-origin", "none"}
    origin = request.headers.get("origin")
    return origin not in {None, "null"} and urlsplit(origin or "").netloc != request.headers.get("host")
