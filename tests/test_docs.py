"""What the pages name exists: files, modules, settings, commands, make targets."""

import re
from pathlib import Path
from typing import Any

import pytest
import typer

from api.cli.main import app as buddy
from api.settings import Settings
from tests.support.serving import Service
from training.cli import app as buddy_train

ROOT = Path(__file__).parents[1]
PACKAGES = ("api", "coach_model", "data", "docs", "scripts", "tests", "training")
PAGES = sorted(page for page in (*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md")))
FILES = {path.relative_to(ROOT).as_posix() for package in PACKAGES for path in (ROOT / package).rglob("*")}
READ_ELSEWHERE = {"MLFLOW_TRACKING_URI": "training/registry/tracking.py", "POSTGRES_PASSWORD": "compose.yaml"}
"""Variables of .env.example that the service does not read, and the file that does."""
ABSENT = {"coach_model/fallback.py", "tests/api/kakei/accounts/test_points.py"}
"""What a page says is not there, and what it asks its reader to write."""

page_of = pytest.mark.parametrize("page", PAGES, ids=lambda page: page.relative_to(ROOT).as_posix())


@page_of
def test_relative_links_lead_to_files(page: Path) -> None:
    links = re.findall(r"\]\(([^)\s]+)\)", page.read_text())
    local = [link.partition("#")[0] for link in links if not re.match(r"[a-z]+:|#", link)]
    assert [link for link in local if not (page.parent / link).exists()] == []


@page_of
def test_links_into_a_page_lead_to_a_heading(page: Path) -> None:
    for target, heading in re.findall(r"\]\(([^)\s:#]*\.md|)#([^)\s]+)\)", page.read_text()):
        text = (page.parent / target if target else page).read_text()
        headings = re.findall(r"^#+ (.+)$", text, re.MULTILINE)
        assert heading in {re.sub(r"[^\w\- ]", "", one.lower()).replace(" ", "-") for one in headings}


@page_of
def test_the_modules_that_a_page_names_exist(page: Path) -> None:
    named = set(re.findall(r"`([\w./-]+\.(?:py|toml|sha256|svg))`", page.read_text()))
    named |= set(re.findall(rf"`((?:{'|'.join(PACKAGES)})/[\w./-]+)`", page.read_text()))
    known = FILES | {path.name for path in ROOT.iterdir()}
    named -= ABSENT
    missing = [path for path in named if not any(f"/{one}".endswith(f"/{path.rstrip('/')}") for one in known)]
    assert missing == []


@page_of
def test_the_commands_that_a_page_names_exist(page: Path) -> None:
    text = page.read_text().replace(r"\|", "|")
    for program, rest in re.findall(r"(?:`| {4}|/bin/)(buddy|buddy-train) ([a-z][^`#\n]*)", text):
        command: Any = typer.main.get_command(buddy if program == "buddy" else buddy_train)
        words = rest.split()
        while hasattr(command, "commands") and words and re.match("[a-z]", words[0]):
            alternatives = words.pop(0).split("|")
            assert [one for one in alternatives if one not in command.commands] == [], f"{program} {rest}"
            command = command.commands[alternatives[0]]


@page_of
def test_the_make_targets_that_a_page_names_exist(page: Path) -> None:
    targets = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))
    assert set(re.findall(r"(?:`| {4})make ([a-z-]+)", page.read_text())) - targets == set()


def test_every_setting_is_explained_and_every_explained_one_is_read() -> None:
    example = (ROOT / ".env.example").read_text()
    names = re.findall(r"^(?:# ?)?([A-Z][A-Z0-9_]+)=", example, re.MULTILINE)
    assert len(names) == len(set(names))
    assert set(names) == {name.upper() for name in Settings.model_fields} | set(READ_ELSEWHERE)
    for name, path in READ_ELSEWHERE.items():
        assert name in (ROOT / path).read_text()


def test_the_defaults_of_the_example_are_those_of_the_settings() -> None:
    shown = dict(re.findall(r"^([A-Z][A-Z0-9_]+)=(.*)$", (ROOT / ".env.example").read_text(), re.MULTILINE))
    fields = {name.upper(): str(field.default) for name, field in Settings.model_fields.items()}
    for name, value in shown.items():
        default = fields[name].lower().removesuffix(".0")
        assert value.lower() == default, name


def test_every_setting_reaches_the_service_in_compose() -> None:
    """But where the image decides itself: the address inside of the container and the folder of artifacts."""
    passed = set(re.findall(r"^      - ([A-Z_]+)", (ROOT / "compose.yaml").read_text(), re.MULTILINE))
    assert {name.upper() for name in Settings.model_fields} - passed == {"HOST", "PORT", "COACH_MODEL_DIR"}


def test_the_first_test_of_a_contributor_passes(stored: Service) -> None:
    blocks = re.findall(r"```python\n(.*?)```", (ROOT / "CONTRIBUTING.md").read_text(), re.DOTALL)
    assert len(blocks) == 1
    defined: dict[str, Any] = {}
    exec(blocks[0], defined)  # noqa: S102 - our own page
    defined["test_a_new_person_has_no_points"](stored)
