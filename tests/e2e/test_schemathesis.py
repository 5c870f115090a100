"""A stranger who has only the OpenAPI documents tries everything that they allow and forbid."""

import os
import subprocess
import sys
from pathlib import Path

import httpx
import pytest
from sqlalchemy.ext.asyncio import AsyncSession

from api.kinderbud.households.actions import make_token
from api.kinderbud.households.queries import users_of
from tests.actors.family import Family, in_database
from tests.e2e import kinderbud_tokens
from tests.support.serving import Service

pytestmark = pytest.mark.long

ROOT = Path(__file__).parents[2]
CASES = os.environ.get("SCHEMATHESIS_CASES")
"""For each operation, where more are wanted than every day: `.ci/run` takes 100."""
EXAMPLES = int(CASES or 15)
"""For each operation."""
FAMILY_EXAMPLES = int(CASES or 8)
"""For each operation of Kinderbud. Most requests there test boundaries, independent of this number."""
FAMILY_TOKENS = 40 * FAMILY_EXAMPLES
"""Enough tokens that none reaches its limit of 60 writes a minute."""
A_NEW_USER_HAS_NOTHING = "ensure_resource_availability"
"""The one check that does not hold here: a user who was just created has no profile, and 404 says so."""
REFUSALS = """
# As in schemathesis.toml, but that Kinderbud says 400 where the rest of the service says 422: a number such as 1.0,
# which JSON schema takes for an integer, is none here, and a household without a Claude key cannot chat.
[checks]
positive_data_acceptance.expected-statuses = ["2xx", "400", "401", "404", "409", "5xx"]
"""


def schemathesis(url: str, folder: Path, config: Path, examples: int, **environment: str) -> None:
    """Test everything in the document at `url`; no answer may differ from it."""
    command = [str(Path(sys.executable).with_name("schemathesis")), "--config-file", str(config)]
    options = ["--checks", "all", "--exclude-checks", A_NEW_USER_HAS_NOTHING, "-n", str(examples), "--seed", "1"]
    done = subprocess.run(
        [*command, "run", url, *options],
        cwd=folder,
        env=os.environ | environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout[-8000:] + done.stderr[-2000:]


def test_nothing_that_a_stranger_sends_is_answered_otherwise_than_documented(stored: Service, tmp_path: Path) -> None:
    schemathesis(f"{stored.url}/openapi.json", tmp_path, ROOT / "schemathesis.toml", EXAMPLES)


@pytest.fixture
def family(stored: Service) -> Family:
    """A family with a guide and a todo of its own, so that requests find data."""
    made = Family(stored)
    made.follow()
    made.data("POST", "/todos", {"title": "Sing"})
    return made


def test_nothing_that_a_family_sends_is_answered_otherwise_than_documented(family: Family, tmp_path: Path) -> None:
    async def make(session: AsyncSession) -> list[str]:
        user = (await users_of(session, family.id))[0]
        return [(await make_token(session, user, "a device", family.now))[1] for _ in range(FAMILY_TOKENS)]

    tokens, config = tmp_path / "tokens", tmp_path / "schemathesis.toml"
    tokens.write_text("\n".join(in_database(family.service, make)), encoding="utf-8")
    config.write_text(REFUSALS, encoding="utf-8")
    hooks = {"SCHEMATHESIS_HOOKS": str(kinderbud_tokens.__file__), kinderbud_tokens.FILE: str(tokens)}
    schemathesis(f"{family.service.url}/api/v1/openapi.json", tmp_path, config, FAMILY_EXAMPLES, **hooks)
    done = family.read("/history?days=90")["total_actions"] + family.read("/todos")["total"]
    assert done > 1, "every request of a family was refused, so that nothing was tried"


def test_kinderbuds_document_says_what_needs_a_token(running: Service) -> None:
    """Without it, no generated client can authenticate, and `/docs` has no button for it."""
    document = httpx.get(f"{running.url}/api/v1/openapi.json").json()
    schemes = document["components"].get("securitySchemes", {})
    bearer = {name for name, scheme in schemes.items() if (scheme["type"], scheme.get("scheme")) == ("http", "bearer")}
    for path, operations in document["paths"].items():
        for method, operation in operations.items():
            needed = operation.get("security", document.get("security", []))
            assert bool(needed) == (path != "/health"), f"{method} {path}"
            assert {name for way in needed for name in way} <= bearer


def test_a_key_that_was_used_for_something_else_is_refused_as_documented(family: Family) -> None:
    document = httpx.get(f"{family.service.url}/api/v1/openapi.json").json()
    todo = family.read("/todos?limit=1")["todos"][0]["id"]
    for path, bodies in (
        ("/todos", [{"title": "Sing"}, {"title": "Dance"}]),
        ("/todos/{todo_id}/complete", [{"notes": "Good"}, {"notes": "Bad"}]),
        ("/todos/{todo_id}/snooze", [{"days": 1}, {"days": 2}]),
    ):
        first, other = [
            family.ask("POST", path.format(todo_id=todo), body, Idempotency_Key="the same key") for body in bodies
        ]
        assert first.status_code == 200, first.text
        assert other.json()["code"] == "VALIDATION_ERROR"
        assert str(other.status_code) in document["paths"][path]["post"]["responses"]
