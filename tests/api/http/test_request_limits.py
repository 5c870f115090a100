"""What a request may hold, over bare sockets, against the real server."""

import contextlib

import pytest

from api.http.protocol import DEEPEST_PIPELINE, LARGEST_HEAD, LONGEST_TARGET, MOST_HEADERS
from tests.support.connections import ASK, LIVE, MIB, POST, WHOLE, answers, problem
from tests.support.rawhttp import connected, exchange, port_of, read_all, resident_bytes
from tests.support.serving import Server


@pytest.mark.parametrize(
    ("sent", "status", "code"),
    [
        (b"GET /" + b"a" * LONGEST_TARGET + b" HTTP/1.1\r\n\r\n", 414, "address_too_long"),
        (b"GET /?" + b"a=b&" * (LONGEST_TARGET // 4) + b" HTTP/1.1\r\n\r\n", 414, "address_too_long"),
        (LIVE + b"A: " + b"b" * LARGEST_HEAD + b"\r\n\r\n", 431, "headers_too_large"),
        (LIVE + b"A" * LARGEST_HEAD, 431, "headers_too_large"),
        (LIVE + b"A: b\r\n" * MOST_HEADERS + b"\r\n", 431, "headers_too_large"),
        (LIVE + (b"A: " + b"b" * 1000 + b"\r\n") * 40 + b"\r\n", 431, "headers_too_large"),
        (b"\r\n" * LARGEST_HEAD, 431, "headers_too_large"),
        (b"\0\1\2\r\n\r\n", 400, "malformed_request"),
        (b"GET /\xff\xfe HTTP/1.1\r\nHost: x\r\n\r\n", 400, "malformed_request"),
        (b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", 400, "malformed_request"),
        (LIVE + b"Content-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n", 400, "malformed_request"),
        (LIVE + b"Content-Length: 1\r\nContent-Length: 2\r\n\r\n", 400, "malformed_request"),
        (LIVE + b"A: b\rc\r\n\r\n", 400, "malformed_request"),
        (LIVE + b"A: \0\r\n\r\n", 400, "malformed_request"),
        (b"GET /health/live HTTP/1.1\r\n\r\n", 400, "malformed_request"),
        (b"POST /coach/suggestions HTTP/1.1\r\nContent-Length: 2\r\n\r\n{}", 400, "malformed_request"),
        (LIVE + b"HOST: another\r\n\r\n", 400, "malformed_request"),
        (b"GET /health/live HTTP/1.0\r\nHost: a\r\nHost: a\r\n\r\n", 400, "malformed_request"),
    ],
)
def test_what_is_too_large_or_no_http_is_refused(
    sent: bytes, status: int, code: str, patient: Server, quick: Server
) -> None:
    for running in (patient, quick):
        problem(exchange(port_of(running.url), sent), status, code)
    if sent.strip():  # empty lines after a request are skipped and not stored
        problem(exchange(port_of(patient.url), WHOLE + sent), status, code)


def test_http_1_0_needs_no_host_and_a_host_may_be_empty(quick: Server) -> None:
    for head in (b"HTTP/1.0\r\n", b"HTTP/1.1\r\nHost:\r\nConnection: close\r\n"):
        assert exchange(port_of(quick.url), b"GET /health/live " + head + b"\r\n").statuses == [200]


def test_what_just_fits_is_answered(quick: Server) -> None:
    port = port_of(quick.url)
    for sent in (
        b"GET /" + b"a" * (LONGEST_TARGET - 1) + b" HTTP/1.1\r\nHost: x\r\n\r\n",
        LIVE + b"A: b\r\n" * (MOST_HEADERS - 1) + b"\r\n",
        LIVE + b"A: " + b"b" * (LARGEST_HEAD - 1_000) + b"\r\n\r\n",
    ):
        assert exchange(port, sent).statuses[0] in {200, 404}


@pytest.mark.parametrize("line", [b"A: b\r\n", b"A" * 1000], ids=["lines", "one endless line"])
@pytest.mark.parametrize(
    "head", [LIVE, b"POST /coach/suggestions HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n2\r\n{}\r\n0\r\n"]
)
def test_two_hundred_megabytes_of_headers_or_trailers_take_no_memory(line: bytes, head: bytes, quick: Server) -> None:
    pid, block = quick.process.pid, line * (MIB // len(line))
    before = resident_bytes(pid)
    with contextlib.closing(connected(port_of(quick.url))) as connection:
        sent = 0
        with contextlib.suppress(ConnectionError):
            connection.sendall(head)
            while sent < 200 * MIB:
                connection.sendall(block)
                sent += len(block)
    assert sent < 200 * MIB, "the server read all of it"
    assert resident_bytes(pid) - before < 16 * MIB
    assert answers(quick)


def test_chunk_extensions_are_bounded(quick: Server) -> None:
    head = b"POST /coach/suggestions HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n"
    with contextlib.closing(connected(port_of(quick.url))) as connection:
        connection.sendall(head)
        with contextlib.suppress(ConnectionError):
            for _ in range(1_000):
                connection.sendall(b"1;" + b"a" * 16_000 + b"\r\n{\r\n")
        assert read_all(connection).statuses in ([431], [])
    assert answers(quick)


def test_a_trailer_is_no_header(quick: Server) -> None:
    """Otherwise a client whose proxy removes X-User-UUID could send it after the body."""
    chunked = b"POST /coach/suggestions HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\nConnection: close\r\n\r\n"
    body = b"%x\r\n%s\r\n0\r\nX-User-UUID: somebody\r\n\r\n" % (len(ASK), ASK)
    assert exchange(port_of(quick.url), chunked + body).statuses == [200]


def test_so_many_requests_wait_behind_another(patient: Server) -> None:
    answer = exchange(port_of(patient.url), WHOLE * 1_000)
    assert answer.statuses == [200] * (DEEPEST_PIPELINE + 1) + [503]
    problem(answer, 503, "too_busy")


def test_a_client_that_sends_too_much_reads_the_answer(patient: Server) -> None:
    """The connection is not reset before the client has read the answer."""
    body = b"x" * 8 * MIB
    for _ in range(5):
        problem(exchange(port_of(patient.url), POST % len(body) + body), 413, "body_too_large")
