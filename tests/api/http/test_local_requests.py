"""`/metrics` without a token is only for this machine: forwarded requests and other host names are refused."""

import socket
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from starlette.requests import Request

from api.http.local_requests import FORWARDING, is_this_machine
from api.settings import Settings
from tests.support.serving import Service, service

DIRECT = [("localhost", True), ("127.0.0.1", True), ("LOCALHOST", True), ("127.9.9.9", True), ("[::1]", True)]
NAMED = [
    ("buddy.example.org", False),
    ("127.0.0.1.evil.example", False),
    ("localhost.evil.example", False),
    ("", False),
]
ADDED = [
    "Forwarded: for=127.0.0.1",
    "X-Forwarded-For: 127.0.0.1",
    "X-Forwarded-For:",
    "x-forwarded-host: localhost",
    "X-Forwarded-Proto: https",
    "X-Forwarded-Prefix: /",
    "Via: 1.1 proxy",
    "X-Real-IP: 127.0.0.1",
    "CF-Connecting-IP: 127.0.0.1",
    "True-Client-IP: 127.0.0.1",
    "X-Amzn-Trace-Id: Root=1-67891233",
]


def asked(client: str, *headers: tuple[str, str], version: str = "1.1") -> Request:
    raw = [(name.lower().encode(), value.encode()) for name, value in headers]
    return Request({"type": "http", "client": (client, 1), "headers": raw, "http_version": version})


def status_of(running: Service, *lines: str, version: str = "1.1") -> int:
    """The status of a request with exactly these lines."""
    host, _, port = running.url.removeprefix("http://").partition(":")
    with socket.create_connection((host, int(port)), timeout=10) as connection:
        text = "\r\n".join((f"GET /metrics HTTP/{version}", *lines, "Connection: close", "", ""))
        connection.sendall(text.encode())
        return int(connection.makefile("rb").readline().split()[1])


PRIVATE = {"METRICS_TOKEN": "", "TRUSTED_PROXIES": ""}


@pytest.mark.parametrize(
    "elsewhere",
    [{"TRUSTED_PROXIES": "127.0.0.1"}, {"PUBLIC_URL": "https://buddy.example.org"}, {"HOST": "0.0.0.0"}],  # noqa: S104
)
def test_who_is_reached_from_elsewhere_shows_metrics_to_the_token_alone(
    elsewhere: dict[str, str], tmp_path: Path
) -> None:
    """A proxy on this machine may add no header."""
    with service(tmp_path, PRIVATE | elsewhere) as running:
        assert status_of(running, "Host: 127.0.0.1:8000") == 403


@pytest.mark.parametrize(
    ("settings", "is_public"),
    [
        ({}, False),
        ({"host": "::1", "public_url": "http://LOCALHOST:8000"}, False),
        ({"trusted_proxies": "10.0.0.1/8"}, True),
        ({"trusted_proxies": "*"}, True),
        ({"public_url": "http://192.168.1.5"}, True),
        ({"host": "::"}, True),
    ],
)
def test_the_settings_tell_whether_others_reach_the_service(settings: dict[str, str], is_public: bool) -> None:
    assert Settings.model_validate(settings).is_public is is_public


def test_this_machine_reads_metrics_and_no_proxy_on_it_does(tmp_path: Path) -> None:
    with service(tmp_path, PRIVATE) as running:
        only_this_machine_reads(running)


def only_this_machine_reads(running: Service) -> None:
    direct = [status_of(running, f"Host: {host}:8000") for host, _ in DIRECT]
    assert direct == [200] * len(DIRECT)
    named = [status_of(running, f"Host: {host}") for host, _ in NAMED]
    assert named == [403] * len(NAMED)
    forwarded = {line: status_of(running, "Host: 127.0.0.1:8000", line) for line in ADDED}
    assert forwarded == dict.fromkeys(ADDED, 403)
    assert status_of(running, "Host: 127.0.0.1:8000", version="1.0") == 403, "nginx speaks so when it is told nothing"


@given(
    st.sampled_from(FORWARDING),
    st.text(st.characters(codec="ascii", categories=["Ll", "Nd"]), max_size=12),
    st.text(st.characters(codec="ascii"), max_size=20),
)
def test_any_forwarding_header_with_any_value_is_enough(begins: str, ends: str, value: str) -> None:
    assert not is_this_machine(asked("127.0.0.1", ("Host", "localhost:8000"), (begins + ends, value)))


@pytest.mark.parametrize(("host", "is_here"), DIRECT + NAMED)
@pytest.mark.parametrize(
    ("client", "is_near"), [("127.0.0.1", True), ("::1", True), ("203.0.113.9", False), ("x", False)]
)
def test_address_and_name_must_both_be_this_machines(host: str, is_here: bool, client: str, is_near: bool) -> None:
    assert is_this_machine(asked(client, ("Host", f"{host}:8000" if host else ""))) is (is_here and is_near)
    assert not is_this_machine(asked(client, ("Host", host), ("Host", "localhost")))
    assert not is_this_machine(asked(client))
