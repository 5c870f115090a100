"""Exports and Claude's answers to clients that read slowly, or not at all: bounded memory, and a deadline."""

import contextlib
import json
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from tests.actors.family import Family
from tests.actors.person import Person
from tests.support import claude_streams as streams
from tests.support.claude_server import Claude, claude_server
from tests.support.connections import MIB, QUICK, answers
from tests.support.exports import PATH
from tests.support.rawhttp import connected, many, open_sockets, port_of, resident_bytes
from tests.support.serving import EXPORT_TOKEN, Server, service

EVENTS = 600
"""Of 15 KB each: an export of 9 MB, which is more than the buffers of a connection hold."""
PATIENCE = 60.0
"""Seconds; a bound for a busy machine."""
TOKEN = f"X-Research-Export-Token: {EXPORT_TOKEN}"
EXPORT = f"GET {PATH}?format=json HTTP/1.1\r\nHost: x\r\n{TOKEN}\r\nConnection: close\r\n\r\n".encode()
LETTERS = "Wait for her turn. " * 1000
READERS = 20


@pytest.fixture(scope="module")
def claude() -> Iterator[Claude]:
    with claude_server() as server:
        yield server


@pytest.fixture(scope="module")
def quick(claude: Claude, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A short deadline to read an answer, and long ones to send, for a busy machine."""
    patient = {"HTTP_HEAD_SECONDS": "20", "HTTP_BODY_SECONDS": "20", "ANTHROPIC_BASE_URL": claude.url}
    with service(tmp_path_factory.mktemp("slow"), QUICK | patient) as running:
        yield running


@pytest.fixture(scope="module")
def exported(quick: Server) -> Path:
    """Much to export. Returns the folder in which exports wait until they are sent."""
    person = Person(quick)
    person.consent(data_mode="sync")
    context = {f"note_{number}": "x" * 1000 for number in range(15)}
    for number in range(EVENTS):
        now = datetime.now(UTC).isoformat()  # after the consent to share texts
        event = {"event_name": "something_new", "context": context | {"number": number}, "client_timestamp": now}
        answer = person.post("/events", event)
        assert answer.status_code == 201, answer.text
    return quick.log_file.parent / "var" / "exports"


def until(what: Callable[[], bool]) -> None:
    deadline = time.monotonic() + PATIENCE
    while not what():
        assert time.monotonic() < deadline
        time.sleep(0.02)


@pytest.mark.long
def test_an_export_that_is_not_read_is_given_up_and_leaves_nothing(quick: Server, exported: Path) -> None:
    pid = quick.process.pid
    before, sockets = resident_bytes(pid), open_sockets(pid)
    with contextlib.closing(connected(port_of(quick.url), receive_buffer=4096)) as connection:
        connection.sendall(EXPORT)
        until(lambda: exported.exists() and any(exported.iterdir()))
        until(lambda: not any(exported.iterdir()))
        assert answers(quick)
        until(lambda: open_sockets(pid) <= sockets)
        assert resident_bytes(pid) - before < 64 * MIB
        got = 0
        with contextlib.suppress(ConnectionError):
            while part := connection.recv(65536):
                got += len(part)
    assert got < EVENTS * 15_000, "it was all in the buffers, and nothing was given up"


@pytest.mark.long
def test_an_export_that_is_read_slowly_comes_whole(quick: Server, exported: Path) -> None:
    pid = quick.process.pid
    before, highest = resident_bytes(pid), 0
    with contextlib.closing(connected(port_of(quick.url), receive_buffer=65536)) as connection:
        connection.sendall(EXPORT)
        content = bytearray()
        while part := connection.recv(65536):
            content += part
            highest = max(highest, resident_bytes(pid))
            time.sleep(0.01)
    head, _, body = bytes(content).partition(b"\r\n\r\n")
    assert head.startswith(b"HTTP/1.1 200 ")
    assert len(json.loads(body)["tables"]["events"]) == EVENTS
    assert len(body) > EVENTS * 15_000
    assert highest - before < 64 * MIB
    until(lambda: not any(exported.iterdir()))


@pytest.fixture
def question(quick: Server, claude: Claude) -> Iterator[tuple[Family, bytes]]:
    """A family, and its request for the parts of an answer that comes in many parts."""
    family = Family(quick)
    family.give_claude_key()
    parts = [LETTERS[start : start + 8] for start in range(0, len(LETTERS), 8)]
    told: list[bytes | float] = [streams.start(), streams.block(), *map(streams.delta, parts), streams.end("end_turn")]
    claude.streams.extend([told] * READERS)
    body = json.dumps({"message": "How?"}).encode()
    headers = f"Host: x\r\nAuthorization: Bearer {family.token}\r\nAccept: text/event-stream\r\nConnection: close\r\n"
    yield family, f"POST /api/v1/chat HTTP/1.1\r\n{headers}Content-Length: {len(body)}\r\n\r\n".encode() + body
    claude.streams.clear()


def test_a_chat_that_is_read_slowly_comes_whole(quick: Server, question: tuple[Family, bytes]) -> None:
    with contextlib.closing(connected(port_of(quick.url), receive_buffer=4096)) as connection:
        connection.sendall(question[1])
        content = bytearray()
        while part := connection.recv(4096):
            content += part
            time.sleep(0.005)
    assert b"text/event-stream" in content
    events = [line for line in content.decode().splitlines() if line.startswith("data: ")]
    told = json.loads(events[-1].removeprefix("data: "))
    assert "data" in told, told
    assert told["data"]["content"] == LETTERS.strip()


@pytest.mark.long
def test_chats_that_are_not_read_hold_a_bounded_memory_and_end(quick: Server, question: tuple[Family, bytes]) -> None:
    pid = quick.process.pid
    before, sockets = resident_bytes(pid), open_sockets(pid)
    with many(port_of(quick.url), READERS, question[1], receive_buffer=4096):
        until(lambda: open_sockets(pid) > sockets + READERS // 2)
        highest, deadline = 0, time.monotonic() + PATIENCE
        while time.monotonic() < deadline and open_sockets(pid) > sockets + 2:  # it keeps some to Claude
            highest = max(highest, resident_bytes(pid))
            assert answers(quick)
        assert open_sockets(pid) <= sockets + 2
    assert highest - before < 128 * MIB
