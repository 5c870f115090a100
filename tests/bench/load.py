"""A load generator: sends one request repeatedly over some connections and measures the responses.

It uses `wrk` when it is installed, else a generator in Python. A very fast server may have to wait for the latter.
"""

import contextlib
import itertools
import json
import selectors
import shutil
import socket
import statistics
import subprocess
import tempfile
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from tests.bench.servers import ANSWER_SECONDS, HOST, Request, ServerFailed

OWN = "a generator of our own"
RECEIVE_BYTES = 65_536
FAILURES = ("connect", "read", "write", "timeout", "status")
"""The kinds of failures that wrk counts; `status` is any response with a status of 400 or above."""
SCRIPT = """
wrk.method = "POST"
wrk.headers["Content-Type"] = "application/json"
wrk.body = {body}

function done(summary, latency, requests)
  local e = summary.errors
  io.write(string.format("\\nfigures %d %d %d %d %d %d %d %d %d\\n", summary.requests, summary.duration,
    latency:percentile(50), latency:percentile(99), e.connect, e.read, e.write, e.timeout, e.status))
end
"""


@dataclass(frozen=True)
class Figures:
    """The figures of one round without failed requests."""

    requests_per_second: float
    p50_ms: float
    p99_ms: float


def generator() -> str:
    """The name of the load generator: wrk, or the one in Python."""
    return "wrk" if shutil.which("wrk") else OWN


def drive(port: int, request: Request, connections: int, seconds: float) -> Figures:
    """Send the request over and over; each connection waits for the response before it sends the next request.

    Raises ServerFailed if a connection breaks or a response is an error: with wrk 400 and above, with the generator in
    Python any status but 2xx.
    """
    if generator() == "wrk":
        return _by_wrk(port, request, connections, seconds)
    return _by_ourselves(port, _for_a_while(_on_the_wire(port, request), seconds), connections)


def drive_each(port: int, requests: Sequence[Request], connections: int) -> Figures:
    """Send each request once with the generator in Python. Raises ServerFailed if a connection breaks or a response is
    not a 2xx."""
    return _by_ourselves(port, iter([_on_the_wire(port, request) for request in requests]), connections)


def _by_wrk(port: int, request: Request, connections: int, seconds: float) -> Figures:
    with tempfile.TemporaryDirectory(prefix="buddy-bench-") as folder:
        script = Path(folder, "post.lua")
        script.write_text(SCRIPT.format(body=json.dumps(request.body.decode())))
        command = ["wrk", "-t1", f"-c{connections}", f"-d{max(1, round(seconds))}s", "-s", str(script)]
        said = subprocess.run([*command, f"http://{HOST}:{port}{request.path}"], check=True, capture_output=True)
    line = next(line for line in said.stdout.decode().splitlines() if line.startswith("figures "))
    count, micros, p50, p99, *failures = (int(part) for part in line.split()[1:])
    if any(failures) or not count:
        named = ", ".join(f"{kind} {times}" for kind, times in zip(FAILURES, failures, strict=True) if times)
        raise ServerFailed(f"{request.path}: {count} requests, failures: {named}")
    return Figures(count / micros * 1e6, p50 / 1000, p99 / 1000)


@dataclass
class _Connection:
    socket: socket.socket
    sent_at: float = 0.0
    buffer: bytes = b""
    expected: int = 0
    """Bytes of head and body together, once the head is received; 0 before."""


def _by_ourselves(port: int, requests: Iterator[bytes], connections: int) -> Figures:
    """Send until `requests` ends and all responses are received."""
    latencies: list[float] = []
    with contextlib.ExitStack() as stack:
        selector = stack.enter_context(selectors.DefaultSelector())
        started = time.perf_counter()
        for request in itertools.islice(requests, connections):
            opened = stack.enter_context(socket.create_connection((HOST, port), timeout=ANSWER_SECONDS))
            opened.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            connection = _Connection(opened)
            selector.register(opened, selectors.EVENT_READ, connection)
            _send(connection, request)
        while selector.get_map():
            ready = selector.select(ANSWER_SECONDS)
            if not ready:
                raise ServerFailed(f"no answer within {ANSWER_SECONDS:.0f} s")
            for key, _ in ready:
                if not _receive(key.data):
                    continue
                latencies.append(time.perf_counter() - key.data.sent_at)
                following = next(requests, None)
                if following is None:
                    selector.unregister(key.fileobj)
                else:
                    _send(key.data, following)
        seconds = time.perf_counter() - started
    cuts = statistics.quantiles(latencies, n=100, method="inclusive")
    return Figures(len(latencies) / seconds, cuts[49] * 1000, cuts[98] * 1000)


def _for_a_while(request: bytes, seconds: float) -> Iterator[bytes]:
    ends = time.perf_counter() + seconds
    while time.perf_counter() < ends:
        yield request


def _on_the_wire(port: int, request: Request) -> bytes:
    fields = {"Host": f"{HOST}:{port}", "Content-Type": "application/json", "Content-Length": len(request.body)}
    lines = [f"{name}: {value}" for name, value in {**fields, **request.headers}.items()]
    return "\r\n".join([f"POST {request.path} HTTP/1.1", *lines, "", ""]).encode() + request.body


def _send(connection: _Connection, wire: bytes) -> None:
    connection.buffer, connection.expected = b"", 0
    connection.sent_at = time.perf_counter()
    connection.socket.sendall(wire)


def _receive(connection: _Connection) -> bool:
    """Read the available bytes. Returns True once the response is complete."""
    part = connection.socket.recv(RECEIVE_BYTES)
    connection.buffer += part
    if not part:
        raise ServerFailed("the server closed a connection")
    if not connection.expected:
        head, end, _ = connection.buffer.partition(b"\r\n\r\n")
        if not end:
            return False
        status, *fields = head.lower().split(b"\r\n")
        if not status.split()[1].startswith(b"2"):
            raise ServerFailed(f"an answer was {connection.buffer.decode(errors='replace')[:500]}")
        length = next(field for field in fields if field.startswith(b"content-length:"))
        connection.expected = len(head) + len(end) + int(length.partition(b":")[2])
    return len(connection.buffer) >= connection.expected
