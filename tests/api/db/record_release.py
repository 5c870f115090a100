"""Records what the newest migration leaves: a database with rows in every table, as SQL text for SQLite and PostgreSQL.

Run `python -m tests.api.db.record_release` when a migration is ready to land: it freezes the digest of the file in
`released/migrations.sha256`, and writes for example `released/0012.sqlite.sql` and `released/0012.postgresql.sql`.
From then on the file does not change any more; a mistake in it is mended by the next one. PostgreSQL is found as the
tests find it.

`fill` needs nothing but the models, so that it also ran in the trees of older releases. A table that it has never seen
gets a row of plausible values; where a constraint wants others, add them to ROWS.
"""

import asyncio
import hashlib
import os
import re
import sqlite3
import subprocess
import sys
import tempfile
from contextlib import closing
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

from sqlalchemy import JSON, Column, Connection, Table, func, insert, select, text

FOLDER = Path(__file__).with_name("released")
FROZEN = FOLDER / "migrations.sha256"
MIGRATIONS = Path(__file__).parents[3] / "api" / "migrations" / "versions"
NOW = datetime(2026, 11, 20, 12, 0, 0, 123000, tzinfo=UTC)
SECRET = "the secret of all recorded databases"
TOKEN = "kb_live_" + "0123456789abcdef" * 2
USER = "6f1c2f6e-5d5e-4c8e-9d3b-0a3f3f0c1a01"
ERASED = "9b6b1d52-35a4-4b51-8d3f-1f3f8a3f7c02"
STUDY = "recorded-study-v1"
CLAUDE_KEY = "sk-ant-recorded"
WRAPPED = {
    "pseudonym": (
        "gAAAAABrDHBPQ95IFHUFS-ODFFkuE7cOvL4iFRPn29Hs6SoxsdLeslQqtZ4nDL9mzYCIVtix13-Z_7EwF_Cprs3UF0Nro7BYwOwo"
        "Hmuw9epNxUe-y6mhrgDBlQ4OL38qy_593iRv_TCb"
    ),
    "claude": ("gAAAAABrDHBP5-g0-svZYqpheKo6hJtUd0GGtrny-OIeYMGAKfgvL8DrEV21nE_xDuffpIwl_ipAVQa_AQ0XiHzrdA47dZk_JA=="),
}
"""32 bytes of 0x07 and CLAUDE_KEY, encrypted with SECRET."""
CONTEXT = [0.5, 0.4, 0.3, 0.2, 0.1, 0.5, 0.5, 0.5, 0.5, 0.5]
LEVELS = [2, 2, 2]
DISTRIBUTIONS = [[0.0, 0.0, 1.0, 0.0, 0.0]] * 3
AMOUNTS = {
    "total_spent": Decimal("3200.50"),
    "spent_wants": Decimal("900.25"),
    "spent_needs": Decimal("1800.25"),
    "spent_culture": Decimal("300.00"),
    "spent_unexpected": Decimal("200.00"),
}
ROWS: dict[str, list[dict[str, Any]]] = {
    "users": [{"uuid": USER}, {"uuid": ERASED}],
    "profiles": [
        {"allow_exact_income": True, "exact_income_local": Decimal("12345.67"), "time_zone": "Asia/Bangkok"}
        | {"user_profile": "student", "coach_style": 1, "savings_goal_type": "monthly", "currency": "THB"}
    ],
    "weekly_summaries": [AMOUNTS | {"month_key": 202606, "week_key": 2, "logging_days_count": 5}],
    "monthly_summaries": [AMOUNTS | {"month_key": 202606, "logging_days_count": 24}],
    "challenge_metrics": [{"month": "2026-06", "metric_key": "expense_log_days"}],
    "user_challenges": [{"month": "2026-06", "status": "in_progress", "source": "user"}],
    "pseudonym_keys": [{"study_version": STUDY, "generation": 1, "wrapped": WRAPPED["pseudonym"]}],
    "consents": [
        {"study_version": STUDY, "consented": True, "age_confirmed": True, "allow_research_export": True}
        | {"data_mode": "private", "participant_code": "P-001"}
    ],
    "participants": [{"study_version": STUDY, "pseudonym": "a" * 32, "split": "train"}],
    "releases": [
        {"name": f"buddy-recorded-{number}", "since": None, "rows": {}, "changes": {}, "zones": []}
        | {"filters": {"kind": "json", "since": None, "study_version": study, "tables": [], "identifiers": False}}
        for number, study in ((1, None), (2, STUDY), (3, "another-study"), (4, None))
    ],
    "released_participants": [
        {"pseudonym": "a" * 32, "study_version": STUDY, "first_release_id": 1, "last_release_id": 3, "release_id": 1},
        {"pseudonym": "b" * 32, "study_version": STUDY, "first_release_id": 2, "last_release_id": 4, "release_id": 2},
    ],
    "decisions": [
        {"context": CONTEXT, "levels": LEVELS, "distributions": DISTRIBUTIONS, "propensity": 1.0, "epsilon": 0.0}
        | {"phase": "explore", "component": "policy", "policy_id": "budget-rules/1", "source": "study"}
        | {"seed": "0" * 32, "fallback_reason": None, "study_week": 1, "eligible": ["11111"] * 3}
        | {"context_schema": "budget-context/1", "action_schema": "budget-levels/1", "candidate_id": None}
        | {"because": [[], [], []], "rules_levels": LEVELS, "candidate_levels": None, "shadow_levels": None}
        | {"shadow_policy_id": None, "prev_disagrees": False}
    ],
    "events": [{"event_name": "challenge_catalog_viewed", "context": {"source": "tab"}, "known": True}],
    "progress_snapshots": [{"month": "2026-06", "badge_ids": [], "mission_summary": [], "learning_metrics": {}}],
    "reflections": [
        {"phase": "weekly", "category": "wants", "reflection_text": "Snacks.", "quality_level": "basic"}
        | {"strengths": [], "confidence_rating": 4}
    ],
    "responses": [
        {"instrument_key": "budget_confidence", "instrument_version": "1", "phase": "pre", "score_missing": None}
        | {"answers": {"q1": 4, "q2": 3}, "period": ""}
    ],
    "studies": [
        {"study_version": STUDY, "phase": "explore", "around": "rules", "explore_epsilon": 0.2}
        | {"confirm_epsilon": 0.5, "candidate_id": None, "confirmed_at": None, "stopped_at": None}
    ],
    "households": [
        {"name": "Recorded", "time_zone": "Europe/Berlin", "daily_task_count": 5, "claude_key": WRAPPED["claude"]}
        | {"learning_fold": 1}
    ],
    "household_participants": [
        {"name": "Mia", "is_adult": False, "birthday": date(2024, 5, 1)},
        {"name": "Ada", "is_adult": True, "birthday": None},
    ],
    "household_users": [{"display_name": "Ada", "email": "ada@example.org", "role": "admin", "password_hash": None}],
    "household_tokens": [{"digest": hashlib.sha256(TOKEN.encode()).hexdigest(), "revoked_at": None}],
    "household_links": [{"used_at": NOW}],
    "plans": [{"active": True, "ended_at": None}],
    "todos": [
        {"source_type": "guide", "deleted": False, "dismissed": False, "title": None, "snoozed_until": None}
        | {"last_completed_on": date(2026, 11, 19), "description": None, "frequency": None}
    ],
    "todo_actions": [
        {"action_type": "completed", "action_date": date(2026, 11, 19), "undone_at": None, "snoozed_to": None}
        | {"reason": None, "notes": "well done"}
    ],
    "day_selections": [{"source": "rules", "policy_id": "daily-rules/1", "logged": None, "fallback_reason": None}],
    "chat_messages": [{"role": "user", "key": "k", "answers_id": None}],
}
"""Values by table that the rules below do not generate."""
SHORTENED = {
    "badges": "DELETE FROM badges WHERE id > 3",
    "challenge_templates": "DELETE FROM challenge_templates WHERE id > 3",
    "guide_items": "DELETE FROM guide_items WHERE position > 1 OR stage_id > (SELECT min(id) FROM guide_stages)",
}
"""Seeds add the rest; a recorded database need not contain it."""


def fill(connection: Connection) -> None:
    """Add rows to each empty table; existing rows stay, except for the rest of the catalog."""
    from api.models import Base

    for table in Base.metadata.sorted_tables:
        if connection.scalar(select(func.count()).select_from(table)):
            continue
        for row in ROWS.get(table.name, [{}]):
            values = {column.name: _value(connection, table, column, row) for column in table.columns}
            made = {name: value for name, value in values.items() if value is not None or not _is_key(table, name)}
            connection.execute(insert(table).values({table.columns[name].key: made[name] for name in made}))
    for name, query in SHORTENED.items():
        if name in Base.metadata.tables:
            connection.execute(text(query))


def _is_key(table: Table, name: str) -> bool:
    """A number that the database counts."""
    return table.primary_key.columns.keys() == [name] and not table.columns[name].foreign_keys


def _value(connection: Connection, table: Table, column: Column[Any], row: dict[str, Any]) -> Any:
    if column.name in row:
        return row[column.name]
    keys = list(column.foreign_keys)
    if keys:
        other = keys[0].column
        return connection.scalar(select(other).order_by(other).limit(1))
    if _is_key(table, column.name) and column.type.python_type is int:
        return None
    if isinstance(column.type, JSON):
        return {}
    if type(column.type).__name__ in {"Moment", "Amount"}:
        return NOW if type(column.type).__name__ == "Moment" else Decimal("1.50")
    python = column.type.python_type
    plain = {str: "x", int: 1, bool: False, float: 0.5, bytes: b"x", date: NOW.date(), datetime: NOW}
    return plain[python]


async def prepared(url: str) -> None:
    """Bring the database at `url` to this tree's tables, by this tree's code, and fill it."""
    from api.db import migrate
    from api.db.engine import open_database

    database = open_database(url)
    try:
        await migrate.prepare(database)
        async with database.writing.begin() as connection:
            await connection.run_sync(fill)
    finally:
        await database.close()


def dumped_sqlite(file: Path) -> str:
    with closing(sqlite3.connect(file)) as database:
        return "\n".join(database.iterdump()) + "\n"


def dumped_postgres(url: str) -> str:
    """The output of pg_dump without the parts that depend on the server's version."""
    command = ["pg_dump", "--inserts", "--no-owner", "--no-privileges", "--exclude-table=erasure_ledger"]
    command += [f"--dbname={url}"]
    said = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    lines = [
        line for line in said.splitlines() if line and not re.match(r"--|SET |SELECT pg_catalog.set_config|\\", line)
    ]
    return "\n".join(lines) + "\n"


def digests() -> dict[str, str]:
    """The SHA-256 of every migration of this tree, by name."""
    files = sorted(MIGRATIONS.glob("[0-9]*.py"))
    return {file.name: hashlib.sha256(file.read_bytes()).hexdigest() for file in files}


def frozen() -> dict[str, str]:
    """The SHA-256 of every released migration, by name."""
    lines = (line.split() for line in FROZEN.read_text(encoding="utf-8").splitlines())
    return {name: digest for digest, name in lines}


def main() -> None:
    from tests.support.postgres import postgres_database, postgres_server

    now, then = digests(), frozen()
    changed = [name for name, digest in then.items() if now.get(name) != digest]
    if changed:
        sys.exit(f"error: {', '.join(changed)}: released, and changed since; write another migration")
    revision = max(now).partition("_")[0]
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder, "recorded.db")
        asyncio.run(prepared(f"sqlite:///{file}"))
        (FOLDER / f"{revision}.sqlite.sql").write_text(dumped_sqlite(file), encoding="utf-8")
    with postgres_server(os.environ) as server, postgres_database(server, "record") as url:
        asyncio.run(prepared(url))
        (FOLDER / f"{revision}.postgresql.sql").write_text(dumped_postgres(url), encoding="utf-8")
    FROZEN.write_text("".join(f"{digest}  {name}\n" for name, digest in now.items()), encoding="utf-8")
    print(f"recorded {revision}")


if __name__ == "__main__":
    main()
