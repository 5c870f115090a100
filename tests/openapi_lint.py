"""Lints both apps' OpenAPI: valid, every operation named, explained and exemplified, every error documented."""

import re
import sys
from typing import Any

from openapi_spec_validator import validate

from api.app import create_app
from api.kinderbud.app import create_kinderbud
from api.settings import Settings

OPERATION_ID = re.compile(r"[a-z]+(_[a-z]+)+")
PROBLEM, ENVELOPE = "application/problem+json", "application/json"
INVALID = {PROBLEM: "422", ENVELOPE: "400"}
"""With which status each app refuses what is malformed."""
BODY_METHODS = {"post", "put", "patch"}


def complaints(document: dict[str, Any], errors: str = PROBLEM) -> list[str]:
    """What is wrong with `document`, a line each; `errors` is the media type of its errors. Raises what the validator
    raises where it is no OpenAPI document."""
    validate(document)
    found: list[str] = []
    seen: set[str] = set()
    for path, operations in document["paths"].items():
        for method, operation in operations.items():
            where = f"{method.upper()} {path}"
            name = operation.get("operationId", "")
            if not OPERATION_ID.fullmatch(name):
                found.append(f"{where}: operationId {name!r} is not in the style of users_create")
            if name in seen:
                found.append(f"{where}: operationId {name!r} is not unique")
            seen.add(name)
            found += [f"{where}: no {part}" for part in ("summary", "description", "tags") if not operation.get(part)]
            found += _body_complaints(where, method, operation, document, {"413", INVALID[errors]})
            found += _response_complaints(where, operation, errors)
    return found


def _body_complaints(
    where: str, method: str, operation: dict[str, Any], document: dict[str, Any], statuses: set[str]
) -> list[str]:
    if method not in BODY_METHODS or "requestBody" not in operation:
        return []
    content = operation.get("requestBody", {}).get("content", {}).get("application/json", {})
    shape = content.get("schema", {})
    name = shape.get("anyOf", [shape])[0].get("$ref", "").rpartition("/")[2]  # a body may be left out
    schema = document["components"]["schemas"].get(name, {})
    missing = [] if schema.get("examples") else [f"{where}: the body has no schema with an example"]
    needed = statuses - set(operation["responses"])
    return missing + [f"{where}: {status} is not documented" for status in sorted(needed)]


def _response_complaints(where: str, operation: dict[str, Any], errors: str) -> list[str]:
    found = []
    for status, response in operation["responses"].items():
        content = response.get("content", {})
        if not response.get("description"):
            found.append(f"{where}: {status} has no description")
        if status.startswith(("4", "5")) and set(content) != {errors}:
            found.append(f"{where}: {status} is not {errors}")
        if status == "200" and not content:
            found.append(f"{where}: 200 says nothing of its content")
    return found


if __name__ == "__main__":
    app = create_app(Settings())
    lines = complaints(app.openapi()) + complaints(create_kinderbud(app).openapi(), ENVELOPE)
    print("\n".join(lines) if lines else "OpenAPI: nothing to complain about")
    sys.exit(bool(lines))
