"""Writes `budgets.json`: what each request costs now, on SQLite and PostgreSQL.

Run `python -m tests.api.record_budgets` when a request became cheaper, or when it costs more for a reason: the commit
says why. PostgreSQL is found as the tests find it.
"""

import os
import tempfile
from pathlib import Path

from tests.support import budgets
from tests.support.budgets import COUNTED, Budgets
from tests.support.lived import Lived, lived_service
from tests.support.one_of_each import NOW, of_all
from tests.support.postgres import postgres_database, postgres_server
from tests.support.work import bytes_of, calls_of, statements_of


def main() -> None:
    with tempfile.TemporaryDirectory() as folder:
        with lived_service(Path(folder), f"sqlite:///{folder}/buddy.db", now=NOW) as service:
            sqlite = costs(service)
        with (
            postgres_server(os.environ) as server,
            postgres_database(server, "budgets") as url,
            lived_service(Path(folder), url, now=NOW) as service,
        ):
            budgets.write({"postgresql": costs(service), "sqlite": sqlite})


def costs(service: Lived) -> Budgets:
    """What every request costs on this service's database."""
    asks = of_all(service)
    return Budgets(
        {name: len(statements_of(service, one).statements) for name, one in asks.items()},
        {name: dict(calls_of(service, asks[name]).by_package()) for name in COUNTED},
        {name: bytes_of(service, asks[name]).peak_bytes for name in COUNTED},
    )


if __name__ == "__main__":
    main()
