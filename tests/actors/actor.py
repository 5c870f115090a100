"""What all actors have in common: they ask a running service over HTTP."""

from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import Any

import httpx

from tests.support.lived import Lived
from tests.support.serving import Service


@dataclass
class Actor(ABC):
    """Asks a service in its own name. `ask` returns an answer of any status, and `get`, `post`, `put`, `patch` and
    `delete` are short for it. `data` takes the same and returns the content of an answer that must be successful;
    `read` is short for it.
    """

    service: Service | Lived

    @abstractmethod
    def ask(self, method: str, path: str, body: Any = None, **headers: str) -> httpx.Response:
        """The answer, of any status. In a header's name, `_` stands for `-`."""

    def get(self, path: str, **headers: str) -> httpx.Response:
        return self.ask("GET", path, **headers)

    def post(self, path: str, body: Any = None, **headers: str) -> httpx.Response:
        return self.ask("POST", path, body, **headers)

    def put(self, path: str, body: Any, **headers: str) -> httpx.Response:
        return self.ask("PUT", path, body, **headers)

    def patch(self, path: str, body: Any, **headers: str) -> httpx.Response:
        return self.ask("PATCH", path, body, **headers)

    def delete(self, path: str, **headers: str) -> httpx.Response:
        return self.ask("DELETE", path, **headers)

    def data(self, method: str, path: str, body: Any = None, **headers: str) -> Any:
        """The content of an answer that must be successful."""
        answer = self.ask(method, path, body, **headers)
        assert answer.is_success, f"{method} {path} was answered {answer.status_code}: {answer.text[:2000]}"
        return self.content(answer)

    def read(self, path: str, **headers: str) -> Any:
        """What is at a path that must exist."""
        return self.data("GET", path, **headers)

    def content(self, answer: httpx.Response) -> Any:
        """What a successful answer says."""
        return answer.json()


def named(headers: dict[str, str]) -> dict[str, str]:
    """Headers by their names in HTTP: `Idempotency-Key` for `Idempotency_Key`."""
    return {name.replace("_", "-"): value for name, value in headers.items()}
