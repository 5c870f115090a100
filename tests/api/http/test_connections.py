"""Limits and deadlines of connections, over bare sockets, against the real server."""

import contextlib
import json
import random
import re
import resource
import signal
import socket
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from api.http.protocol import DEEPEST_PIPELINE, LARGEST_HEAD, LONGEST_TARGET, MOST_HEADERS
from api.http.traffic import UNSENT_BYTES
from api.kakei.coach.schemas import EXAMPLE_CONTEXT
from tests.support.rawhttp import Answer, connected, exchange, many, open_sockets, port_of, read_all, resident_bytes
from tests.support.serving import CLIENT, STARTING_SECONDS, Service, service

MIB = 2**20
QUICK = {
    "HTTP_HEAD_SECONDS": "0.6",
    "HTTP_BODY_SECONDS": "0.6",
    "HTTP_IDLE_SECONDS": "0.6",
    "HTTP_WRITE_SECONDS": "0.6",
    "LOG_LEVEL": "warning",
    "TRUSTED_PROXIES": "",
}
LIVE = b"GET /health/live HTTP/1.1\r\nHost: buddy\r\n"
WHOLE = LIVE + b"\r\n"
ASK = json.dumps(EXAMPLE_CONTEXT).encode()
POST = b"POST /coach/suggestions HTTP/1.1\r\nHost: buddy\r\nContent-Length: %d\r\n\r\n"
HALF_BODY = POST % len(ASK) + ASK[:20]
CROWD = 1_000
ROOM = 200
"""Connections that the small service keeps."""


def allow_files(number: int) -> None:
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft < number:
        resource.setrlimit(resource.RLIMIT_NOFILE, (number, hard))


@pytest.fixture(scope="module")
def quick(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    """Deadlines of some tenths of a second."""
    allow_files(2 * CROWD + 500)
    with service(tmp_path_factory.mktemp("quick"), QUICK) as running:
        yield running


@pytest.fixture(scope="module")
def patient(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    """Long deadlines, which no test waits for, and a low limit on connections."""
    settings = {"HTTP_CONNECTIONS": str(ROOM), "LOG_LEVEL": "warning", "TRUSTED_PROXIES": ""}
    with service(tmp_path_factory.mktemp("patient"), settings) as running:
        yield running


@pytest.fixture(scope="module")
def proxied(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    """The same behind a proxy at 127.0.0.1."""
    settings = {"HTTP_CONNECTIONS": str(ROOM), "LOG_LEVEL": "warning"}
    with service(tmp_path_factory.mktemp("proxied"), settings) as running:
        yield running


def answers(running: Service) -> bool:
    return CLIENT.post(f"{running.url}/coach/suggestions", content=ASK, timeout=20).status_code == 200


def problem(answer: Answer, status: int, code: str) -> None:
    """The last answer is this problem, and the connection is closed in order."""
    assert answer.statuses[-1:] == [status], answer
    assert not answer.timed_out
    head, _, body = answer.content.rpartition(b"\r\n\r\n")
    assert b"connection: close" in head.rpartition(b"HTTP/1.1 ")[2]
    told = json.loads(body)
    assert (told["status"], told["code"]) == (status, code)
    assert told["instance"].removeprefix("urn:request:").encode() in head


# What a request may hold


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
    sent: bytes, status: int, code: str, patient: Service, quick: Service
) -> None:
    for running in (patient, quick):
        problem(exchange(port_of(running.url), sent), status, code)
    if sent.strip():  # empty lines after a request are skipped and not stored
        problem(exchange(port_of(patient.url), WHOLE + sent), status, code)


def test_http_1_0_needs_no_host_and_a_host_may_be_empty(quick: Service) -> None:
    for head in (b"HTTP/1.0\r\n", b"HTTP/1.1\r\nHost:\r\nConnection: close\r\n"):
        assert exchange(port_of(quick.url), b"GET /health/live " + head + b"\r\n").statuses == [200]


def test_what_just_fits_is_answered(quick: Service) -> None:
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
def test_two_hundred_megabytes_of_headers_or_trailers_take_no_memory(line: bytes, head: bytes, quick: Service) -> None:
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


def test_chunk_extensions_are_bounded(quick: Service) -> None:
    head = b"POST /coach/suggestions HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n"
    with contextlib.closing(connected(port_of(quick.url))) as connection:
        connection.sendall(head)
        with contextlib.suppress(ConnectionError):
            for _ in range(1_000):
                connection.sendall(b"1;" + b"a" * 16_000 + b"\r\n{\r\n")
        assert read_all(connection).statuses in ([431], [])
    assert answers(quick)


def test_a_trailer_is_no_header(quick: Service) -> None:
    """Otherwise a client whose proxy removes X-User-UUID could send it after the body."""
    chunked = b"POST /coach/suggestions HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\nConnection: close\r\n\r\n"
    body = b"%x\r\n%s\r\n0\r\nX-User-UUID: somebody\r\n\r\n" % (len(ASK), ASK)
    assert exchange(port_of(quick.url), chunked + body).statuses == [200]


def test_so_many_requests_wait_behind_another(patient: Service) -> None:
    answer = exchange(port_of(patient.url), WHOLE * 1_000)
    assert answer.statuses == [200] * (DEEPEST_PIPELINE + 1) + [503]
    problem(answer, 503, "too_busy")


def test_a_client_that_sends_too_much_reads_the_answer(patient: Service) -> None:
    """The connection is not reset before the client has read the answer."""
    body = b"x" * 8 * MIB
    for _ in range(5):
        problem(exchange(port_of(patient.url), POST % len(body) + body), 413, "body_too_large")


# How long a client may take


def test_a_head_that_does_not_end_is_408(quick: Service) -> None:
    port = port_of(quick.url)
    problem(exchange(port, LIVE), 408, "request_timeout")
    answer = exchange(port, WHOLE + LIVE)
    assert answer.statuses == [200, 408]
    problem(answer, 408, "request_timeout")


def test_a_body_that_does_not_end_is_408_once(quick: Service) -> None:
    port = port_of(quick.url)
    problem(exchange(port, HALF_BODY), 408, "request_timeout")
    assert exchange(port, HALF_BODY).statuses == [408]
    assert exchange(port, WHOLE + HALF_BODY).statuses == [200, 408]
    form = b"POST /family/login HTTP/1.1\r\nHost: x\r\nContent-Length: 10\r\n\r\na=b"
    assert exchange(port, form).statuses in ([408], [403])
    unread = b"POST /nothing HTTP/1.1\r\nHost: x\r\nContent-Length: 10\r\n\r\nabc"
    assert exchange(port, unread).statuses == [404]


def test_who_says_nothing_is_closed_without_a_word(quick: Service) -> None:
    port = port_of(quick.url)
    assert exchange(port, b"") == Answer(b"")
    assert exchange(port, WHOLE).statuses == [200]


def test_a_client_that_sends_byte_by_byte_is_not_waited_for(quick: Service) -> None:
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
def test_a_thousand_connections_that_wait_are_gone_after_the_deadline(sent: bytes, quick: Service) -> None:
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
def test_connections_that_wait_make_room_for_one_that_asks(sent: bytes, patient: Service) -> None:
    """No deadline passes here: the connection that waits longest is dropped."""
    with many(port_of(patient.url), 3 * ROOM, sent):
        for _ in range(20):
            assert answers(patient)
        assert open_sockets(patient.process.pid) < 2 * ROOM


@pytest.mark.parametrize("sent", [b"", LIVE, HALF_BODY, WHOLE], ids=["idle", "half head", "half body", "kept alive"])
def test_many_connections_of_one_address_cut_no_upload_of_another(sent: bytes, patient: Service) -> None:
    port = port_of(patient.url)
    with contextlib.ExitStack() as held:
        phones = [held.enter_context(contextlib.closing(connected(port, source="127.0.0.2"))) for _ in range(3)]
        for phone in phones:
            phone.sendall(POST % len(ASK) + ASK[:20])
        held.enter_context(many(port, 3 * ROOM, sent))
        for phone in phones:
            phone.sendall(ASK[20:])
            assert phone.recv(65536).startswith(b"HTTP/1.1 200 ")


def test_of_one_address_idle_connections_make_room_before_uploads(patient: Service) -> None:
    port = port_of(patient.url)
    with contextlib.closing(connected(port)) as phone:
        phone.sendall(POST % len(ASK) + ASK[:20])
        with many(port, 3 * ROOM):
            phone.sendall(ASK[20:])
            assert phone.recv(65536).startswith(b"HTTP/1.1 200 ")


def test_behind_a_proxy_no_upload_is_cut(proxied: Service) -> None:
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


def test_clients_that_do_not_read_hold_a_bounded_memory(quick: Service) -> None:
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


def test_a_slow_reader_gets_all_of_it(quick: Service) -> None:
    expected = CLIENT.get(f"{quick.url}/openapi.json").content
    with contextlib.closing(connected(port_of(quick.url), receive_buffer=4096)) as connection:
        connection.sendall(b"GET /openapi.json HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
        content = bytearray()
        while part := connection.recv(4096):
            content += part
            time.sleep(0.01)
    assert content.endswith(expected[-1_000:])
    assert len(content) > len(expected)


# Everything goes on


def test_a_connection_is_kept_after_an_error(quick: Service) -> None:
    bad = b"POST /coach/suggestions HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\n\r\n{}"
    answer = exchange(port_of(quick.url), bad + b"GET /nothing HTTP/1.1\r\nHost: x\r\n\r\n" + WHOLE)
    assert answer.statuses == [422, 404, 200]


@pytest.mark.parametrize("upgrade", [b"h2c", b"websocket"])
def test_who_asks_for_another_protocol_is_answered_in_this_one(upgrade: bytes, quick: Service) -> None:
    asked = b"Connection: Upgrade, HTTP2-Settings\r\nUpgrade: " + upgrade + b"\r\nHTTP2-Settings: AAEA\r\n"
    assert exchange(port_of(quick.url), LIVE + asked + b"\r\n" + WHOLE).statuses == [200, 200]


@pytest.mark.parametrize("upgrade", [b"h2c", b"websocket"])
@pytest.mark.parametrize("framing", ["length", "chunks", "last"])
@pytest.mark.parametrize("piece", [10_000, 97, 1])
def test_a_body_behind_an_upgrade_is_read(upgrade: bytes, framing: str, piece: int, quick: Service) -> None:
    """As if the request did not ask for another protocol, and so are the requests behind it."""
    asked = b"Host: buddy\r\nConnection: Upgrade%b\r\nUpgrade: " % (b", close" if framing == "last" else b"") + upgrade
    framed, body = b"Content-Length: %d" % len(ASK), ASK
    if framing == "chunks":
        framed, body = b"Transfer-Encoding: chunked", b"%x\r\n%b\r\n0\r\n\r\n" % (len(ASK), ASK)
    once = b"POST /coach/suggestions HTTP/1.1\r\n" + asked + b"\r\n" + framed + b"\r\n\r\n" + body
    sent = once if framing == "last" else once * 3 + WHOLE
    with contextlib.closing(connected(port_of(quick.url))) as connection:
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        for start in range(0, len(sent), piece):
            connection.sendall(sent[start : start + piece])
        answer = read_all(connection)
    assert answer.statuses == ([200] if framing == "last" else [200] * 4)
    assert answer.content.count(b'"source":"policy"') == (1 if framing == "last" else 3)


def test_a_body_behind_an_upgrade_has_the_same_bounds(quick: Service) -> None:
    head = b"POST /coach/suggestions HTTP/1.1\r\nHost: x\r\nConnection: upgrade\r\nUpgrade: h2c\r\n"
    problem(exchange(port_of(quick.url), head + b"Content-Length: 50\r\n\r\n{"), 408, "request_timeout")
    problem(exchange(port_of(quick.url), head + b"Transfer-Encoding: chunked\r\n\r\nzz\r\n"), 400, "malformed_request")
    assert exchange(port_of(quick.url), b"CONNECT x:1 HTTP/1.1\r\nHost: x:1\r\n\r\n" + WHOLE).statuses == [400]


def test_ipv6_has_the_same_limits(tmp_path: Path) -> None:
    with service(tmp_path, QUICK, host="::1") as running:
        port = port_of(running.url)
        assert exchange(port, WHOLE, host="::1").statuses == [200]
        problem(exchange(port, LIVE, host="::1"), 408, "request_timeout")


def test_several_workers_have_the_same_limits(redis_url: str, tmp_path: Path) -> None:
    settings = QUICK | {"WEB_CONCURRENCY": "2", "REDIS_URL": redis_url, "LOG_LEVEL": "info"}
    with service(tmp_path, settings) as running:
        port, deadline = port_of(running.url), time.monotonic() + STARTING_SECONDS
        while running.log().count("Application startup complete") < 2 and time.monotonic() < deadline:
            time.sleep(0.1)  # a worker that still starts does not stop at once
        for _ in range(6):
            problem(exchange(port, LIVE), 408, "request_timeout")
            problem(exchange(port, LIVE + b"A: b\r\n" * 200), 431, "headers_too_large")
        with many(port, 100, LIVE):
            assert answers(running)


def test_the_service_stops_though_clients_wait(tmp_path: Path) -> None:
    with contextlib.ExitStack() as open_ones:
        with service(tmp_path, QUICK | {"HTTP_BODY_SECONDS": "3"}) as running:
            for sent in (b"", LIVE, HALF_BODY, WHOLE):
                open_ones.enter_context(many(port_of(running.url), 10, sent))
            assert answers(running)
        assert running.process.poll() in {0, -signal.SIGTERM}  # else it had been killed after ten seconds


def test_what_is_refused_is_logged_now_and_then(tmp_path: Path) -> None:
    with service(tmp_path, QUICK) as running:
        for _ in range(50):
            exchange(port_of(running.url), b"GET /" + b"a" * LONGEST_TARGET + b" HTTP/1.1\r\n\r\n")
        lines = re.findall(r"connections were refused or dropped", running.log())
    assert 1 <= len(lines) <= 3


def test_random_pieces_of_a_request_are_put_together(quick: Service) -> None:
    seed = random.randrange(2**32)
    print(f"seed {seed}")
    rng = random.Random(seed)
    sent = (WHOLE + POST % len(ASK) + ASK) * 5
    for _ in range(10):
        with contextlib.closing(connected(port_of(quick.url))) as connection:
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            start = 0
            while start < len(sent):
                size = rng.choice([1, 3, 50, 400])
                connection.sendall(sent[start : start + size])
                start += size
            assert read_all(connection).statuses == [200] * 10, seed
