"""What import-linter cannot hold: SQL is in `queries.py`, and untyped state is read in one place."""

import re
from pathlib import Path

from tests.support.imports import imported

ROOT = Path(__file__).parents[2]
MODULES = sorted((ROOT / "api").rglob("*.py"))
STATEMENTS = {f"sqlalchemy.{name}" for name in ("select", "insert", "update", "delete", "text", "func", "dialects")}
HOLD_SQL = {
    "api/db/": "storage itself: migrations, seeds, backups, erasures, leases, upserts",
    "api/migrations/": "Alembic",
    "api/models/": "the defaults and indexes of columns",
}
"""The folders that may hold SQL beside `queries.py`, and why."""


def test_sql_is_in_queries() -> None:
    wrong = [
        f"{path}: {name}"
        for path, module in ((module.relative_to(ROOT).as_posix(), module) for module in MODULES)
        if module.name != "queries.py" and not path.startswith(tuple(HOLD_SQL))
        for name in imported(module)
        if name in STATEMENTS or name.startswith("sqlalchemy.dialects")
    ]
    assert len(MODULES) > 200
    assert wrong == []


def test_untyped_state_is_read_in_one_place() -> None:
    """`app.state` and `request.state` are Any for mypy; what reads them says the type."""
    readers = {
        module.relative_to(ROOT).as_posix()
        for module in MODULES
        if re.search(r"\b(app|request|connection)\.state\b", module.read_text(encoding="utf-8"))
    }
    assert readers == {"api/app_state.py", "api/http/request_values.py"}
