"""The operator's commands: backup, restore and doctor."""

import json
import os
import shutil
import sqlite3
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.actors.person import WEEK, Person
from tests.support import artifacts, forking
from tests.support.databases import empty_database
from tests.support.forking import buddy
from tests.support.local_servers import ServiceMissing, free_port, unavailable
from tests.support.serving import CLIENT, service


@pytest.fixture(params=["sqlite", "postgresql"])
def own_url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    if request.param == "postgresql" and shutil.which("pg_dump") is None:
        missing = ServiceMissing("pg_dump is not installed: apt-get install postgresql-client")
        unavailable(missing, os.environ)
    with empty_database(request.param, request, tmp_path) as url:
        yield url


@pytest.mark.long
def test_a_backup_taken_while_the_service_runs_brings_everything_back(own_url: str, tmp_path: Path) -> None:
    run = buddy(tmp_path, DATABASE_URL=own_url)
    with service(tmp_path, {"DATABASE_URL": own_url}) as running:
        person = Person(running)
        gone = Person(running)
        person.post("/summaries/weekly", WEEK)
        before = person.read("/data")
        taken = run("db", "backup", "safe.bak")
        assert taken.returncode == 0, taken.stderr
        again = run("db", "backup", "safe.bak")
        assert (again.returncode, again.stderr) == (1, "error: safe.bak is there already\n")
        person.post("/summaries/weekly", WEEK | {"week_key": 3})
        CLIENT.delete(f"{running.url}/api/users/{gone.uuid}")
        late = Person(running)
    restored = run("db", "restore", "safe.bak", "--yes")
    assert restored.returncode == 0, restored.stderr
    with service(tmp_path, {"DATABASE_URL": own_url}) as running:
        assert CLIENT.get(f"{running.url}/api/users/{person.uuid}/data").json() == before
        assert CLIENT.get(f"{running.url}/api/users/{late.uuid}/points").status_code == 404
        assert CLIENT.get(f"{running.url}/api/users/{gone.uuid}/points").status_code == 404


def test_a_damaged_backup_is_refused_and_changes_nothing(tmp_path: Path) -> None:
    run = buddy(tmp_path, DATABASE_URL=f"sqlite:///{tmp_path}/own.db")
    run("db", "upgrade")
    (tmp_path / "bad.bak").write_bytes(b"not a database at all" * 100)
    (tmp_path / "empty.bak").touch()
    for name in ("bad.bak", "empty.bak", "nowhere.bak"):
        refused = run("db", "restore", name, "--yes")
        assert refused.returncode == 1
        assert refused.stderr.startswith("error: ")
    with sqlite3.connect(tmp_path / "own.db") as database:
        assert database.execute("SELECT count(*) FROM badges").fetchone()[0] >= 20
    database.close()


def test_the_doctor_finds_what_is_wrong_and_keeps_secrets(tmp_path: Path) -> None:
    new = buddy(tmp_path)("doctor", "--json")
    findings = {finding["what"]: finding for finding in json.loads(new.stdout)}
    assert new.returncode == 1
    assert "buddy db upgrade" in findings["database"]["found"]
    assert findings["budget model"]["fine"]
    assert findings["daily model"]["fine"]
    buddy(tmp_path)("db", "upgrade")
    healthy = buddy(tmp_path)("doctor")
    assert healthy.returncode == 0, healthy.stdout
    artifacts.write(tmp_path / "models", b"")
    models = {"COACH_MODEL_DIR": str(tmp_path / "models")}
    away = buddy(tmp_path, DATABASE_URL="postgresql://me:s3cret@127.0.0.1:9/x", **models)("doctor", "--json")
    assert away.returncode == 1
    wrong = {finding["what"] for finding in json.loads(away.stdout) if not finding["fine"]}
    assert wrong == {"database", "budget model", "daily model", "secrets"}
    assert "s3cret" not in away.stdout + away.stderr


@pytest.mark.parametrize(
    ("environment", "is_fine"),
    [
        ({}, True),
        ({"PUBLIC_URL": "http://localhost:8000"}, True),
        ({"PUBLIC_URL": "http://buddy.local"}, False),
        ({"HOST": "0.0.0.0"}, False),  # noqa: S104
        ({"PUBLIC_URL": "https://buddy.example.org"}, False),
        ({"TRUSTED_PROXIES": "127.0.0.1"}, False),
        ({"TRUSTED_PROXIES": "127.0.0.1", "METRICS_TOKEN": "a token for those who watch"}, True),
    ],
)
def test_the_doctor_misses_a_metrics_token_behind_a_proxy(
    environment: dict[str, str], is_fine: bool, tmp_path: Path
) -> None:
    found = buddy(tmp_path, **environment)("doctor", "--json")
    assert {one["what"]: one["fine"] for one in json.loads(found.stdout)}["metrics"] is is_fine


@pytest.mark.parametrize(
    ("environment", "recommended"),
    [
        ({}, False),
        ({"HOST": "::1", "PUBLIC_URL": "http://localhost:8000"}, False),
        ({"HOST": "0.0.0.0"}, True),  # noqa: S104
        ({"HOST": "buddy.example.org"}, True),
        ({"PUBLIC_URL": "https://buddy.example.org"}, True),
        ({"PUBLIC_URL": "https://buddy.example.org", "REQUIRE_UUIDS": "true"}, False),
    ],
)
def test_the_doctor_recommends_uuids_for_a_public_address(
    environment: dict[str, str], recommended: bool, tmp_path: Path
) -> None:
    found = buddy(tmp_path, **environment)("doctor", "--json")
    ids = next(finding for finding in json.loads(found.stdout) if finding["what"] == "ids")
    assert ids["fine"] is True
    assert ("REQUIRE_UUIDS=true is recommended" in ids["found"]) is recommended


def test_the_doctor_asks_redis(redis_url: str, tmp_path: Path) -> None:
    buddy(tmp_path)("db", "upgrade")
    found = buddy(tmp_path, REDIS_URL=redis_url)("doctor")
    assert found.returncode == 0
    assert "shared" in found.stdout
    away = buddy(tmp_path, REDIS_URL=f"redis://127.0.0.1:{free_port()}/0")("doctor")
    assert away.returncode == 1
    assert "away" in away.stdout


@pytest.mark.parametrize(
    ("environment", "complaint"),
    [
        ({"WEB_CONCURRENCY": "2"}, "set REDIS_URL"),
        ({"SECRET_KEY": "short"}, "at least 32 characters"),
        ({"RESEARCH_EXPORT_TOKEN": "short"}, "at least 16 characters"),
        ({"METRICS_TOKEN": "short"}, "at least 16 characters"),
        ({"ADMIN_PASSWORD": "Qwertyuiop123"}, "is too easy to guess"),
        ({"DATABASE_URL": "postgresql://127.0.0.1/x"}, "SECRET_KEY must be set"),
    ],
)
def test_what_cannot_be_served_safely_is_not_served(
    environment: dict[str, str], complaint: str, tmp_path: Path
) -> None:
    refused = buddy(tmp_path, **environment)("serve")
    assert refused.returncode != 0
    assert complaint in refused.stderr
    assert len(refused.stderr.splitlines()) == 1


def test_every_command_explains_itself() -> None:
    research = [("research", name) for name in ("export", "validate", "releases", "withdraw", "rotate-pseudonyms")]
    database = [("db", name) for name in ("upgrade", "downgrade", "check", "backup", "restore")]
    for command in ((), ("serve",), ("doctor",), ("db",), ("user", "erase"), ("research",), *research, *database):
        done = forking.run(*command, "--help")
        assert done.returncode == 0
        assert " ".join(("Usage: buddy", *command)) in done.stdout
