"""No function has more than 60 lines, and no file more than 350."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
FOLDERS = ("api", "coach_model", "data", "training", "tests")
LONGEST_FUNCTION, LONGEST_FILE = 60, 350
RELEASED = ROOT / "api" / "migrations" / "versions"
"""Released migrations are frozen (docs/decisions/0015), and most of them are one long function."""
FILES = [*(file for folder in FOLDERS for file in (ROOT / folder).rglob("*.py")), ROOT / "scripts/rehearse-dockerfile"]


@pytest.mark.parametrize("lines", [LONGEST_FUNCTION, LONGEST_FUNCTION + 1])
def test_the_lines_of_a_function_are_counted_with_its_signature(lines: int) -> None:
    source = "\n".join(["class A:", "    async def b(", "        self", "    ):", *["        c()"] * (lines - 3)])
    assert list(long_functions(source)) == ([] if lines == LONGEST_FUNCTION else [f"b has {lines} lines"])


def test_no_function_and_no_file_is_too_long() -> None:
    too_long = []
    for file in FILES:
        source = file.read_text(encoding="utf-8")
        found = [] if file.is_relative_to(RELEASED) else list(long_functions(source))
        count = len(source.splitlines())
        found += [f"{count} lines"] if count > LONGEST_FILE else []
        too_long += [f"{file.relative_to(ROOT)}: {one}" for one in found]
    assert not too_long, "\n".join(too_long)


def long_functions(source: str) -> Iterator[str]:
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and node.end_lineno is not None:
            lines = node.end_lineno - node.lineno + 1
            if lines > LONGEST_FUNCTION:
                yield f"{node.name} has {lines} lines"
