"""People who were erased after a backup stay erased when it is restored."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

import httpx
import pytest
from sqlalchemy import select, text
from sqlalchemy.ext.asyncio import AsyncSession

from api.db import erasures, migrate
from api.db.engine import Database
from api.models import Household, HouseholdParticipant, HouseholdUser
from tests.actors.person import WEEK, Person
from tests.support.databases import on
from tests.support.forking import buddy
from tests.support.serving import service

CALM = httpx.Client(timeout=60, limits=httpx.Limits(max_keepalive_connections=0))


@pytest.mark.long
def test_who_was_erased_after_a_backup_stays_erased(own_url: str, tmp_path: Path) -> None:
    run = buddy(tmp_path, DATABASE_URL=own_url)
    with service(tmp_path, {"DATABASE_URL": own_url}) as running:
        kept, gone = Person(running), Person(running)
        for person in (kept, gone):
            person.post("/summaries/weekly", WEEK)
        run("household", "create", "--name", "Gone", "--user", "Ada:ada@example.org", "--timezone", "Europe/Berlin")
        assert run("db", "backup", "safe.bak").returncode == 0
        assert CALM.delete(f"{running.url}/api/users/{gone.uuid}").status_code == 200
        deleted = run("household", "delete", "1", "--yes")
        assert deleted.returncode == 0, deleted.stderr
    restored = run("db", "restore", "safe.bak", "--yes", "--json")
    assert restored.returncode == 0, restored.stderr
    assert json.loads(restored.stdout)["erased_again"] == {"users": 1, "households": 1}
    with service(tmp_path, {"DATABASE_URL": own_url}) as running:
        assert CALM.get(f"{running.url}/api/users/{gone.uuid}/data").status_code == 404
        assert CALM.get(f"{running.url}/api/users/{kept.uuid}/data").status_code == 200
    again = run("db", "restore", "safe.bak", "--yes", "--json")
    assert json.loads(again.stdout)["erased_again"] == {"users": 1, "households": 1}


@pytest.mark.long
def test_an_erasure_that_failed_does_not_count_for_later_backups(own_url: str, tmp_path: Path) -> None:
    """The entry is written before the commit; on SQLite it stays when the commit fails."""
    run = buddy(tmp_path, DATABASE_URL=own_url)
    assert run("db", "upgrade").returncode == 0
    run("household", "create", "--name", "Keep", "--user", "Ada:ada@example.org", "--timezone", "Europe/Berlin")

    async def fail(database: Database) -> None:
        async with AsyncSession(database.writing) as session:
            await session.delete(await session.get_one(Household, 1))
            await session.flush()  # and no commit

    with ledger_clock(datetime.now(UTC) - timedelta(hours=1)):
        on(own_url, fail)
    assert run("db", "backup", "after.bak").returncode == 0
    restored = run("db", "restore", "after.bak", "--yes", "--json")
    assert json.loads(restored.stdout)["erased_again"] == {}
    assert "Keep" in run("household", "list").stdout


@contextmanager
def ledger_clock(now: datetime) -> Iterator[None]:
    """What is entered meanwhile is entered at `now`."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(erasures, "utc_now", lambda: now)
        yield


@pytest.mark.long
@pytest.mark.parametrize("name", ["--keep-name", "--forget-name"])
def test_a_removed_member_stays_removed_and_the_household_has_an_admin(own_url: str, name: str, tmp_path: Path) -> None:
    run = buddy(tmp_path, DATABASE_URL=own_url)
    assert run("db", "upgrade").returncode == 0
    users = ("--user", "Ada:ada@example.org", "--user", "Bob:bob@example.org")
    made = run("household", "create", "--name", "Home", *users, "--timezone", "Europe/Berlin")
    assert made.returncode == 0, made.stderr
    assert run("db", "backup", "safe.bak").returncode == 0
    for command in (
        ("set-role", "1", "bob@example.org", "admin"),
        ("remove-member", "1", "ada@example.org", name, "--yes"),
    ):
        done = run("household", *command)
        assert done.returncode == 0, done.stderr
    restored = run("db", "restore", "safe.bak", "--yes", "--json")
    assert restored.returncode == 0, restored.stderr

    async def members(database: Database) -> tuple[list[tuple[str, str]], set[str]]:
        async with database.read() as session:
            rows = (await session.execute(select(HouseholdUser.email, HouseholdUser.role))).all()
            return [(row.email, row.role) for row in rows], set(
                await session.scalars(select(HouseholdParticipant.name))
            )

    assert on(own_url, members) == (
        [("bob@example.org", "admin")],
        {"Ada" if name == "--keep-name" else "Former member", "Bob"},
    )


def test_without_a_ledger_of_its_own_an_older_database_erases_all_the_same(own_url: str, tmp_path: Path) -> None:
    run = buddy(tmp_path, DATABASE_URL=own_url)
    assert run("db", "upgrade", migrate.newest_revision() or "head").returncode == 0
    assert run("db", "upgrade").returncode == 0
    made = run("household", "create", "--name", "Gone", "--user", "Ada:ada@example.org", "--timezone", "Europe/Berlin")
    assert made.returncode == 0, made.stderr

    async def drop(database: Database) -> None:
        async with database.writing.begin() as connection:
            await connection.execute(text("DROP TABLE IF EXISTS erasure_ledger"))

    on(own_url, drop)
    deleted = run("household", "delete", "1", "--yes")
    assert deleted.returncode == 0, deleted.stderr


@pytest.mark.long
@pytest.mark.parametrize("damage", [b'{"key": "XX', b'{"digest": 1}', b"\xff}"])
def test_a_damaged_ledger_stops_a_restore_and_a_missing_one_is_told(damage: bytes, tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path}/own.db"
    run, ledger = buddy(tmp_path, DATABASE_URL=url), tmp_path / "own.db.erasures"
    assert run("db", "upgrade").returncode == 0
    run("household", "create", "--name", "Gone", "--user", "Ada:ada@example.org", "--timezone", "Europe/Berlin")
    run("db", "backup", "safe.bak")
    run("household", "delete", "1", "--yes")
    whole = ledger.read_bytes()
    ledger.write_bytes(damage + whole[len(damage) :] if damage.startswith(b'{"key') else whole + damage + b"\n")
    refused = run("db", "restore", "safe.bak", "--yes")
    assert refused.returncode == 1
    assert "is damaged" in refused.stderr
    assert "there are no households" in run("household", "list").stdout
    ledger.unlink()
    assert "warning:" in run("db", "restore", "safe.bak", "--yes").stderr


def test_a_ledger_that_was_cut_off_goes_on(tmp_path: Path) -> None:
    file = tmp_path / "own.db.erasures"
    with erasures._appending(file) as (key, opened):
        erasures._append(opened, {"digest": "a", "erased_at": "2026-11-29T00:00:00+00:00"})
    with file.open("ab") as opened:
        opened.write(b'{"digest": "b", "era')
    with erasures._appending(file) as (same, opened):
        erasures._append(opened, {"digest": "c", "erased_at": "2026-11-29T00:00:00+00:00"})
    found = erasures.read_file(file)
    assert found is not None
    assert same == key == found.key
    assert set(found.entries) == {"a", "c"}
    assert file.stat().st_mode & 0o777 == 0o600
