"""The process that exports gets what it needs to read the database, and no secret of the service."""

import os
import re
import signal
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from api.database_url import PostgresUrl, SqliteUrl
from api.kakei.exports.process import environment
from tests.support.exports import export
from tests.support.serving import Server, service

CANARY = "Kq7-of a service that exports-93vTx"
OF_THE_SYSTEM = ("PATH", "LANG", "LC_ALL")
WITHHELD = {
    *("SMTP_PASSWORD", "REDIS_URL", "SECRET_KEY", "RESEARCH_EXPORT_TOKEN", "METRICS_TOKEN", "ADMIN_PASSWORD"),
    *("ANTHROPIC_API_KEY", "AWS_SECRET_ACCESS_KEY", "A_SETTING_OF_TOMORROW", "DATABASE_URL"),
}
STOPS_AT_ITS_END = """
import atexit, os, signal, sys
if "api.kakei.exports.process" in sys.orig_argv:
    atexit.register(os.kill, os.getpid(), signal.SIGSTOP)
"""
"""A sitecustomize.py: the process stands still with all that it has read in memory."""


def test_the_environment_is_the_system_s_and_holds_no_setting(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in WITHHELD:
        monkeypatch.setenv(name, CANARY)
    for name in (*OF_THE_SYSTEM, "PGPASSFILE"):
        monkeypatch.setenv(name, f"needed {name}")
    needed = {name: f"needed {name}" for name in OF_THE_SYSTEM}
    on_sqlite, on_postgres = environment(SqliteUrl(Path("x.db"))), environment(PostgresUrl())
    for found in (on_sqlite, on_postgres):
        assert not found.keys() & WITHHELD
        assert found.items() >= needed.items()
    assert "PGPASSFILE" not in on_sqlite
    assert on_postgres["PGPASSFILE"] == "needed PGPASSFILE"


@pytest.mark.long
def test_neither_the_environment_nor_the_memory_of_the_process_holds_a_secret(tmp_path: Path) -> None:
    secrets = ("SMTP_PASSWORD", "ADMIN_PASSWORD", "SECRET_KEY", "METRICS_TOKEN", "ANTHROPIC_API_KEY")
    told = {name: f"{CANARY}-{name}" for name in secrets}
    told |= {"SMTP_HOST": "127.0.0.1", "SMTP_USER": "buddy", "SMTP_FROM": "a@example.org"}
    told |= {"PUBLIC_URL": "http://127.0.0.1:8000"}
    (tmp_path / ".env").write_text("".join(f"{name}={value}\n" for name, value in told.items()))
    (tmp_path / "stopping").mkdir()
    (tmp_path / "stopping" / "sitecustomize.py").write_text(STOPS_AT_ITS_END)
    started = service(
        tmp_path, {"SECRET_KEY": f"{CANARY}-of the environment", "PYTHONPATH": str(tmp_path / "stopping")}, None, True
    )
    with started as running, ThreadPoolExecutor(1) as pool:
        answer = pool.submit(export, running)
        exporting = stopped_child(running)
        try:
            environ = Path(f"/proc/{exporting}/environ").read_bytes()
            remembered = memory(exporting)
        finally:
            os.kill(exporting, signal.SIGCONT)
        assert answer.result().status_code == 200
        assert CANARY.encode() in memory(running.process.pid)  # else the look into the memory would prove nothing
    assert b"PATH=" in environ
    assert CANARY.encode() not in environ
    assert b"buddy.db" in remembered
    assert CANARY.encode() not in remembered


def stopped_child(running: Server) -> int:
    """The child of the service, once it has stopped itself."""
    children = Path(f"/proc/{running.process.pid}/task/{running.process.pid}/children")
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        for child in children.read_text().split():
            if Path(f"/proc/{child}/stat").read_text().rpartition(")")[2].split()[0] == "T":
                return int(child)
        time.sleep(0.05)
    raise AssertionError("no export stopped")


def memory(process: int) -> bytes:
    """All that the process may write to: its heap, its stack, its data."""
    found = bytearray()
    with Path(f"/proc/{process}/mem").open("rb", 0) as opened:
        for line in Path(f"/proc/{process}/maps").read_text().splitlines():
            region = re.match(r"([0-9a-f]+)-([0-9a-f]+) rw", line)
            if region and "[v" not in line:
                start, end = (int(part, 16) for part in region.groups())
                opened.seek(start)
                found += opened.read(end - start)
    return bytes(found)


@pytest.mark.long
def test_about_tells_times_with_milliseconds(stored: Server) -> None:
    about = export(stored).json()["about"]
    for name in ("created_at", "consent_cut_off"):
        assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z", about[name]), about
