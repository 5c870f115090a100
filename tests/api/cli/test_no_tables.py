"""Every command on a database without tables ends in one line that says what to do."""

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import typer

from api.cli.main import app
from tests.support import forking
from tests.support.artifacts import PACKAGED
from tests.support.postgres import postgres_database, postgres_server

WITHOUT_TABLES = {("serve",), ("db", "upgrade"), ("db", "restore"), ("research", "validate")}
"""They make the tables, bring their own, or do not look at them."""
SAY_MORE = {("doctor",), ("db", "check"), ("db", "downgrade")}
"""They are about the tables: what they say is tested elsewhere."""
VALUES = {
    "household_id": "1",
    "token_id": "1",
    "email": "sarah@example.com",
    "role": "admin",
    "artifact": str(PACKAGED),
}
OPTIONS: dict[tuple[str, ...], list[str]] = {
    ("household", "claude-key"): ["--remove"],
    ("household", "create"): ["--user", "Sarah:sarah@example.com"],
    ("household", "set"): ["--name", "The Bakers"],
    ("household", "add"): ["--user", "Sarah:sarah@example.com"],
}


def commands(group: Any, path: tuple[str, ...] = ()) -> Iterator[tuple[tuple[str, ...], Any]]:
    for name, command in getattr(group, "commands", {}).items():
        yield from commands(command, (*path, name))
    if not hasattr(group, "commands"):
        yield path, group


def arguments(path: tuple[str, ...], command: Any) -> list[str]:
    given = [VALUES.get(one.name, "x") for one in command.params if one.required and one.param_type_name == "argument"]
    for one in command.params:
        if one.required and one.param_type_name == "option" and one.opts[0] not in OPTIONS.get(path, ()):
            given += [one.opts[0], "x"]
    given += OPTIONS.get(path, [])
    return given + (["--yes"] if any(one.name == "yes" for one in command.params) else [])


FOUND = [
    (path, command) for path, command in commands(typer.main.get_command(app)) if path not in WITHOUT_TABLES | SAY_MORE
]


@pytest.fixture(scope="module", params=["sqlite", "postgresql"])
def empty(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory, worker: str) -> Iterator[Path]:
    """A folder whose `.env` names a database without tables."""
    folder = tmp_path_factory.mktemp("empty")
    if request.param == "sqlite":
        (folder / ".env").write_text(f"DATABASE_URL=sqlite:///{folder}/empty.db\n", encoding="utf-8")
        yield folder
        return
    with postgres_server(os.environ) as server, postgres_database(server, f"{worker}_empty") as url:
        (folder / ".env").write_text(f"DATABASE_URL={url}\n", encoding="utf-8")
        yield folder


@pytest.mark.long
@pytest.mark.parametrize(("path", "command"), FOUND, ids=[" ".join(path) for path, _ in FOUND])
def test_a_command_on_a_database_without_tables_names_the_remedy(
    path: tuple[str, ...], command: Any, empty: Path
) -> None:
    environment = {name: value for name, value in os.environ.items() if name != "DATABASE_URL"}
    environment["SECRET_KEY"] = "a secret for tests that is long enough"
    done = forking.run(*path, *arguments(path, command), env=environment, cwd=empty)
    assert done.returncode == 1, (done.stdout, done.stderr)
    said = [line for line in done.stderr.splitlines() if "[info " not in line]
    assert len(said) == 1, done.stderr
    assert said[0].startswith("error: "), done.stderr
    assert "`buddy db upgrade`" in said[0]


def test_every_command_is_tried() -> None:
    assert {path[0] for path, _ in FOUND} == {
        *("curate", "db", "user", "secrets", "research", "study", "admin", "household", "token"),
    }
