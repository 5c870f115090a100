"""The sockets that the service listens on. They are bound first, so that a port in use gives an error of one line."""

import socket
import sys
from collections.abc import Iterator
from contextlib import contextmanager

LONGEST_HOST = 253
"""Characters of a name (RFC 1035)."""


class CannotListen(Exception):
    """The service cannot listen; the message names the address and the reason."""


@contextmanager
def listening(host: str, port: int) -> Iterator[list[socket.socket]]:
    """A socket for every address of `host`, all bound to one port; port 0 picks a free one. Raises CannotListen."""
    sockets: list[socket.socket] = []
    try:
        try:
            for family, address in _addresses(host, port):
                sockets.append(_bound(family, (address, port or (sockets[0].getsockname()[1] if sockets else 0))))
        except (OSError, UnicodeError) as error:
            why = getattr(error, "strerror", None) or "this is no name of a host"
            raise CannotListen(f"cannot listen on {host[:LONGEST_HOST]}, port {port}: {why}") from error
        yield sockets
    finally:
        for one in sockets:
            one.close()


def url_of(sockets: list[socket.socket]) -> str:
    """The URL of the first socket, to show to people."""
    host, port = sockets[0].getsockname()[:2]
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"


def _addresses(host: str, port: int) -> list[tuple[socket.AddressFamily, str]]:
    found = socket.getaddrinfo(host or None, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)
    return list(dict.fromkeys((family, str(address[0])) for family, _, _, _, address in found))


def _bound(family: socket.AddressFamily, address: tuple[str, int]) -> socket.socket:
    made = socket.socket(family, socket.SOCK_STREAM)
    try:
        if sys.platform != "win32":  # there it would let two services share a port
            made.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        if family == socket.AF_INET6:
            made.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
        made.bind(address)
        made.set_inheritable(True)
    except BaseException:
        made.close()
        raise
    return made
