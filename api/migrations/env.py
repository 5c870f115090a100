"""Alembic runs this with the connection that `api.db.migrate` opened; nothing is configured here."""

from typing import Any, Literal

from alembic import context

from api.models import Base


def _render(kind: str, value: Any, autogen: Any) -> str | Literal[False]:
    """Our own types by their names, so that a migration reads as the model does."""
    if kind == "type" and type(value).__module__ == "api.models.base":
        autogen.imports.add("from api.models import base")
        return f"base.{type(value).__name__}()"
    return False


context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=Base.metadata,
    render_as_batch=True,
    render_item=_render,
    compare_type=True,
)
context.run_migrations()
