"""What a module imports, read from its text."""

import ast
from collections.abc import Iterator
from pathlib import Path


def imported(module: Path) -> Iterator[str]:
    """The modules that a module imports, and the names that it imports from them, which may be modules, too."""
    for node in ast.walk(ast.parse(module.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (name.name for name in node.names)
        elif isinstance(node, ast.ImportFrom):
            source = "." * node.level + (node.module or "")
            yield from (source, *(f"{source}.{name.name}" for name in node.names))
