"""Alembic's migrations. `buddy db upgrade` applies them; `buddy db check` says whether models and tables agree."""
