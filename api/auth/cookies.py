"""Cookies that hold a secret, and the secrets of cookies and links."""

import hashlib
import ipaddress
import secrets

from starlette.requests import HTTPConnection, Request
from starlette.responses import Response

HOME_NETWORK = (".local", ".localhost", ".home.arpa", ".lan")
"""Names that mean a machine at home, which has no certificate."""


SECRET_BYTES = 32


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
