"""The command that exports gets what it needs to read the database, and no other secret."""

import re

import pytest

from api.kakei.exports.routes import _environment
from api.settings import Settings
from tests.support.exports import export
from tests.support.serving import Service

SECRET = "Kq7-of a service that exports-93vTx"
NEEDED = {"PATH", "LANG", "LC_ALL", "PGPASSFILE", "DATABASE_SSLMODE"}
WITHHELD = {
    *("SMTP_PASSWORD", "REDIS_URL", "SECRET_KEY", "RESEARCH_EXPORT_TOKEN", "METRICS_TOKEN", "ADMIN_PASSWORD"),
    *("ANTHROPIC_API_KEY", "AWS_SECRET_ACCESS_KEY", "A_SETTING_OF_TOMORROW"),
}


def test_the_command_gets_no_secret_but_the_database(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in WITHHELD:
        monkeypatch.setenv(name, SECRET)
    for name in NEEDED:
        monkeypatch.setenv(name, f"needed {name}")
    told = {"smtp_user": "buddy", "smtp_password": SECRET, "redis_url": "redis://127.0.0.1:6379/0"}
    settings = Settings.model_construct(**told, database_url="sqlite:///x.db")  # type: ignore[arg-type]
    found = _environment(settings)
    assert SECRET not in found.values()
    assert found.keys() & WITHHELD <= {"SMTP_PASSWORD"}
    assert found.items() >= {name: f"needed {name}" for name in NEEDED}.items()
    assert found["DATABASE_URL"] == "sqlite:///x.db"


def test_about_tells_times_with_milliseconds(stored: Service) -> None:
    about = export(stored).json()["about"]
    for name in ("created_at", "consent_cut_off"):
        assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z", about[name]), about
