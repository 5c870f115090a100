"""Amounts keep four decimals: NUMERIC(18, 4) on PostgreSQL, ten-thousandths instead of hundredths on SQLite.

What the database holds is converted exactly. The cents that an earlier version lost on SQLite cannot be known any more.
"""

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007b"
branch_labels = None
depends_on = None

AMOUNTS = {
    "challenge_templates": ("target_value",),
    "challenge_metrics": ("value",),
    "user_challenges": ("current_progress",),
    "profiles": ("exact_income_local", "saving_goal_value"),
    "weekly_summaries": ("total_spent", "spent_wants", "spent_needs", "spent_culture", "spent_unexpected"),
    "monthly_summaries": ("total_spent", "spent_wants", "spent_needs", "spent_culture", "spent_unexpected"),
    "reflections": ("quality_score",),
}
LARGEST = 10**14
"""An amount is smaller: 18 digits, four of them decimals. The API never took one above 10^12."""


def upgrade() -> None:
    connection = op.get_bind()
    is_sqlite = connection.dialect.name == "sqlite"
    for table, columns in AMOUNTS.items():
        for column in columns:
            largest = LARGEST * 100 if is_sqlite else LARGEST
            too_large = sa.text(f"SELECT count(*) FROM {table} WHERE abs({column}) >= {largest}")  # noqa: S608
            if connection.scalar(too_large):
                raise ValueError(
                    f"{table}.{column} holds an amount of {LARGEST} or more: correct it, then upgrade again"
                )
        if is_sqlite:
            changes = ", ".join(f"{column} = {column} * 100" for column in columns)
            op.execute(f"UPDATE {table} SET {changes}")  # noqa: S608
        else:
            changes = ", ".join(f"ALTER COLUMN {column} TYPE NUMERIC(18, 4)" for column in columns)
            op.execute(f"ALTER TABLE {table} {changes}")


def downgrade() -> None:
    is_sqlite = op.get_bind().dialect.name == "sqlite"
    for table, columns in AMOUNTS.items():
        if is_sqlite:  # a half is rounded away from zero, as PostgreSQL does it
            changes = ", ".join(
                f"{column} = ({column} + CASE WHEN {column} < 0 THEN -50 ELSE 50 END) / 100" for column in columns
            )
            op.execute(f"UPDATE {table} SET {changes}")  # noqa: S608
        else:
            changes = ", ".join(f"ALTER COLUMN {column} TYPE NUMERIC(18, 2)" for column in columns)
            op.execute(f"ALTER TABLE {table} {changes}")
