"""Personal data stay out of logs, also after errors."""

import socket
import sqlite3
import time
from contextlib import closing
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from tests.actors.person import PROFILE, Person
from tests.support.serving import CLIENT, Service, service

INCOME = 31415.92


@pytest.mark.parametrize("log_format", ["json", "text"])
def test_nothing_that_people_send_is_logged_at_any_level(log_format: str, tmp_path: Path) -> None:
    with service(tmp_path, {"LOG_LEVEL": "debug", "LOG_FORMAT": log_format}) as running:
        person = Person(running)
        person.put("/profile", PROFILE | {"allow_exact_income": True, "exact_income_local": INCOME})
        person.get("/data")
        CLIENT.get(f"{running.url}/api/users/%00/points")
        with closing(sqlite3.connect(tmp_path / "var" / "buddy.db")) as database:  # causes an unexpected error
            database.execute("UPDATE profiles SET exact_income_local = -exact_income_local")
            database.commit()
        unforeseen = person.get("/profile")
        log = running.log()
    assert unforeseen.status_code == 500
    assert unforeseen.headers.get_list("x-request-id") == [unforeseen.json()["instance"].removeprefix("urn:request:")]
    assert "unforeseen error" in log
    assert person.uuid not in log
    assert str(INCOME) not in log


def test_a_phone_that_goes_away_while_it_sends_is_no_ones_error(tmp_path: Path) -> None:
    with service(tmp_path) as running:
        address = urlsplit(running.url)
        with socket.create_connection((address.hostname, address.port)) as phone:
            head = "POST /coach/suggestions HTTP/1.1\r\nHost: x\r\nContent-Length: 300\r\n\r\n"
            phone.sendall(head.encode() + b'{"budget_used_ratio": 0.7')
        deadline = time.monotonic() + 3
        while '"status":499' not in running.log() and time.monotonic() < deadline:
            time.sleep(0.05)
        assert '"status":499' in running.log()
        assert '"level":"error"' not in running.log()


@pytest.mark.parametrize("uuid", ["%00", "a%20b", "%F0%9F%90%BC", "x" * 65])
def test_what_can_be_no_ones_id_is_no_one(uuid: str, stored: Service) -> None:
    answer = CLIENT.get(f"{stored.url}/api/users/{uuid}/points")
    assert (answer.status_code, answer.json()["code"]) == (404, "user_unknown")
