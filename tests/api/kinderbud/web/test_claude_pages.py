"""Claude on the family's pages: a key is tested before it is stored, and a page does not wait."""

import json
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
from sqlalchemy import select, update
from sqlalchemy.ext.asyncio import AsyncSession

from api.kinderbud.households.actions import Child
from api.models import Household, HouseholdUser
from tests.actors.browser import Browser, following, new_email, signed_up
from tests.actors.family import EMMA, Family, in_database
from tests.support.claude_server import KEY, NOTE, Claude, claude_server
from tests.support.lived import Lived, lived_process, lived_service

SECONDS = 5
PATIENCE_SECONDS = 20
MORNING = datetime(2026, 2, 2, 15, tzinfo=UTC)
"""Ten o'clock in New York."""


@pytest.fixture(scope="module")
def claude() -> Iterator[Claude]:
    with claude_server() as server:
        yield server


@pytest.fixture(scope="module", params=["sqlite", "postgresql"])
def lived(claude: Claude, request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lived]:
    folder = tmp_path_factory.mktemp("claude-pages")
    url = f"sqlite:///{folder}/buddy.db" if request.param == "sqlite" else request.getfixturevalue("postgres_url")
    own = {"ANTHROPIC_BASE_URL": claude.url, "CLAUDE_SECONDS": str(SECONDS), "LOG_LEVEL": "debug"}
    with lived_service(folder, url, own, MORNING) as running:
        yield running
        assert KEY not in running.log()


def stored_key(lived: Lived, email: str) -> str | None:
    async def read(session: AsyncSession) -> str | None:
        query = select(Household.claude_key).join(HouseholdUser, HouseholdUser.household_id == Household.id)
        return (await session.execute(query.where(HouseholdUser.email == email))).scalar_one()

    return in_database(lived, read)


def test_a_key_is_tried_kept_encrypted_never_shown_and_deleted(lived: Lived, claude: Claude) -> None:
    claude.behaviour = "fine"
    email = new_email()
    browser = signed_up(lived, email)
    bad = "That is not a key"
    for wrong, said in (("sk-ant-wrong", "does not accept"), ("", bad), ("with a blank", bad), ("é", bad)):
        refused = browser.send("/settings", "/settings/claude", key=wrong)
        assert (refused.status_code, said in refused.text) == (422, True), wrong
    assert stored_key(lived, email) is None
    assert browser.go("/settings", "/settings/claude", key=f" {KEY} ") == "/settings?said=key#claude"
    kept = stored_key(lived, email)
    assert kept is not None
    assert KEY not in kept
    for page in (browser.page("/settings"), browser.get("/export").text):
        assert KEY not in page
        assert kept not in page
    assert "it works and is never shown" in browser.page("/settings")
    assert browser.go("/settings", "/settings/claude", remove="yes") == "/settings?said=no-key#claude"
    assert stored_key(lived, email) is None


def test_no_key_is_kept_of_an_admin_who_stopped_being_one_while_it_was_tried(lived: Lived, claude: Claude) -> None:
    email = new_email()
    browser = signed_up(lived, email)

    async def demote(session: AsyncSession) -> None:
        mine = HouseholdUser.email == email
        await session.execute(update(HouseholdUser).where(mine).values(role="member"))

    claude.behaviour, claude.while_tried = "fine", lambda: in_database(lived, demote)
    try:
        refused = browser.send("/settings", "/settings/claude", key=KEY)
    finally:
        claude.while_tried = lambda: None
    assert (refused.status_code, stored_key(lived, email)) == (403, None)


@pytest.mark.long
def test_while_claude_thinks_the_page_says_so_and_looks_again(lived: Lived, claude: Claude) -> None:
    claude.behaviour = "fine"
    browser = following(lived)
    browser.go("/settings", "/settings/claude", key=KEY)
    claude.behaviour = "slower"
    claude.asked.clear()
    first = browser.page("/today")
    assert "Claude is choosing your day" in first
    assert 'http-equiv="refresh"' in first
    assert NOTE in awaited(browser)
    assert "Chosen by Claude" in browser.page("/today")
    assert len(claude.asked) == 1


@pytest.mark.long
@pytest.mark.parametrize("behaviour", ["401", "529", "hanging", "junk", "refusal"])
def test_the_page_shows_a_day_for_each_behaviour_of_claude(lived: Lived, claude: Claude, behaviour: str) -> None:
    claude.behaviour = "fine"
    browser = following(lived)
    browser.go("/settings", "/settings/claude", key=KEY)
    claude.behaviour = behaviour
    page = awaited(browser)
    assert "Chosen by the coach" in page
    activities, _, _ = page.partition('id="own"')
    assert activities.count('class="card open"') == 8


def awaited(browser: Browser) -> str:
    """The day, once it is chosen."""
    deadline = time.monotonic() + PATIENCE_SECONDS
    while time.monotonic() < deadline:
        page = browser.page("/today")
        if "Claude is choosing" not in page:
            return page
        time.sleep(0.2)
    raise AssertionError("the day is still being chosen")


@pytest.mark.long
def test_in_the_morning_the_service_chooses_once_in_one_of_its_processes(
    claude: Claude, tmp_path: Path, lived: Lived
) -> None:
    """Two more processes on the same database choose in advance: only one chooses, and only where it is morning."""
    claude.behaviour = "fine"
    early, late = (following_family(lived, zone) for zone in ("America/New_York", "Pacific/Honolulu"))
    for family in (early, late):
        family.give_claude_key()
    claude.asked.clear()
    own = dict(lived.environment) | {"CURATE_AT": "08:00", "LOG_LEVEL": "info"}
    (tmp_path / "one").mkdir()
    (tmp_path / "two").mkdir()
    url = lived.environment["DATABASE_URL"]
    with lived_process(tmp_path / "one", url, own, MORNING), lived_process(tmp_path / "two", url, own, MORNING):
        deadline = time.monotonic() + PATIENCE_SECONDS
        while not chosen_ahead(tmp_path, early.id) and time.monotonic() < deadline:
            time.sleep(0.2)
        assert chosen_ahead(tmp_path, early.id) == 1
        assert chosen_ahead(tmp_path, late.id) == 0, "in Honolulu it is five o'clock"
    asked = [one for one in claude.asked if "Dawn-in-New-York" in json.dumps(one)]
    assert len(asked) == 1
    today = early.read("/today")
    assert (today["source"], today["cached"]) == ("llm", True)


def following_family(lived: Lived, zone: str) -> Family:
    child = Child(f"Dawn-in-{zone.rpartition('/')[2].replace('_', '-')}", EMMA.birthday)
    family = Family(lived, children=(child,), time_zone=zone, now=lived.clock.now)
    family.follow("Early Development", child.name)
    return family


def chosen_ahead(folder: Path, household: int) -> int:
    logs = "".join(log.read_text() for log in folder.glob("*/lived.log"))
    lines = [json.loads(line) for line in logs.splitlines() if line.startswith("{")]
    return sum(one["event"] == "a day is chosen ahead" and one["household"] == household for one in lines)
