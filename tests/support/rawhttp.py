"""HTTP over a bare socket, for requests and answers that client libraries do not support or hide."""

import contextlib
import re
import socket
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

STATUS = re.compile(rb"HTTP/1\.1 (\d{3}) ")
LONGEST_WAIT = 30.0
"""Seconds: a test that waits so long has failed."""


@dataclass
class Answer:
    """All that came until the connection was closed, and how it was closed."""

    content: bytes
    was_reset: bool = False
    timed_out: bool = False

    @property
    def statuses(self) -> list[int]:
        return [int(status) for status in STATUS.findall(self.content)]


def port_of(url: str) -> int:
    return int(url.rpartition(":")[2])


def connected(
    port: int, host: str = "127.0.0.1", receive_buffer: int | None = None, source: str | None = None
) -> socket.socket:
    """A connection, from the address `source`; a small receive buffer makes a client that does not read felt sooner."""
    connection = socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET)
    if receive_buffer is not None:
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_buffer)
    connection.settimeout(LONGEST_WAIT)
    if source is not None:
        connection.bind((source, 0))
    connection.connect((host, port))
    return connection


def read_all(connection: socket.socket, seconds: float = LONGEST_WAIT) -> Answer:
    """What comes until the other side closes."""
    connection.settimeout(seconds)
    content = bytearray()
    try:
        while part := connection.recv(65536):
            content += part
    except TimeoutError:
        return Answer(bytes(content), timed_out=True)
    except ConnectionError:
        return Answer(bytes(content), was_reset=True)
    return Answer(bytes(content))


def exchange(port: int, sent: bytes, seconds: float = LONGEST_WAIT, host: str = "127.0.0.1") -> Answer:
    """What is answered to these bytes until the server closes."""
    with contextlib.closing(connected(port, host)) as connection:
        with contextlib.suppress(ConnectionError):
            connection.sendall(sent)
        return read_all(connection, seconds)


@contextlib.contextmanager
def many(port: int, number: int, sent: bytes = b"", receive_buffer: int | None = None) -> Iterator[list[socket.socket]]:
    """So many connections, each of which has sent the same."""
    connections: list[socket.socket] = []
    try:
        for _ in range(number):
            connection = connected(port, receive_buffer=receive_buffer)
            connections.append(connection)
            with contextlib.suppress(ConnectionError):
                connection.sendall(sent)
        yield connections
    finally:
        for connection in connections:
            connection.close()


def resident_bytes(pid: int) -> int:
    """Memory of a process that is in use now."""
    status = Path(f"/proc/{pid}/status").read_text(encoding="ascii")
    found = re.search(r"VmRSS:\s+(\d+) kB", status)
    assert found is not None
    return int(found[1]) * 1024


def open_sockets(pid: int) -> int:
    """How many sockets a process holds."""
    links = Path(f"/proc/{pid}/fd").iterdir()
    count = 0
    for link in links:
        with contextlib.suppress(OSError):
            count += str(link.readlink()).startswith("socket:")
    return count
