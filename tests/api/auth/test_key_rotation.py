"""The key file, key rotation, and the file permissions of what the service writes."""

import asyncio
import json
import os
import sqlite3
import stat
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path

import pytest
from sqlalchemy import select

from api.auth import key_file
from api.auth.key_rotation import ROWS
from api.auth.keyring import Keyring
from api.database_url import read_url
from api.db import migrate
from api.db.engine import open_database
from api.db.private_files import make_private, too_open
from api.models import Household
from tests.support.databases import empty_database
from tests.support.forking import buddy
from tests.support.serving import service

OLD, NEW = "Vq7-the old one retires-58nXk4Lt", "m2W-the new one remains-93pZr6Hd"

MANY = 10 * ROWS
"""Values; a rotation takes many transactions for them."""
ALL = {f"Home {number}": f"key {number}".encode() for number in range(MANY)}


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def test_of_processes_that_start_at_once_all_have_the_same_key(tmp_path: Path) -> None:
    file = tmp_path / "var" / "secret-key"
    with ThreadPoolExecutor(16) as pool:
        found = list(pool.map(lambda _: key_file.read_or_make(file), range(64)))
    assert len({tuple(keys) for keys, _ in found}) == 1
    assert sum(made for _, made in found) == 1
    assert [path.name for path in file.parent.iterdir()] == ["secret-key"]
    assert mode(file) == 0o600


@pytest.mark.parametrize("content", [b"", b"\n", b"abc", b"\xff" * 64, b"0" * 64 + b","])
def test_a_broken_key_file_stops_the_start_in_one_line(content: bytes, tmp_path: Path) -> None:
    (tmp_path / "var").mkdir()
    (tmp_path / "var" / "secret-key").write_bytes(content)
    refused = buddy(tmp_path)("serve", "--port", "0")
    assert refused.returncode == 1
    assert refused.stderr.startswith("error: var/secret-key ")
    assert len(refused.stderr.splitlines()) == 1
    assert (tmp_path / "var" / "secret-key").read_bytes() == content


@pytest.mark.parametrize("content", [b"", b"abc", b"\xff" * 64, None])
def test_a_broken_key_file_ends_a_rotation_in_one_line(content: bytes | None, tmp_path: Path) -> None:
    """None stands for a FIFO, which has no writer and would block."""
    assert buddy(tmp_path)("db", "upgrade").returncode == 0
    file = tmp_path / "var" / "secret-key"
    file.unlink(missing_ok=True)
    os.mkfifo(file) if content is None else file.write_bytes(content)
    refused = buddy(tmp_path)("secrets", "rotate")
    assert refused.returncode == 1
    assert refused.stderr.startswith("error: var/secret-key ")
    assert len(refused.stderr.splitlines()) == 1


def with_claude_key(tmp_path: Path, wrapped: str, environment: dict[str, str]) -> Path:
    run = buddy(tmp_path, **environment)
    assert run("db", "upgrade").returncode == 0
    run("household", "create", "--name", "Home", "--user", "Ada:ada@example.org")
    file = tmp_path / "var" / "buddy.db"
    with closing(sqlite3.connect(file)) as database, database:
        database.execute("UPDATE households SET claude_key = ?", (wrapped,))
    return file


def stored(file: Path) -> str:
    with closing(sqlite3.connect(file)) as database:
        return str(database.execute("SELECT claude_key FROM households").fetchone()[0])


def test_an_old_key_retires_beside_a_running_service(tmp_path: Path) -> None:
    both = {"SECRET_KEY": f"{NEW},{OLD}"}
    file = with_claude_key(tmp_path, Keyring([OLD]).wrap(b"claude"), both)
    with service(tmp_path, both | {"DATABASE_URL": f"sqlite:///{file}"}):
        before = json.loads(buddy(tmp_path, **both)("doctor", "--json").stdout)
        assert "1 values need an older key" in str(before)
        done = buddy(tmp_path, **both)("secrets", "rotate")
        assert done.returncode == 0, done.stderr
        assert "older keys may be taken out" in done.stdout
    assert Keyring([NEW]).unwrap(stored(file)) == b"claude"
    again = buddy(tmp_path, **both)("secrets", "rotate", "--json")
    assert json.loads(again.stdout)["rotated"] == 0


def test_a_value_of_an_unknown_key_keeps_every_key(tmp_path: Path) -> None:
    both = {"SECRET_KEY": f"{NEW},{OLD}"}
    file = with_claude_key(tmp_path, Keyring(["Kd8-that nobody has any more-71sQv"]).wrap(b"claude"), both)
    before = stored(file)
    done = buddy(tmp_path, **both)("secrets", "rotate")
    assert (done.returncode, stored(file)) == (1, before)
    assert "keep every key" in done.stderr


def test_the_key_file_is_made_anew_while_no_service_runs(tmp_path: Path) -> None:
    keys, _ = key_file.read_or_make(tmp_path / "var" / "secret-key")
    file = with_claude_key(tmp_path, Keyring(keys).wrap(b"claude"), {})
    with service(tmp_path, {"DATABASE_URL": f"sqlite:///{file}"}):
        refused = buddy(tmp_path)("secrets", "rotate")
        assert (refused.returncode, refused.stderr) == (1, "error: a service runs on this database: stop it first\n")
    done = buddy(tmp_path)("secrets", "rotate")
    assert done.returncode == 0, done.stderr
    now = key_file.read(tmp_path / "var" / "secret-key")
    assert len(now) == 1
    assert now != keys
    assert Keyring(now).unwrap(stored(file)) == b"claude"
    assert key_file.retired_keys(tmp_path / "var" / "secret-key") == keys


def test_a_backup_of_before_a_rotation_is_still_opened(tmp_path: Path) -> None:
    key, _ = key_file.read_or_make(tmp_path / "var" / "secret-key")
    file = with_claude_key(tmp_path, Keyring(key).wrap(b"claude"), {})
    run = buddy(tmp_path)
    assert run("db", "backup", "before.bak").returncode == 0
    for _ in range(2):
        assert run("secrets", "rotate").returncode == 0
    assert run("db", "restore", "before.bak", "--yes").returncode == 0
    assert "1 values need an older key" in run("doctor", "--json").stdout
    assert run("secrets", "rotate").returncode == 0
    assert Keyring(key_file.read(tmp_path / "var" / "secret-key")).unwrap(stored(file)) == b"claude"


def test_what_the_service_writes_is_its_own(tmp_path: Path) -> None:
    before = os.umask(0)
    try:
        with service(tmp_path, {"SECRET_KEY": ""}):
            buddy(tmp_path)("db", "backup", "safe.bak")
            files = [path for path in (tmp_path / "var").rglob("*") if path.is_file()]
            assert {"buddy.db", "buddy.db-wal", "secret-key"} <= {path.name for path in files}
            assert {mode(path) for path in [*files, tmp_path / "safe.bak"]} == {0o600}
            assert mode(tmp_path / "var") == 0o700
    finally:
        os.umask(before)


def test_files_that_others_may_read_are_named_and_closed(tmp_path: Path) -> None:
    buddy(tmp_path)("db", "upgrade")
    url, file = f"sqlite:///{tmp_path}/var/buddy.db", tmp_path / "var" / "buddy.db"
    file.chmod(0o644)
    told = buddy(tmp_path)("doctor", "--json")
    assert told.returncode == 1
    assert "other accounts may read buddy.db" in told.stdout
    assert too_open(read_url(url)) == [file]
    assert make_private(read_url(url)) == []
    assert mode(file) == 0o600


@pytest.fixture(params=["sqlite", "postgresql"])
def many(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """A database with many values of the old key."""
    with empty_database(request.param, request, tmp_path) as url:

        async def fill() -> None:
            database = open_database(url)
            await migrate.prepare(database)
            old, now = Keyring([OLD]), datetime.now(UTC)
            async with database.write() as session:
                session.add_all(
                    Household(
                        name=f"Home {number}",
                        time_zone="UTC",
                        daily_task_count=8,
                        claude_key=old.wrap(f"key {number}".encode()),
                        created_at=now,
                    )
                    for number in range(MANY)
                )
            await database.close()

        asyncio.run(fill())
        yield url


def keys_in(url: str) -> dict[str, str]:
    """The encrypted keys by household."""

    async def run() -> dict[str, str]:
        database = open_database(url)
        async with database.read() as session:
            rows = (await session.execute(select(Household.name, Household.claude_key))).all()
        await database.close()
        return {name: str(key) for name, key in rows}

    return asyncio.run(run())


@pytest.mark.long
def test_a_rotation_that_is_killed_midway_loses_nothing_and_goes_on(many: str, tmp_path: Path) -> None:
    both = {"DATABASE_URL": many, "SECRET_KEY": f"{NEW},{OLD}"}
    command = [sys.executable, "-m", "api", "secrets", "rotate"]
    with subprocess.Popen(command, cwd=tmp_path, env=os.environ | both, stderr=subprocess.PIPE, text=True) as process:
        assert process.stderr is not None
        assert any(f"{ROWS} encrypted again" in line for line in process.stderr)
        process.kill()
    newest, ring = Keyring([NEW]), Keyring([NEW, OLD])
    halfway = keys_in(many)
    assert {name: ring.unwrap(key) for name, key in halfway.items()} == ALL
    assert ROWS <= sum(newest.is_newest(key) for key in halfway.values()) < MANY
    again = buddy(tmp_path, **both)("secrets", "rotate", "--json")
    assert again.returncode == 0, again.stderr
    assert json.loads(again.stdout)["rotated"] == sum(not newest.is_newest(key) for key in halfway.values())
    assert {name: newest.unwrap(key) for name, key in keys_in(many).items()} == ALL
