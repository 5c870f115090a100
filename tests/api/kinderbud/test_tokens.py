"""Tokens after creation: revocation is immediate everywhere, use is recorded once a minute, and the log never contains
one.
"""

import asyncio
import json
import sqlite3
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from urllib.parse import urlsplit

import asyncpg
import pytest

from api.auth.cookies import secret_digest
from api.kinderbud.auth import new_token
from api.kinderbud.households.actions import Child
from tests.actors.family import Family
from tests.support.clients import at_once
from tests.support.databases import empty_database, rows
from tests.support.lived import lived_service
from tests.support.serving import STARTING_SECONDS, new_client, service

NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)
SQLITE_DIARY = """
CREATE TABLE seen (used_at TEXT);
CREATE TRIGGER seen_token AFTER UPDATE OF last_used_at ON household_tokens
BEGIN INSERT INTO seen VALUES (NEW.last_used_at); END;
"""
POSTGRES_DIARY = """
CREATE TABLE seen (used_at TEXT);
CREATE FUNCTION note_seen() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
INSERT INTO seen VALUES (to_char(NEW.last_used_at AT TIME ZONE 'UTC', 'YYYY-MM-DD HH24:MI:SS')); RETURN NEW;
END $$;
CREATE TRIGGER seen_token AFTER UPDATE OF last_used_at ON household_tokens FOR EACH ROW EXECUTE FUNCTION note_seen();
"""
"""A trigger records each write of `last_used_at`."""


@pytest.fixture(params=["sqlite", "postgresql"])
def database(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    with empty_database(request.param, request, tmp_path) as url:
        yield url


def run_script(url: str, script: str) -> None:
    """Run SQL in the database, outside the service."""
    if url.startswith("sqlite"):
        with closing(sqlite3.connect(urlsplit(url).path)) as connection:
            connection.executescript(script)
        return

    async def run() -> None:
        connection = await asyncpg.connect(url)
        try:
            await connection.execute(script)
        finally:
            await connection.close()

    asyncio.run(run())


def eventually(told: Callable[[], bool]) -> None:
    """Wait for background work."""
    deadline = time.monotonic() + STARTING_SECONDS
    while not told():
        assert time.monotonic() < deadline
        time.sleep(0.02)


@pytest.mark.long
def test_a_revoked_token_is_refused_at_once_by_every_process(database: str, tmp_path: Path) -> None:
    environment = {"DATABASE_URL": database}
    with service(tmp_path, environment) as one, service(tmp_path, environment) as other, new_client() as client:
        family = Family(one)
        kept, lost = family.new_token(), family.token

        def asked(token: str) -> list[int]:
            shown, key = {"Authorization": f"Bearer {token}"}, {"Idempotency-Key": "once"}
            bases = [f"{running.url}/api/v1" for running in (one, other)]
            read = [client.get(f"{base}/me", headers=shown) for base in bases]
            written = [client.post(f"{base}/todos", json={"title": "Sing"}, headers=shown | key) for base in bases]
            return [answer.status_code for answer in (*read, *written)]

        assert asked(lost) == asked(kept) == [200] * 4
        listed = json.loads(one.buddy("token", "list", str(family.id), "--json"))
        assert [entry["revoked_at"] for entry in listed] == [None, None]
        said = one.buddy("token", "revoke", str(listed[0]["id"]))
        assert asked(lost) == [401] * 4  # including answers stored for its retries
        assert asked(kept) == [200] * 4
        again = json.loads(one.buddy("token", "list", str(family.id), "--json"))
        assert [entry["revoked_at"] is not None for entry in again] == [True, False]
        assert not any(
            secret in said + str(again) for token in (lost, kept) for secret in (token, secret_digest(token))
        )


def test_the_use_of_a_token_is_written_at_most_once_a_minute(database: str, tmp_path: Path) -> None:
    with lived_service(tmp_path, database, now=NOON) as running:
        family = Family(running, now=NOON)
        run_script(database, SQLITE_DIARY if database.startswith("sqlite") else POSTGRES_DIARY)

        def diary() -> list[str]:
            return sorted(str(row[0])[:19] for row in rows(database, "SELECT used_at FROM seen"))

        def used_at(seconds: int) -> str:
            return f"{NOON + timedelta(seconds=seconds):%Y-%m-%d %H:%M:%S}"

        def ask(seconds: int) -> None:
            running.clock.now = NOON + timedelta(seconds=seconds)
            family.read("/me")

        due: list[str] = []
        for minute in (0, 60, 120):
            due.append(used_at(minute))
            ask(minute)
            eventually(lambda: len(diary()) >= len(due))
            ask(minute + 1)
            ask(minute + 59)
        assert diary() == due
        running.clock.now = NOON + timedelta(seconds=180)
        at_once([lambda: family.read("/me")] * 20)
        eventually(lambda: len(diary()) > len(due))
        ask(240)
        due += [used_at(180), used_at(240)]
        eventually(lambda: len(diary()) >= len(due))
        assert diary() == due
        (token,) = json.loads(running.buddy("token", "list", str(family.id), "--json"))
        assert token["last_used_at"][:19].replace("T", " ") == used_at(240)


def secrets_of(family: Family, child: str, unknown: str) -> list[str]:
    tokens = [family.token, unknown]
    return [*tokens, *[token.removeprefix("kb_live_") for token in tokens], *map(secret_digest, tokens), child]


def test_the_log_holds_no_token_and_no_name_of_a_child_and_the_database_no_token(database: str, tmp_path: Path) -> None:
    child, unknown = "Zebulonia", new_token()
    environment = {"DATABASE_URL": database, "LOG_LEVEL": "debug"}
    with service(tmp_path, environment) as running, new_client(timeout=30) as client:
        family = Family(running, children=(Child(child, date(2025, 3, 1)),))
        family.follow(participant=child)
        number = family.data("POST", "/todos", {"title": f"Sing for {child}", "description": family.token})["id"]
        family.data(
            "POST", f"/todos/{number}/complete", {"notes": f"{child} sang"}, Idempotency_Key=f"{child}-{family.token}"
        )
        family.snooze(number, reason=f"{child} sleeps")
        family.read("/today")
        wrong = [
            *("/me", "/nothing", f"/todos?participant_id={child}", f"/today?child={child}", f"/{child}"),
            *(f"/todos/{child}", f"/todos/{family.token}", f"/me?token={family.token}", f"/guides/1?{unknown}"),
        ]
        for path in wrong:
            for shown in (f"Bearer {family.token}", f"Bearer {unknown}", family.token, f"Basic {family.token}"):
                client.get(f"{running.url}/api/v1{path}", headers={"Authorization": shown})
        for body in (
            f'{{"title": "{child}',
            f'{{"{child}": 1}}',
            f'{{"title": ["{child}"]}}',
            f'{{"title": "{child}\\u0000"}}',
        ):
            headers = {"Authorization": f"Bearer {family.token}", "Content-Type": "application/json"}
            answer = client.post(f"{running.url}/api/v1/todos", content=body, headers=headers)
            assert answer.status_code == 400
        family.ask("POST", "/chat", {"message": f"Why does {child} cry?"})
        assert secret_digest(family.token) in str(rows(database, "SELECT digest FROM household_tokens"))
        for table in ("household_tokens", "household_users", "households"):
            assert family.token.removeprefix("kb_live_") not in str(rows(database, f"SELECT * FROM {table}"))  # noqa: S608
        # An unforeseen error: without a table, SQLite reports a short outage, PostgreSQL an error of ours.
        run_script(database, "ALTER TABLE todo_actions RENAME TO taken_away")
        for path, body_ in (
            (f"/todos/{number}/complete", {"notes": child}),
            (f"/todos/{number}/snooze", {"reason": child}),
        ):
            broken = family.ask("POST", path, body_)
            assert (broken.status_code >= 500, broken.json()["code"]) == (True, "INTERNAL_ERROR")
            assert child not in broken.text
        log = running.log()
        assert log.count('"route":"/api/v1/todos/{todo_id}/complete"') == 2
        assert '"unforeseen error"' in log or '"database unavailable"' in log
        assert [secret for secret in secrets_of(family, child, unknown) if secret in log] == []
