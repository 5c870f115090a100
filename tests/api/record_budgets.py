"""Writes `budgets.json`: what each request costs now, on SQLite and PostgreSQL.

Run `python -m tests.api.record_budgets` when a request became cheaper, or when it costs more for a reason: the commit
says why. PostgreSQL is found as the tests find it.
"""

import os
import tempfile

from tests.support import budgets
from tests.support.postgres import postgres_database, postgres_server


def main() -> None:
    with tempfile.TemporaryDirectory() as folder:
        sqlite = budgets.costs(f"sqlite:///{folder}/buddy.db")
    with postgres_server(os.environ) as server, postgres_database(server, "budgets") as url:
        postgresql = budgets.costs(url)
    budgets.write({"postgresql": postgresql.budgets(), "sqlite": sqlite.budgets()})


if __name__ == "__main__":
    main()
