"""How long a client may take, and which of many make room, over bare sockets, against the real server."""

import contextlib
import json
import time
from pathlib import Path

import pytest

from api.http.traffic import UNSENT_BYTES
from api.kakei.coach.schemas import EXAMPLE_CONTEXT
from tests.support.connections import ASK, CROWD, HALF_BODY, LIVE, MIB, POST, QUICK, ROOM, WHOLE, answers, problem
from tests.support.rawhttp import Answer, connected, exchange, many, open_sockets, port_of, read_all, resident_bytes
from tests.support.serving import CLIENT, Server, service


def test_a_head_that_does_not_end_is_408(quick: Server) -> None:
    port = port_of(quick.url)
    problem(exchange(port, LIVE), 408, "request_timeout")
    answer = exchange(port, WHOLE + LIVE)
    assert answer.statuses == [200, 408]
    problem(answer, 408, "request_timeout")


def test_a_body_that_does_not_end_is_408_once(quick: Server) -> None:
    port = port_of(quick.url)
    problem(exchange(port, HALF_BODY), 408, "request_timeout")
    assert exchange(port, HALF_BODY).statuses == [408]
    assert exchange(port, WHOLE + HALF_BODY).statuses == [200, 408]
    form = b"POST /family/login HTTP/1.1\r\nHost: x\r\nContent-Length: 10\r\n\r\na=b"
    assert exchange(port, form).statuses in ([408], [403])
    unread = b"POST /nothing HTTP/1.1\r\nHost: x\r\nContent-Length: 10\r\n\r\nabc"
    assert exchange(port, unread).statuses == [404]


def test_who_says_nothing_is_closed_without_a_word(quick: Server) -> None:
    port = port_of(quick.url)
    assert exchange(port, b"") == Answer(b"")
    assert exchange(port, WHOLE).statuses == [200]


@pytest.mark.long
def test_a_client_that_sends_byte_by_byte_is_not_waited_for(quick: Server) -> None:
    """A byte does not restart the deadline."""
    for sent in (LIVE + b"A: " + b"b" * 1_000, POST % 1_000 + b" " * 1_000):
        with contextlib.closing(connected(port_of(quick.url))) as connection:
            given = 0
            with contextlib.suppress(ConnectionError):
                for byte in sent:
                    connection.sendall(bytes([byte]))
                    given += 1
                    if b"Content-Length" not in sent[:given] or b"\r\n\r\n" in sent[:given]:
                        time.sleep(0.02)
            assert given < len(sent), "it was waited for until the end"


def test_a_slow_phone_is_waited_for(tmp_path: Path) -> None:
    """A body faster than 1 KiB/s has no deadline; this one takes three times the deadline."""
    body = ASK + b" " * 60_000
    with service(tmp_path, QUICK) as running, contextlib.closing(connected(port_of(running.url))) as connection:
        connection.sendall(POST % len(body))
        for start in range(0, len(body), 3_000):
            connection.sendall(body[start : start + 3_000])
            time.sleep(0.1)
        connection.settimeout(20)
        assert connection.recv(65536).startswith(b"HTTP/1.1 200 ")


@pytest.mark.parametrize("sent", [b"", LIVE, HALF_BODY, WHOLE], ids=["idle", "half head", "half body", "kept alive"])
def test_a_thousand_connections_that_wait_are_gone_after_the_deadline(sent: bytes, quick: Server) -> None:
    pid = quick.process.pid
    before, sockets = resident_bytes(pid), open_sockets(pid)
    with many(port_of(quick.url), CROWD, sent) as connections:
        assert answers(quick)
        for connection in connections:
            assert not read_all(connection).timed_out
    assert resident_bytes(pid) - before < 64 * MIB
    deadline = time.monotonic() + 20
    while open_sockets(pid) > sockets and time.monotonic() < deadline:
        time.sleep(0.05)
    assert open_sockets(pid) <= sockets


@pytest.mark.parametrize("sent", [b"", LIVE, HALF_BODY, WHOLE], ids=["idle", "half head", "half body", "kept alive"])
def test_connections_that_wait_make_room_for_one_that_asks(sent: bytes, patient: Server) -> None:
    """No deadline passes here: the connection that waits longest is dropped."""
    with many(port_of(patient.url), 3 * ROOM, sent):
        for _ in range(20):
            assert answers(patient)
        assert open_sockets(patient.process.pid) < 2 * ROOM


@pytest.mark.parametrize("sent", [b"", LIVE, HALF_BODY, WHOLE], ids=["idle", "half head", "half body", "kept alive"])
def test_many_connections_of_one_address_cut_no_upload_of_another(sent: bytes, patient: Server) -> None:
    port = port_of(patient.url)
    with contextlib.ExitStack() as held:
        phones = [held.enter_context(contextlib.closing(connected(port, source="127.0.0.2"))) for _ in range(3)]
        for phone in phones:
            phone.sendall(POST % len(ASK) + ASK[:20])
        held.enter_context(many(port, 3 * ROOM, sent))
        for phone in phones:
            phone.sendall(ASK[20:])
            assert phone.recv(65536).startswith(b"HTTP/1.1 200 ")


def test_of_one_address_idle_connections_make_room_before_uploads(patient: Server) -> None:
    port = port_of(patient.url)
    with contextlib.closing(connected(port)) as phone:
        phone.sendall(POST % len(ASK) + ASK[:20])
        with many(port, 3 * ROOM):
            phone.sendall(ASK[20:])
            assert phone.recv(65536).startswith(b"HTTP/1.1 200 ")


def test_behind_a_proxy_no_upload_is_cut(proxied: Server) -> None:
    """Idle connections make room; where all upload, a new one is told to come again."""
    port = port_of(proxied.url)
    with many(port, ROOM // 2, HALF_BODY) as uploads, many(port, 3 * ROOM):
        for upload in uploads:
            upload.sendall(ASK[20:])
            assert upload.recv(65536).startswith(b"HTTP/1.1 200 ")
    with many(port, ROOM, HALF_BODY) as uploads:
        problem(exchange(port, b""), 503, "too_busy")
        for upload in uploads:
            upload.sendall(ASK[20:])
            assert upload.recv(65536).startswith(b"HTTP/1.1 200 ")


def test_clients_that_do_not_read_hold_a_bounded_memory(quick: Server) -> None:
    """Seventy batches of some megabytes each, none of which is read."""
    contexts = json.dumps({"contexts": [EXAMPLE_CONTEXT] * 5_000}).encode()
    sent = b"POST /coach/suggestions/batch HTTP/1.1\r\nHost: x\r\nContent-Length: %d\r\n\r\n%s" % (
        len(contexts),
        contexts,
    )
    one = exchange(port_of(quick.url), sent[:-1] + sent[-1:])
    assert len(one.content) > 2 * MIB
    pid, highest = quick.process.pid, 0
    before = resident_bytes(pid)
    with many(port_of(quick.url), 70, receive_buffer=4096) as connections:
        for connection in connections:
            with contextlib.suppress(ConnectionError):
                connection.sendall(sent)
            highest = max(highest, resident_bytes(pid))
        for _ in range(40):
            highest = max(highest, resident_bytes(pid))
            time.sleep(0.1)
        assert answers(quick)
    assert highest - before < UNSENT_BYTES + 160 * MIB
    assert answers(quick)


def test_a_slow_reader_gets_all_of_it(quick: Server) -> None:
    expected = CLIENT.get(f"{quick.url}/openapi.json").content
    with contextlib.closing(connected(port_of(quick.url), receive_buffer=4096)) as connection:
        connection.sendall(b"GET /openapi.json HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
        content = bytearray()
        while part := connection.recv(4096):
            content += part
            time.sleep(0.01)
    assert content.endswith(expected[-1_000:])
    assert len(content) > len(expected)
