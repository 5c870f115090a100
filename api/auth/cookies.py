"""Cookies that hold a secret, and the secrets of cookies and links."""

import hashlib
import ipaddress
import secrets

from starlette.requests import HTTPConnection
from starlette.responses import Response

HOME_NETWORK = (".local", ".localhost", ".home.arpa", ".lan")
"""Names of machines in a home network, which have no certificate."""


SECRET_BYTES = 32


class Cookie:
    """A secret that a browser stores for a while. It is sent only over HTTPS, except to an HTTP address in a home
    network (`is_plain`, as `is_plain_home` says).
    """

    def __init__(self, name: str, path: str, seconds: int) -> None:
        self._name = name
        self._path = path
        self._seconds = seconds

    def of(self, connection: HTTPConnection, *, is_plain: bool) -> str | None:
        """The value that the browser sent."""
        return connection.cookies.get(self.named(is_plain=is_plain))

    def give(self, response: Response, secret: str, *, is_plain: bool) -> None:
        """Set the cookie."""
        response.set_cookie(
            self.named(is_plain=is_plain),
            secret,
            max_age=self._seconds,
            path=self._path if is_plain else "/",
            secure=not is_plain,
            httponly=True,
            samesite="lax",
        )

    def take(self, response: Response, *, is_plain: bool) -> None:
        """Delete the cookie."""
        path = self._path if is_plain else "/"
        response.delete_cookie(self.named(is_plain=is_plain), path=path, secure=not is_plain, httponly=True)

    def named(self, *, is_plain: bool) -> str:
        """The cookie's name. `__Host-` binds it to this exact host, so that no sibling domain can set it."""
        return self._name if is_plain else f"__Host-{self._name}"


def new_secret() -> str:
    """256 random bits for a cookie or a link."""
    return secrets.token_urlsafe(SECRET_BYTES)


def secret_digest(secret: str) -> str:
    """The digest that is stored of a secret of at least 128 random bits, such as a token. It needs no salt and no slow
    hash."""
    return hashlib.sha256(secret.encode()).hexdigest()


def is_plain_home(connection: HTTPConnection, public_url: str | None) -> bool:
    """Whether a request without TLS came to an address that cannot have a certificate: this machine or a private one. A
    public name needs HTTPS, also where an unknown proxy terminates it. `PUBLIC_URL` overrides this.
    """
    if public_url is not None:
        return public_url.startswith("http://")
    if connection.url.scheme not in {"http", "ws"}:
        return False
    host = connection.url.hostname or ""
    try:
        return ipaddress.ip_address(host).is_private
    except ValueError:
        return host == "localhost" or "." not in host or host.endswith(HOME_NETWORK)
