"""The tests mirror the packages, and what several of them need is in one place."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

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


def imported(module: Path) -> Iterator[str]:
    """The modules that a module imports, and the names that it imports from them, which may be modules, too."""
    for node in ast.walk(ast.parse(module.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (name.name for name in node.names)
        elif isinstance(node, ast.ImportFrom):
            source = "." * node.level + (node.module or "")
            yield from (source, *(f"{source}.{name.name}" for name in node.names))


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


@pytest.mark.parametrize("features", ["api/admin", "api/kakei", "api/kinderbud"])
def test_the_sql_of_a_feature_is_in_its_queries(features: str) -> None:
    statements = {f"sqlalchemy.{verb}" for verb in ("select", "insert", "update", "delete", "text", "func")}
    modules = [module for module in (ROOT / features).rglob("*.py") if module.name != "queries.py"]
    assert modules
    wrong = [(str(module.relative_to(ROOT)), name) for module in modules for name in imported(module)]
    assert [(module, name) for module, name in wrong if name in statements or ".dialects" in name] == []
