"""Cookies that hold a secret, and the secrets of cookies and links."""

import hashlib
import ipaddress
import secrets

from starlette.requests import HTTPConnection, Request
from starlette.responses import Response

HOME_NETWORK = (".local", ".localhost", ".home.arpa", ".lan")
"""Names of machines in a home network, which have no certificate."""


SECRET_BYTES = 32


class Cookie:
    """A secret that a browser stores for a while. It is sent only over HTTPS, except to an HTTP address in a home
    network.
    """

    def __init__(self, name: str, path: str, seconds: int) -> None:
        self._name = name
        self._path = path
        self._seconds = seconds

    def of(self, connection: HTTPConnection) -> str | None:
        """The value that the browser sent."""
        return connection.cookies.get(self.named(connection))

    def give(self, request: Request, response: Response, secret: str) -> None:
        """Set the cookie."""
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
        """Delete the cookie."""
        secure = not is_plain_home(request)
        response.delete_cookie(self.named(request), path="/" if secure else self._path, secure=secure, httponly=True)

    def named(self, connection: HTTPConnection) -> str:
        """The cookie's name. `__Host-` binds it to this exact host, so that no sibling domain can set it."""
        return self._name if is_plain_home(connection) else f"__Host-{self._name}"


def new_secret() -> str:
    """256 random bits for a cookie or a link."""
    return secrets.token_urlsafe(SECRET_BYTES)


def secret_digest(secret: str) -> str:
    """The digest that is stored of such a secret. It needs no salt."""
    return hashlib.sha256(secret.encode()).hexdigest()


def is_plain_home(connection: HTTPConnection) -> bool:
    """Whether a request without TLS came to an address that cannot have a certificate: this machine or a private one. A
    public name needs HTTPS, also where an unknown proxy terminates it. `PUBLIC_URL` overrides this.
    """
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
