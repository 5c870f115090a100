"""A client of the admin, and a service with an admin login."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.actors.person import somewhere
from tests.support.serving import Server, Service, new_client, service

PASSWORD = "correct horse battery staple"
CHANGEABLE = {"Profile", "ChallengeTemplate", "Badge", "Household", "Guide", "GuideStage", "GuideItem"}
"""The tables that an operator may change."""


@contextmanager
def administered(request: pytest.FixtureRequest, folder: Path) -> Iterator[Server]:
    """A service whose admin may log in, on the kind of database that the fixture's parameter names."""
    url = f"sqlite:///{folder}/x.db" if request.param == "sqlite" else request.getfixturevalue("postgres_url")
    with service(folder, {"DATABASE_URL": url, "ADMIN_PASSWORD": PASSWORD}) as running:
        yield running
        assert PASSWORD not in running.log()


class Admin:
    """A browser at the admin's login."""

    def __init__(self, running: Service) -> None:
        self.client = new_client(base_url=f"{running.url}/admin/api", headers=somewhere(), timeout=30)

    def sign_in(self, password: str = PASSWORD, name: str = "admin") -> httpx.Response:
        return self.client.post("/sign-in", json={"username": name, "password": password})

    def get(self, path: str, **query: Any) -> Any:
        """An answer that must be good."""
        answer = self.client.get(path, params=query)
        assert answer.status_code == 200, (path, answer.status_code, answer.text)
        return answer.json()
