"""Connections go on after errors, upgrades, in pieces, over IPv6, with workers, and end with the service."""

import contextlib
import random
import re
import signal
import socket
import time
from pathlib import Path

import pytest

from api.http.protocol import LONGEST_TARGET
from tests.support.connections import ASK, HALF_BODY, LIVE, POST, QUICK, WHOLE, answers, problem
from tests.support.rawhttp import connected, exchange, many, port_of, read_all
from tests.support.serving import STARTING_SECONDS, Server, service


def test_a_connection_is_kept_after_an_error(quick: Server) -> None:
    bad = b"POST /coach/suggestions HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\n\r\n{}"
    answer = exchange(port_of(quick.url), bad + b"GET /nothing HTTP/1.1\r\nHost: x\r\n\r\n" + WHOLE)
    assert answer.statuses == [422, 404, 200]


@pytest.mark.parametrize("upgrade", [b"h2c", b"websocket"])
def test_who_asks_for_another_protocol_is_answered_in_this_one(upgrade: bytes, quick: Server) -> None:
    asked = b"Connection: Upgrade, HTTP2-Settings\r\nUpgrade: " + upgrade + b"\r\nHTTP2-Settings: AAEA\r\n"
    assert exchange(port_of(quick.url), LIVE + asked + b"\r\n" + WHOLE).statuses == [200, 200]


@pytest.mark.long
@pytest.mark.parametrize("upgrade", [b"h2c", b"websocket"])
@pytest.mark.parametrize("framing", ["length", "chunks", "last"])
@pytest.mark.parametrize("piece", [10_000, 97, 1])
def test_a_body_behind_an_upgrade_is_read(upgrade: bytes, framing: str, piece: int, quick: Server) -> None:
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


def test_a_body_behind_an_upgrade_has_the_same_bounds(quick: Server) -> None:
    head = b"POST /coach/suggestions HTTP/1.1\r\nHost: x\r\nConnection: upgrade\r\nUpgrade: h2c\r\n"
    problem(exchange(port_of(quick.url), head + b"Content-Length: 50\r\n\r\n{"), 408, "request_timeout")
    problem(exchange(port_of(quick.url), head + b"Transfer-Encoding: chunked\r\n\r\nzz\r\n"), 400, "malformed_request")
    assert exchange(port_of(quick.url), b"CONNECT x:1 HTTP/1.1\r\nHost: x:1\r\n\r\n" + WHOLE).statuses == [400]


def test_ipv6_has_the_same_limits(tmp_path: Path) -> None:
    with service(tmp_path, QUICK, host="::1") as running:
        port = port_of(running.url)
        assert exchange(port, WHOLE, host="::1").statuses == [200]
        problem(exchange(port, LIVE, host="::1"), 408, "request_timeout")


@pytest.mark.long
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


@pytest.mark.long
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


@pytest.mark.long
def test_random_pieces_of_a_request_are_put_together(quick: Server) -> None:
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
