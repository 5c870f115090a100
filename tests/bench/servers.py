"""Starts servers on their own cores, waits until they answer, and always stops them."""

import contextlib
import http.client
import os
import signal
import subprocess
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from tests.support.local_servers import free_port

HOST = "127.0.0.1"
START_SECONDS = 60.0
"""Longest start-up time of a server in seconds; MLflow imports for some seconds."""
STOP_SECONDS = 10.0
LOOK_SECONDS = 0.005
"""Seconds between two requests to a starting server. This is the error of a cold start's time."""
ANSWER_SECONDS = 10.0
GROUP, USER_TICKS, SYSTEM_TICKS = 2, 11, 12
"""Fields of /proc/PID/stat, counted after the name."""


class ServerFailed(Exception):
    """A server did not start or gave an unexpected response; the message says why."""


@dataclass(frozen=True)
class Request:
    """A POST request to a server."""

    path: str
    body: bytes
    headers: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Server:
    """A running server. `ready_seconds` is the time from the start of its process to its first 200; `group` is the
    group of its processes."""

    port: int
    ready_seconds: float
    group: int


@contextlib.contextmanager
def running(
    command: Sequence[str], request: Request, log: Path, env: Mapping[str, str], cores: set[int]
) -> Iterator[Server]:
    """Start `command`, with its `{port}` filled in, in the folder of `log`; stop the server at the end.

    Raises ServerFailed when the process ends or does not answer `request` in time.
    """
    port = free_port()
    with log.open("wb") as output:
        started = time.perf_counter()
        process = subprocess.Popen(
            [part.format(port=port) for part in command],
            cwd=log.parent,
            env=dict(env),
            stdout=output,
            stderr=output,
            start_new_session=True,  # Ctrl-C does not reach it, and its children can be stopped with it
        )
    try:
        pin(process.pid, cores)
        _wait(process, port, request, log)
        yield Server(port, time.perf_counter() - started, process.pid)
    finally:
        _stop(process)


def ask(port: int, request: Request) -> bytes:
    """The body of the response to `request`. Raises ServerFailed unless the status is 2xx."""
    connection = http.client.HTTPConnection(HOST, port, timeout=ANSWER_SECONDS)
    with contextlib.closing(connection):
        headers = {"Content-Type": "application/json", **request.headers}
        connection.request("POST", request.path, request.body, headers)
        response = connection.getresponse()
        body = response.read()
    if not http.HTTPStatus.OK <= response.status < http.HTTPStatus.MULTIPLE_CHOICES:
        raise ServerFailed(f"{request.path} answered {response.status}: {body[:500]!r}")
    return body


def read(port: int, path: str) -> str:
    """The text at `path`. Raises ServerFailed unless the status is 200."""
    connection = http.client.HTTPConnection(HOST, port, timeout=ANSWER_SECONDS)
    with contextlib.closing(connection):
        connection.request("GET", path)
        response = connection.getresponse()
        body = response.read()
    if response.status != http.HTTPStatus.OK:
        raise ServerFailed(f"{path} answered {response.status}: {body[:500]!r}")
    return body.decode()


def cpu_seconds(server: Server) -> float:
    """Processor time of all processes of the server until now. Only on Linux."""
    ticks = 0
    for process in Path("/proc").glob("[0-9]*/stat"):
        with contextlib.suppress(OSError):  # it has ended
            fields = process.read_text().rpartition(")")[2].split()
            if int(fields[GROUP]) == server.group:
                ticks += int(fields[USER_TICKS]) + int(fields[SYSTEM_TICKS])
    return ticks / os.sysconf("SC_CLK_TCK")


def all_cores() -> set[int]:
    """The cores that this process may use; empty on systems where a process cannot choose its cores."""
    return os.sched_getaffinity(0) if hasattr(os, "sched_getaffinity") else set()


def pin(pid: int, cores: set[int]) -> None:
    """Pin a process (0: this one) and its later children to `cores`. An empty set changes nothing."""
    if cores:
        with contextlib.suppress(ProcessLookupError):
            os.sched_setaffinity(pid, cores)


def _wait(process: subprocess.Popen[bytes], port: int, request: Request, log: Path) -> None:
    deadline = time.monotonic() + START_SECONDS
    while True:
        try:
            ask(port, request)
        except OSError:
            if process.poll() is not None or time.monotonic() > deadline:
                said = log.read_text(errors="replace").strip()[-2000:]
                raise ServerFailed(f"{log.stem} does not start:\n{said}") from None
            time.sleep(LOOK_SECONDS)
        else:
            return


def _stop(process: subprocess.Popen[bytes]) -> None:
    with contextlib.suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGTERM)
    try:
        process.wait(STOP_SECONDS)
    except subprocess.TimeoutExpired:
        pass
    finally:
        with contextlib.suppress(ProcessLookupError):  # the processes of its group that still run
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()
