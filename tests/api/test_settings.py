"""A bad setting ends every command in one line: no traceback, no secret, and an exit code that says so."""

import os
import socket
import sqlite3
import subprocess
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from tests.support import forking
from tests.support.local_servers import free_port
from tests.support.serving import BUDDY, DEFAULTS

SECRET = "S3cretPa55word"
UUID = "3f2c7f4e-0000-4000-8000-000000000000"
COMMANDS: dict[str, tuple[str, ...]] = {
    "serve": ("serve", "--port", "0"),
    "doctor": ("doctor",),
    "curate": ("curate",),
    "db upgrade": ("db", "upgrade"),
    "db downgrade": ("db", "downgrade", "base", "--yes"),
    "db check": ("db", "check"),
    "db backup": ("db", "backup", "safe.bak"),
    "db restore": ("db", "restore", "there.bak", "--yes"),
    "user erase": ("user", "erase", UUID, "--yes"),
    "research export": ("research", "export", "study"),
    "research releases": ("research", "releases"),
    "research withdraw": ("research", "withdraw", UUID, "--yes"),
    "research rotate-pseudonyms": ("research", "rotate-pseudonyms", "study", "--yes"),
    "study start": ("study", "start", "study"),
    "study stop": ("study", "stop", "study"),
    "household list": ("household", "list"),
    "household show": ("household", "show", "1"),
    "household delete": ("household", "delete", "1", "--yes"),
    "household waiting": ("household", "waiting"),
    "household reset-link": ("household", "reset-link", "me@example.com"),
    "household invite": ("household", "invite", "1"),
    "token list": ("token", "list", "1"),
    "token create": ("token", "create", "me@example.com"),
    "token revoke": ("token", "revoke", "1"),
}
SETTINGS: dict[str, dict[str, str]] = {
    "mysql": {"DATABASE_URL": f"mysql://me:{SECRET}@host/x"},
    "garbage": {"DATABASE_URL": SECRET},
    "a port that is none": {"DATABASE_URL": f"postgresql://me:{SECRET}@host:port/x"},
    "a parameter that is unknown": {"DATABASE_URL": f"postgresql://me:{SECRET}@host/x?nonsense=1"},
    "a certificate that is not there": {
        "DATABASE_URL": f"postgresql://me:{SECRET}@127.0.0.1/x?sslmode=verify-full&sslrootcert=/nowhere"
    },
    "nobody listens": {"DATABASE_URL": f"postgresql://me:{SECRET}@127.0.0.1:CLOSED/x", "DATABASE_WAIT_SECONDS": "0"},
    "an unknown host": {
        "DATABASE_URL": f"postgresql://me:{SECRET}@nowhere.invalid/x",
        "DATABASE_WAIT_SECONDS": "0",
    },
    "a folder that cannot be made": {"DATABASE_URL": "sqlite:////proc/nothing/x.db"},
    "a file where a folder should be": {"DATABASE_URL": "sqlite:///a-file/x.db"},
    "a folder where a file should be": {"DATABASE_URL": "sqlite:///a-folder"},
    "a file that is no database": {"DATABASE_URL": "sqlite:///a-file"},
    "a device": {"DATABASE_URL": "sqlite:////dev/null"},
    "a Redis of another kind": {"REDIS_URL": f"http://me:{SECRET}@host"},
    "a Redis with a port that is none": {"REDIS_URL": f"redis://me:{SECRET}@host:port/0"},
    "a Redis with a parameter that is unknown": {"REDIS_URL": f"redis://me:{SECRET}@host/0?nonsense=1"},
    "proxies": {"TRUSTED_PROXIES": "10.0.0.0/99"},
    "origins": {"CORS_ORIGINS": "https://app.example.org/path"},
    "an address with a password": {"PUBLIC_URL": f"https://me:{SECRET}@host"},
    "an address that is none": {"PUBLIC_URL": "https://"},
    "a time": {"CURATE_AT": "5"},
    "models in a file": {"COACH_MODEL_DIR": "a-file"},
    "a level": {"LOG_LEVEL": "loud"},
    "a pool": {"DATABASE_POOL_SIZE": "0"},
    "a mode of TLS": {"DATABASE_SSLMODE": "on"},
    "no time": {"DATABASE_TIMEOUT_SECONDS": "nan"},
    "half a character": {"SECRET_KEY": os.fsdecode(b"\xff" * 40)},
}


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """With a file, a folder, and a database of a version that is not there yet."""
    made = tmp_path_factory.mktemp("bad")
    (made / "a-file").write_text("this is no database" * 1000)
    (made / "a-folder").mkdir()
    (made / "there.bak").write_text("this is no backup" * 1000)
    environment = {"PATH": os.environ["PATH"], "DATABASE_URL": f"sqlite:///{made}/newer.db"}
    assert forking.run("db", "upgrade", cwd=made, env=environment).returncode == 0
    with closing(sqlite3.connect(made / "newer.db")) as database, database:
        database.execute("UPDATE alembic_version SET version_num = '9999'")
    return made


EVERY_SETTING = ("serve", "doctor", "db check", "household list", "research export")
"""Commands that run with every setting; the others run with some, since all use the same function."""
SOME_SETTINGS = ("garbage", "nobody listens", "a folder where a file should be", "a Redis of another kind")
CASES = [
    (command, setting)
    for command in COMMANDS
    for setting in SETTINGS
    if command in EVERY_SETTING or setting in SOME_SETTINGS
]


@pytest.mark.long
@pytest.mark.parametrize(("command", "setting"), CASES)
def test_a_bad_setting_is_one_line(command: str, setting: str, folder: Path) -> None:
    values = {name: value.replace("CLOSED", str(free_port())) for name, value in SETTINGS[setting].items()}
    environment = {"PATH": os.environ["PATH"], "LOG_LEVEL": "error", **DEFAULTS, **values}
    done = forking.run(*COMMANDS[command], cwd=folder, env=environment)
    assert "Traceback" not in done.stdout + done.stderr
    assert SECRET not in done.stdout + done.stderr
    assert done.returncode != 0
    if command == "doctor" and not done.stderr:
        return  # it says so in its table
    assert len(done.stderr.splitlines()) == 1, done.stderr
    assert done.stderr.startswith("error: ")


@pytest.mark.parametrize("command", ["serve", "db upgrade", "db check", "doctor"])
def test_old_code_on_a_newer_schema_says_so(command: str, folder: Path) -> None:
    environment = {"PATH": os.environ["PATH"], **DEFAULTS, "DATABASE_URL": "sqlite:///newer.db"}
    done = forking.run(*COMMANDS[command], cwd=folder, env=environment)
    assert done.returncode == 1
    assert "Traceback" not in done.stdout + done.stderr
    assert "9999" in done.stdout + done.stderr
    assert command == "doctor" or len(done.stderr.splitlines()) == 1


@pytest.mark.parametrize("content", [b"PUBLIC_URL=https://\xff.example.org\n", b"SECRET_KEY=" + b"\xe9" * 40])
def test_a_file_of_settings_that_is_no_utf8_says_so(content: bytes, tmp_path: Path) -> None:
    (tmp_path / ".env").write_bytes(content)
    for command in EVERY_SETTING:
        done = forking.run(*COMMANDS[command], cwd=tmp_path, env={"PATH": os.environ["PATH"]})
        assert (done.returncode, done.stderr) == (2, "error: .env is not UTF-8\n")


@pytest.fixture
def taken() -> Iterator[int]:
    with socket.create_server(("127.0.0.1", 0)) as listening:
        yield listening.getsockname()[1]


@pytest.mark.long
@pytest.mark.parametrize("workers", ["1", "2"])
def test_where_it_cannot_listen_is_one_line(workers: str, taken: int, tmp_path: Path) -> None:
    environment = {"PATH": os.environ["PATH"], "WEB_CONCURRENCY": workers, "REDIS_URL": "redis://127.0.0.1:1/0"}
    for where in (
        ["--port", str(taken)],
        ["--host", "nowhere.invalid"],
        ["--host", "203.0.113.1"],
        ["--host", "a" * 300],
    ):
        command = [BUDDY, "serve", "--port", "0", *where]
        done = subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, text=True, check=False)
        assert (done.returncode, len(done.stderr.splitlines())) == (1, 1), done.stderr
        assert done.stderr.startswith("error: cannot listen on ")


@pytest.mark.parametrize("workers", ["1", "2"])
def test_several_workers_make_no_difference(workers: str, tmp_path: Path) -> None:
    for bad in ({"DATABASE_URL": f"mysql://me:{SECRET}@host/x"}, {"TRUSTED_PROXIES": "me"}, {"CORS_ORIGINS": "me"}):
        environment = {"PATH": os.environ["PATH"], "WEB_CONCURRENCY": workers, "REDIS_URL": "redis://127.0.0.1:1/0"}
        done = forking.run("serve", "--port", "0", cwd=tmp_path, env=environment | bad)
        assert (done.returncode, len(done.stderr.splitlines())) == (2, 1)
        assert SECRET not in done.stderr
