"""UUIDs have one spelling, in lower case, since they compare without case; zones that name no place are forgotten.

Where a UUID was made in two spellings there are two users. The one in lower case, or else the older one, takes the
spelling in lower case; the other one keeps its own, by which alone it is found. No row is merged or deleted.
"""

import re

import sqlalchemy as sa
from alembic import op

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None

UUID_FORM = re.compile(r"[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}")


def upgrade() -> None:
    connection = op.get_bind()
    capitals = sa.text("SELECT id, uuid FROM users WHERE uuid <> lower(uuid) ORDER BY id")
    renamed = [(row.id, row.uuid.lower()) for row in connection.execute(capitals) if UUID_FORM.fullmatch(row.uuid)]
    is_there = sa.text("SELECT 1 FROM users WHERE uuid = :uuid")
    rename = sa.text("UPDATE users SET uuid = :uuid WHERE id = :id")
    for user_id, uuid in renamed:
        if connection.scalar(is_there, {"uuid": uuid}) is None:
            connection.execute(rename, {"id": user_id, "uuid": uuid})
    op.execute("UPDATE profiles SET time_zone = NULL WHERE time_zone IN ('localtime', 'Factory', 'posixrules')")


def downgrade() -> None:
    """Nothing: which ids had capitals is not known any more."""
