"""The OpenAPI document with msgspec's schemas, and a /docs page that loads no assets from other servers."""

from typing import Any

import msgspec
from fastapi import FastAPI
from fastapi.openapi.docs import get_swagger_ui_html
from fastapi.openapi.utils import get_openapi
from starlette.responses import HTMLResponse
from starlette.staticfiles import StaticFiles

from api.http import rate_limits
from api.http.cacheable import caching_of
from api.http.problems import MEDIA_TYPE, Problem

REFERENCE = "#/components/schemas/{name}"
ASSETS = "/docs/assets"
NOT_MODIFIED: dict[int | str, dict[str, Any]] = {"304": {"description": "The client has this answer: If-None-Match"}}
_structs: dict[str, type[msgspec.Struct]] = {Problem.__name__: Problem}
_examples: dict[str, dict[str, Any]] = {}

DESCRIPTIONS = {
    403: "Forbidden",
    404: "Not found",
    409: "Conflict",
    413: "The body is too large",
    415: "The Content-Encoding is neither gzip nor deflate",
    422: "Malformed or out of range",
    429: "Too many requests; `Retry-After` says when to try again",
    501: "The writers of this format are not installed",
    503: "The database is unavailable, or the service is too busy; `Retry-After` says when to try again",
}


def json_body(struct: type[msgspec.Struct], example: dict[str, Any]) -> dict[str, Any]:
    """`openapi_extra` for a route that decodes `struct` itself."""
    return {"requestBody": {"required": True, "content": {"application/json": _media(struct, example)}}}


def header_parameter(name: str, description: str, **schema: Any) -> dict[str, Any]:
    """A header that a route reads itself, for its `openapi_extra["parameters"]`."""
    described = {"name": name, "in": "header", "required": False, "description": description}
    return described | {"schema": {"type": "string", **schema}}


def json_content(description: str, struct: type[msgspec.Struct], example: dict[str, Any]) -> dict[str, Any]:
    """A response of a route that encodes `struct` itself."""
    return {"description": description, "content": {"application/json": _media(struct, example)}}


def problem_responses(*statuses: int) -> dict[int | str, dict[str, Any]]:
    """The problem details that a route may answer."""
    content = {MEDIA_TYPE: {"schema": {"$ref": REFERENCE.format(name=Problem.__name__)}}}
    return {status: {"description": DESCRIPTIONS[status], "content": content} for status in statuses}


def add_not_modified(path: str, operations: dict[str, Any]) -> None:
    """Add 304 to the description of a path whose answers clients may keep."""
    if caching_of(path) is not None and "get" in operations:
        operations["get"]["responses"] |= NOT_MODIFIED


def install(app: FastAPI) -> None:
    """Serve /openapi.json with msgspec's schemas, and /docs with local assets."""

    def openapi() -> dict[str, Any]:
        if app.openapi_schema is None:
            schema = get_openapi(title=app.title, version=app.version, description=app.description, routes=app.routes)
            _, components = msgspec.json.schema_components(_structs.values(), ref_template=REFERENCE)
            schemas = schema.setdefault("components", {}).setdefault("schemas", {})
            schemas.update(components)
            for name, example in _examples.items():  # as schema examples: FastAPI drops nulls from its own
                schemas[name]["examples"] = [example]
            for unused in ("HTTPValidationError", "ValidationError"):
                schemas.pop(unused, None)
            for path, operations in schema["paths"].items():
                add_not_modified(path, operations)
                for operation in operations.values():
                    if rate_limits.is_limited(path):
                        operation["responses"] |= {"429": problem_responses(429)[429]}
                    else:
                        operation["description"] = f"{operation.get('description', '')}\n\nNot rate limited.".strip()
                    if "requestBody" in operation:
                        operation["responses"] |= {"415": problem_responses(415)[415]}
                    if "422" in operation["responses"]:  # FastAPI's default does not describe our answer
                        operation["responses"]["422"] = problem_responses(422)[422]
            app.openapi_schema = schema
        return app.openapi_schema

    app.openapi = openapi  # type: ignore[method-assign]
    app.mount(ASSETS, StaticFiles(packages=[("fastapi_offline", "static")]), name="docs-assets")

    add_docs_page(app, "/openapi.json")


def add_docs_page(app: FastAPI, openapi_url: str) -> None:
    """Serve /docs of the app, with the assets that `install` serves for the whole service."""

    @app.get("/docs", include_in_schema=False)
    async def docs() -> HTMLResponse:
        return get_swagger_ui_html(
            openapi_url=openapi_url,
            title=app.title,
            swagger_js_url=f"{ASSETS}/swagger-ui-bundle.js",
            swagger_css_url=f"{ASSETS}/swagger-ui.css",
            swagger_favicon_url=f"{ASSETS}/favicon.png",
        )


def _media(struct: type[msgspec.Struct], example: dict[str, Any]) -> dict[str, Any]:
    _structs[struct.__name__] = struct
    _examples[struct.__name__] = example
    return {"schema": {"$ref": REFERENCE.format(name=struct.__name__)}}
