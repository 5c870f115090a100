"""Bring databases of three earlier releases to the tables that later ones expect.

The files of 0003, 0004 and 0005 were changed after their release. A database that was made in between has the revision,
but not the later tables. This migration looks at what is there and adds what is missing; a database that is complete
stays as it is.
"""

import hashlib
import json
import secrets
from decimal import Decimal
from typing import Any

import sqlalchemy as sa
from alembic import op
from sqlalchemy.engine.reflection import Inspector

revision = "0007b"
down_revision = "0007"
branch_labels = None
depends_on = None

FOLDS = 3
SEEDED = {
    "guide_stages": ("name", "age_start_months", "age_end_months", "goals", "position"),
    "guide_items": (
        *("category", "title", "area", "description", "how_to", "frequency", "minutes", "by_months"),
        *("evidence_summary", "position"),
    ),
}
"""Which columns the digest in `seeded` was taken of, before there was `retired`."""
INDEXES = {
    "household_users": {"ix_household_users_participant_id": ["participant_id"]},
    "plans": {"ix_plans_participant_id": ["participant_id"]},
    "todos": {"ix_todos_plan_id": ["plan_id"]},
    "day_items": {"ix_day_items_todo_id": ["todo_id"]},
    "todo_actions": {
        "ix_todo_actions_performed_by": ["performed_by"],
        "ix_todo_actions_todo_id_action_type_action_date": ["todo_id", "action_type", "action_date"],
        "ix_todo_actions_todo_id_action_type_id": ["todo_id", "action_type", "id"],
    },
}
RENAMED = "ix_todo_actions_todo_id_action_type"
"""It is ix_todo_actions_todo_id_action_type_id now."""


def upgrade() -> None:
    found = sa.inspect(op.get_bind())
    _heal_releases(found)
    _heal_decisions(found)
    _heal_households(found)
    for table in SEEDED:
        _heal_catalogue(found, table)
    _heal_actions(found)
    _heal_indexes(found)


def downgrade() -> None:
    """A healed database stays healed: revision 0007 expects the same tables."""


def _heal_releases(found: Inspector) -> None:
    """0003 knew the first and the last release of a pseudonym; now each release has its own rows."""
    if "zones" not in _columns(found, "releases"):
        _add_required(
            "releases", sa.Column("zones", sa.JSON(), nullable=False, server_default=sa.text("'[]'")), sa.JSON()
        )
    if "release_id" in _columns(found, "released_participants"):
        return
    connection = op.get_bind()
    releases = connection.execute(sa.text("SELECT id, filters FROM releases")).all()
    studies = {row.id: _loaded(row.filters).get("study_version") for row in releases}
    query = "SELECT pseudonym, study_version, first_release_id, last_release_id FROM released_participants"
    left = connection.execute(sa.text(query)).all()
    op.drop_table("released_participants")
    table = op.create_table(
        "released_participants",
        sa.Column("release_id", sa.Integer(), nullable=False),
        sa.Column("pseudonym", sa.String(length=64), nullable=False),
        sa.ForeignKeyConstraint(["release_id"], ["releases.id"], name=op.f("fk_released_participants_release_id")),
        sa.PrimaryKeyConstraint("release_id", "pseudonym", name=op.f("pk_released_participants")),
    )
    # An export of one study did not hold the participants of another one.
    rows = [
        {"release_id": release, "pseudonym": one.pseudonym}
        for one in left
        for release, study in studies.items()
        if one.first_release_id <= release <= one.last_release_id and study in {None, one.study_version}
    ]
    op.bulk_insert(table, rows)


def _heal_decisions(found: Inspector) -> None:
    if "eligible" not in _columns(found, "decisions"):
        op.add_column("decisions", sa.Column("eligible", sa.JSON(none_as_null=True), nullable=True))


def _heal_households(found: Inspector) -> None:
    """A household that takes part in learning has a fold for good."""
    if "learning_fold" in _columns(found, "households"):
        return
    op.add_column("households", sa.Column("learning_fold", sa.Integer(), nullable=True))
    households = sa.table("households", sa.column("id"), sa.column("learning_since"), sa.column("learning_fold"))
    connection = op.get_bind()
    for id_ in connection.scalars(sa.select(households.c.id).where(households.c.learning_since.is_not(None))).all():
        fold = secrets.randbelow(FOLDS)
        connection.execute(sa.update(households).where(households.c.id == id_).values(learning_fold=fold))


def _heal_catalogue(found: Inspector, name: str) -> None:
    """`retired` is part of what is seeded: a row that no operator edited goes on to count as such."""
    if "retired" in _columns(found, name):
        return
    _add_required(
        name, sa.Column("retired", sa.Boolean(), nullable=False, server_default=sa.false()), existing=sa.Boolean()
    )
    columns = SEEDED[name]
    table = sa.table(name, *(sa.column(column) for column in ("id", "seeded", *columns)))
    connection = op.get_bind()
    for row in connection.execute(sa.select(table).where(table.c.seeded.is_not(None))).all():
        values = {column: row._mapping[column] for column in columns}
        if row.seeded == _digest(values):
            seeded = _digest(values | {"retired": False})
            connection.execute(sa.update(table).where(table.c.id == row.id).values(seeded=seeded))


def _heal_actions(found: Inspector) -> None:
    """An action outlives the user who performed it."""
    keys = {key["name"]: key for key in found.get_foreign_keys("todo_actions")}
    name = "fk_todo_actions_performed_by"
    if keys[name]["options"].get("ondelete") == "SET NULL":
        return
    with op.batch_alter_table("todo_actions") as batch_op:
        batch_op.alter_column("performed_by", existing_type=sa.Integer(), nullable=True)
        batch_op.drop_constraint(op.f(name), type_="foreignkey")
        batch_op.create_foreign_key(op.f(name), "household_users", ["performed_by"], ["id"], ondelete="SET NULL")


def _heal_indexes(found: Inspector) -> None:
    found.clear_cache()  # tables were made anew
    for table, indexes in INDEXES.items():
        there = {index["name"] for index in found.get_indexes(table)}
        for name, columns in indexes.items():
            if name not in there:
                op.create_index(op.f(name), table, columns)
        if RENAMED in there:
            op.drop_index(RENAMED, table_name=table)


def _columns(found: Inspector, table: str) -> set[str]:
    return {column["name"] for column in found.get_columns(table)}


def _add_required(table: str, column: sa.Column[Any], existing: sa.types.TypeEngine[Any]) -> None:
    """Add a NOT NULL column. Rows that are there get its default; later ones must bring a value."""
    with op.batch_alter_table(table) as batch_op:
        batch_op.add_column(column)
    with op.batch_alter_table(table) as batch_op:
        batch_op.alter_column(column.name, existing_type=existing, existing_nullable=False, server_default=None)


def _loaded(value: Any) -> dict[str, Any]:
    """A JSON column as drivers give it: text, or already parsed."""
    loaded: dict[str, Any] = json.loads(value) if isinstance(value, str) else value
    return loaded


def _digest(values: dict[str, Any]) -> str:
    """As the seeds of that release computed it."""
    plain = {name: f"{value:.2f}" if isinstance(value, Decimal | int) else value for name, value in values.items()}
    return hashlib.sha256(json.dumps(plain, sort_keys=True).encode()).hexdigest()
