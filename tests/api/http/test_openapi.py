import copy
import re
from pathlib import Path
from typing import Any
from urllib.parse import urlparse

import jsonschema
import pytest
from playwright.sync_api import sync_playwright

from api.kakei.coach.schemas import EXAMPLE_CONTEXT
from tests.openapi_lint import ENVELOPE, complaints
from tests.support.chromium import CHROMIUM_ARGUMENTS
from tests.support.serving import CLIENT, Service


@pytest.fixture(scope="module")
def document(running: Service) -> dict[str, Any]:
    found: dict[str, Any] = CLIENT.get(f"{running.url}/openapi.json").json()
    return found


def test_nothing_to_complain_about(document: dict[str, Any]) -> None:
    assert complaints(document) == []


def test_nothing_to_complain_about_in_kinderbud_either(running: Service) -> None:
    assert complaints(CLIENT.get(f"{running.url}/api/v1/openapi.json").json(), ENVELOPE) == []


def test_the_linter_complains(document: dict[str, Any]) -> None:
    broken = copy.deepcopy(document)
    operation = broken["paths"]["/coach/suggestions"]["post"]
    operation["operationId"] = "Suggest"
    del (
        operation["responses"]["422"],
        operation["summary"],
        operation["requestBody"]["content"]["application/json"]["schema"],
    )
    assert len(complaints(broken)) == 4


def test_the_page_shows_the_ten_numbers_and_their_bounds(document: dict[str, Any]) -> None:
    context = document["components"]["schemas"]["CoachContext"]
    assert set(context["properties"]) == set(context["required"]) == set(EXAMPLE_CONTEXT)
    assert context["additionalProperties"] is False
    for schema in context["properties"].values():
        assert (schema["type"], schema["minimum"], schema["maximum"]) == ("number", 0, 1)


def test_answers_are_what_the_document_promises(document: dict[str, Any], running: Service) -> None:
    def valid(value: Any, name: str) -> None:
        jsonschema.validate(value, {"$ref": f"#/components/schemas/{name}", "components": document["components"]})

    valid(CLIENT.post(f"{running.url}/coach/suggestions", json=EXAMPLE_CONTEXT).json(), "CoachAnswer")
    valid(CLIENT.post(f"{running.url}/coach/suggestions", json={"x": 1}).json(), "Problem")
    batch = {"contexts": [EXAMPLE_CONTEXT, 7]}
    valid(CLIENT.post(f"{running.url}/coach/suggestions/batch", json=batch).json(), "CoachBatchAnswer")


def test_docs_render_in_a_browser_that_asks_no_one_else(chromium: str, running: Service, tmp_path: Path) -> None:
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=CHROMIUM_ARGUMENTS)
        page = browser.new_page()
        asked: list[str] = []
        page.on("request", lambda request: asked.append(request.url))
        page.goto(f"{running.url}/docs")
        page.get_by_text("Ask the coach for one decision").click()
        page.get_by_text(re.compile("The learned policy answers")).wait_for()
        page.screenshot(path=tmp_path / "docs.png")
        browser.close()
    assert {urlparse(url).netloc for url in asked if not url.startswith("data:")} == {urlparse(running.url).netloc}
