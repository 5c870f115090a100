"""What browsers are told with every page: from where it may load what, and that nobody may frame, keep or guess it."""

import hashlib
import ipaddress
import secrets

from starlette.datastructures import Headers, MutableHeaders
from starlette.requests import HTTPConnection, Request
from starlette.responses import PlainTextResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

HOME_NETWORK = (".local", ".localhost", ".home.arpa", ".lan")
"""Names that mean a machine at home, which has no certificate."""
SECRET_BYTES = 32
FORMS, JSON = "application/x-www-form-urlencoded", "application/json"
KEPT_NEVER, KEPT_A_DAY, KEPT_FOR_GOOD = "no-store", "public, max-age=86400", "public, max-age=31536000, immutable"
ALWAYS = {
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=(), payment=()",
}


class Guarded:
    """ASGI middleware: a content security policy and its companions on every answer, errors included; bodies of `media`
    alone, since whoever may name another type may name a codec that takes for ever. Nothing but what `lasting` paths
    serve is kept by a browser, for good where its address changes with its content."""

    def __init__(self, app: ASGIApp, policy: dict[str, str], lasting: str, media: str) -> None:
        self.app = app
        self.media = media
        self.headers = ALWAYS | {
            "Content-Security-Policy": "; ".join(f"{key} {value}" for key, value in policy.items())
        }
        self.lasting = lasting

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        async def guarded(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                headers.update(self.headers)
                headers["Cache-Control"] = KEPT_NEVER
                if message["status"] in {200, 304} and scope["path"].startswith(self.lasting):
                    headers["Cache-Control"] = KEPT_FOR_GOOD if scope["query_string"] else KEPT_A_DAY
            await send(message)

        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        sent = Headers(scope=scope).get("content-type", self.media)
        if sent.partition(";")[0].strip().lower() != self.media:
            await PlainTextResponse(f"Send {self.media}.", 415, {"Connection": "close"})(scope, receive, guarded)
            return
        await self.app(scope, receive, guarded)


class Cookie:
    """A secret that a browser keeps for a while. It goes over HTTPS alone, except where a plain address is at home."""

    def __init__(self, name: str, path: str, seconds: int) -> None:
        self._name = name
        self._path = path
        self._seconds = seconds

    def of(self, connection: HTTPConnection) -> str | None:
        """What the browser showed."""
        return connection.cookies.get(self.named(connection))

    def give(self, request: Request, response: Response, secret: str) -> None:
        """Let the browser keep it."""
        secure = not is_plain_home(request)
        response.set_cookie(
            self.named(request),
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
        response.delete_cookie(self.named(request), path="/" if secure else self._path, secure=secure, httponly=True)

    def named(self, connection: HTTPConnection) -> str:
        """What the browser knows it by: `__Host-` binds it to this very host, so that no neighbour can plant one."""
        return self._name if is_plain_home(connection) else f"__Host-{self._name}"


def new_secret() -> str:
    """256 random bits for a cookie or a link."""
    return secrets.token_urlsafe(SECRET_BYTES)


def secret_digest(secret: str) -> str:
    """What is stored of such a secret, which needs no salt."""
    return hashlib.sha256(secret.encode()).hexdigest()


def is_plain_home(connection: HTTPConnection) -> bool:
    """Whether somebody asks without TLS, at an address that cannot have a certificate: this machine or a private one.
    A public name asks for HTTPS, also where a proxy that we do not know ends it. `PUBLIC_URL` knows better."""
    public_url: str | None = connection.app.state.settings.public_url
    if public_url is not None:
        return public_url.startswith("http://")
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
    return origin not in {None, "null"} and (origin or "").partition("://")[2] != request.headers.get("host")
