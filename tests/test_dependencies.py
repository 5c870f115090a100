"""Every imported package is declared in pyproject.toml: in the dependencies, or in the extra of its importer."""

import ast
import re
import sys
import tomllib
from collections.abc import Iterator
from functools import cache
from importlib.metadata import packages_distributions
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
EXTRAS = {
    "api": (),
    "coach_model": (),
    "data": ("research",),
    "training": ("research", "train"),
    "tests": ("research", "train", "dev"),
}
"""The folders of code, and the extras that each may import from."""
OURS = set(EXTRAS)
CHECKERS = {"frictionless", "mlcroissant"}
"""`data.packages.validation` imports them only if they are installed; its answer is else "not checked"."""


@pytest.mark.parametrize("folder", EXTRAS)
def test_every_imported_package_is_declared(folder: str) -> None:
    declared = set().union(*(declared_in(extra) for extra in (None, *EXTRAS[folder])))
    if folder == "data":
        declared |= CHECKERS
    undeclared = {
        f"{file.relative_to(ROOT)}: {name}"
        for file, name in imported(ROOT / folder)
        if not distributions_of(name) & declared
    }
    assert undeclared == set()


def test_an_undeclared_package_would_be_found() -> None:
    """`annotated_types` is installed, because pydantic needs it, and is not declared."""
    assert distributions_of("annotated_types") == {"annotated-types"}
    assert not distributions_of("annotated_types") & declared_in(None)


def imported(folder: Path) -> Iterator[tuple[Path, str]]:
    """The files, with the packages of others that they import."""
    for file in sorted(folder.rglob("*.py")):
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
            names = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
            if isinstance(node, ast.ImportFrom) and node.module and not node.level:
                names = [node.module]
            for name in {name.partition(".")[0] for name in names} - OURS - sys.stdlib_module_names:
                yield file, name


@cache
def declared_in(extra: str | None) -> set[str]:
    """The names of the dependencies, or of those of an extra."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    lines = project["dependencies"] if extra is None else project["optional-dependencies"][extra]
    return {canonical(re.split(r"[\[<>=!~; ]", line, maxsplit=1)[0]) for line in lines}


def distributions_of(name: str) -> set[str]:
    """The distributions that bring an importable name."""
    return {canonical(one) for one in _distributions().get(name, [])}


_distributions = cache(packages_distributions)


def canonical(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()
