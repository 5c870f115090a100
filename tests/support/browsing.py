"""A real browser: Chromium, driven by Playwright, without access to other servers."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from urllib.parse import urlsplit

from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, BrowserContext, Page, expect, sync_playwright

from tests.support.chromium import CHROMIUM_ARGUMENTS

PHONE = {"width": 390, "height": 844}
SMALL = {"width": 320, "height": 640}
DESK = {"width": 1280, "height": 860}
SERIOUS = {"serious", "critical"}
PATIENCE_MS = 20_000
RULES = {
    "runOnly": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"],
    "resultTypes": ["violations"],  # details of passed rules are unused and take half of the time
}


@contextmanager
def chromium_browser(path: str) -> Iterator[Browser]:
    """Start Chromium from that path."""
    expect.set_options(timeout=PATIENCE_MS)  # a busy machine is slow
    with sync_playwright() as playwright:
        arguments = [one for one in CHROMIUM_ARGUMENTS if one != "--headless"]
        browser = playwright.chromium.launch(executable_path=path, args=arguments)
        try:
            yield browser
        finally:
            browser.close()


@contextmanager
def visit(browser: Browser, base: str, **options: Any) -> Iterator[Page]:
    """A page in its own profile. It must request nothing outside `base` and log no error."""
    context = browser.new_context(base_url=base, **({"viewport": PHONE} | options))
    context.set_default_timeout(PATIENCE_MS)
    asked: list[str] = []
    problems: list[str] = []
    watch(context, asked, problems)
    try:
        yield context.new_page()
    finally:
        context.close()
    outside = {url for url in asked if urlsplit(url).netloc != urlsplit(base).netloc and not url.startswith("data:")}
    assert not outside
    assert not problems


def watch(context: BrowserContext, asked: list[str], problems: list[str]) -> None:
    """Record every requested address, every failing script, and everything that the policy blocks."""
    context.on("request", lambda request: asked.append(request.url))
    context.on("weberror", lambda error: problems.append(str(error.error)))
    context.on(
        "console",
        lambda message: problems.append(message.text) if "Content Security Policy" in message.text else None,
    )


def barriers(page: Page) -> list[str]:
    """The accessibility violations that axe finds on a page, one per line."""
    found = Axe().run(page, options=RULES).response["violations"]
    return [
        f"{one['id']} ({one['impact']}): {node['html'][:160]}"
        for one in found
        if one["impact"] in SERIOUS
        for node in one["nodes"]
    ]


def is_too_wide(page: Page) -> bool:
    """Whether the page needs horizontal scrolling."""
    return bool(page.evaluate("document.documentElement.scrollWidth > document.documentElement.clientWidth"))
