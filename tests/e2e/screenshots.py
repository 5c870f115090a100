"""`make screenshots`: the pictures in README and docs, of a family with ten weeks of data."""

import os
import random
import tempfile
from contextlib import ExitStack
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
from playwright.sync_api import Browser, Page

from api.kakei.coach.schemas import EXAMPLE_CONTEXT
from api.kinderbud.households.actions import Child
from api.kinderbud.households.queries import users_of
from tests.actors.admin import PASSWORD as ADMIN_PASSWORD
from tests.actors.browser import PASSWORD
from tests.actors.family import Family, in_database
from tests.actors.person import Person
from tests.support.browsing import DESK, PHONE, chromium_browser, visit
from tests.support.chromium import find_chromium
from tests.support.lived import Lived, lived_process
from tests.support.serving import Service, service

IMAGES = Path(__file__).parents[2] / "docs" / "img"
MORNING = datetime(2026, 3, 2, 12, 10, tzinfo=UTC)
"""A Monday, ten past seven in New York."""
WEEKS = 10
ACTIVE = 0.8
"""Of all days."""
ODD = {"needs_share": 1.0, "wants_share": 1.0, "culture_share": 1.0, "unexpected_share": 1.0}
"""Shares outside the training data of every policy."""
ANIMATION_MS = 1500
"""The duration of the chart animation."""
CHILDREN = (Child("Emma", date(2025, 1, 15)), Child("Leo", date(2022, 8, 2)))
FAMILY = {
    "family-today": ("/today", PHONE, "light", 1.5),
    "family-history": ("/history", PHONE, "light", 1.5),
    "family-guides": ("/guides", PHONE, "dark", 1.5),
    "family-desk": ("/today", DESK, "dark", 1.0),
}


def main() -> None:
    """Draw all pictures. Databases are filled before the browser opens, since its event loop must be the only one
    then.
    """
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="buddy-screenshots-")))
        for name in ("family", "admin"):
            (folder / name).mkdir()
        living = stack.enter_context(lived_process(folder / "family", f"sqlite:///{folder}/family/x.db", now=MORNING))
        link = lived_family(living)
        watched = stack.enter_context(service(folder / "admin", {"ADMIN_PASSWORD": ADMIN_PASSWORD}))
        busy_service(watched)
        browser = stack.enter_context(chromium_browser(find_chromium(os.environ)))
        draw_family(browser, living.url, link)
        draw_admin(browser, watched.url)


def draw_family(browser: Browser, url: str, link: str) -> None:
    """The pages of `FAMILY`, after a login by link."""
    with visit(browser, url) as page:
        page.goto(f"/family{link}")
        page.get_by_label("Your new password").fill(PASSWORD)
        page.get_by_role("button", name="Set it").click()
        state = page.context.storage_state()
    for name, (path, viewport, scheme, scale) in FAMILY.items():
        options = {"viewport": viewport, "color_scheme": scheme, "device_scale_factor": scale, "storage_state": state}
        with visit(browser, url, **options) as page:
            page.goto(f"/family{path}")
            shoot(page, name)


def draw_admin(browser: Browser, url: str) -> None:
    """The dashboard."""
    with visit(browser, url, viewport=DESK) as page:
        page.goto("/admin")
        page.get_by_label("Name").fill("admin")
        page.get_by_label("Password").fill(ADMIN_PASSWORD)
        page.get_by_role("button", name="Sign In").click()
        page.get_by_role("tab", name="Coaches").wait_for()
        page.wait_for_load_state("networkidle")
        page.wait_for_timeout(ANIMATION_MS)
        shoot(page, "admin")


def shoot(page: Page, name: str) -> None:
    """One picture of the visible part of the screen."""
    page.evaluate("document.fonts.ready")
    page.screenshot(path=IMAGES / f"{name}.png")
    print(f"docs/img/{name}.png", flush=True)


def lived_family(running: Lived) -> str:
    """A family with more actions on some days than on others. Returns the path of a link that sets its password."""
    chance = random.Random(7)
    running.clock.now = MORNING - timedelta(weeks=WEEKS)
    family = Family(running, children=CHILDREN, now=running.clock.now)
    family.follow("Early Development", "Emma")
    family.follow("Early Literacy", "Leo")
    family.follow("For the Grown-Ups", "Sarah")
    family.data("POST", "/todos", {"title": "Read a bedtime story", "frequency": "daily"})
    for _ in range(7 * WEEKS):
        if chance.random() < ACTIVE:
            shown = family.read("/today")
            todos = [*shown["activities"], *shown["custom_todos"]]
            for todo in chance.sample(todos, min(len(todos), chance.choice((1, 2, 3, 4, 5, 7)))):
                family.complete(todo["id"])
        running.clock.move(days=1)
    today = family.read("/today")
    family.complete(today["activities"][0]["id"], notes="She laughed the whole time")
    family.snooze(today["activities"][3]["id"], days=3, reason="She has a cold")

    async def email(session: Any) -> str:
        return (await users_of(session, family.id))[0].email

    made = running.buddy("household", "reset-link", in_database(running, email))
    return str(made.split()[0].partition("/family")[2])


def busy_service(running: Service) -> None:
    """Some data for each chart of the dashboard."""
    running.buddy("study", "start", "spring")
    for number in range(12):
        person = Person(running)
        person.consent(study_version="spring", consented=number % 4 > 0)
        for ratio in (0.1, 0.5, 0.9):
            asked = EXAMPLE_CONTEXT | {"budget_used_ratio": ratio, "savings_goal_progress": number / 12}
            httpx.post(f"{running.url}/coach/suggestions", json=asked, headers={"X-User-UUID": person.uuid})
            httpx.post(f"{running.url}/coach/suggestions", json=asked)
        httpx.post(f"{running.url}/coach/suggestions", json=EXAMPLE_CONTEXT | ODD)
    family = Family(running, children=CHILDREN)
    family.follow("Early Development", "Emma")
    family.complete(family.read("/today")["activities"][0]["id"])


if __name__ == "__main__":
    main()
