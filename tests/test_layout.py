"""The tests mirror the packages, and what several of them need is in one place."""

from pathlib import Path

import pytest

from tests.support.imports import imported

TESTS = Path(__file__).parent
ROOT = TESTS.parent
PACKAGES = ("api", "coach_model", "data", "training")
MODULES = sorted(TESTS.rglob("*.py"))
HELPERS = ("actors", "bench", "science", "support")
"""Folders that hold no tests of a package. Tests of a helper stand beside it."""
TOOLS = {
    "openapi_lint.py",
    "api/db/record_release.py",
    "api/record_budgets.py",
    "api/kinderbud/reference.py",
    "e2e/kinderbud_tokens.py",
    "e2e/screenshots.py",
}
"""Programs and readers that stand beside the tests of the same thing."""


def test_no_module_imports_a_test_module_or_a_conftest() -> None:
    wrong = [
        (str(module.relative_to(TESTS)), name)
        for module in MODULES
        for name in imported(module)
        if name.startswith("tests.") and name.rpartition(".")[2].partition("_")[0] in {"test", "conftest"}
    ]
    assert wrong == []


@pytest.mark.parametrize("package", PACKAGES)
def test_every_folder_of_tests_is_a_folder_of_the_package(package: str) -> None:
    folders = {module.parent.relative_to(TESTS) for module in (TESTS / package).rglob("*.py")}
    assert [str(folder) for folder in folders if not (ROOT / folder / "__init__.py").exists()] == []


def test_helpers_are_in_the_folders_for_helpers() -> None:
    paths = {module.relative_to(TESTS).as_posix() for module in MODULES}
    known = {path for path in paths if path.startswith(HELPERS) or path.rpartition("/")[2].startswith("test_")}
    known |= {path for path in paths if path.rpartition("/")[2] in {"__init__.py", "conftest.py"}}
    assert paths - known == TOOLS
