"""A client of the admin, and a service with an admin login."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.actors.actor import Actor, named
from tests.actors.person import somewhere
from tests.support.serving import Server, new_client, service

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


@dataclass
class Admin(Actor):
    """A browser at the admin's login."""

    def __post_init__(self) -> None:
        self.client = new_client(base_url=f"{self.service.url}/admin/api", headers=somewhere(), timeout=30)

    def ask(self, method: str, path: str, body: Any = None, **headers: str) -> httpx.Response:
        """The answer of any status; `path` begins below /admin/api."""
        return self.client.request(method, path, json=body, headers=named(headers))

    def sign_in(self, password: str = PASSWORD, name: str = "admin") -> httpx.Response:
        return self.post("/sign-in", {"username": name, "password": password})
