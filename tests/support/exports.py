"""Exports, as researchers get them: over HTTP, unpacked, and read back."""

import io
import json
import zipfile
from pathlib import Path
from typing import Any

import httpx

from tests.actors.person import somewhere
from tests.support.serving import CLIENT, EXPORT_TOKEN, Service

PATH = "/api/admin/research/export"
TOKEN = {"X-Research-Export-Token": EXPORT_TOKEN}


def export(service: Service, kind: str = "json", **query: Any) -> httpx.Response:
    """The answer to a request of the researcher's."""
    return CLIENT.get(service.url + PATH, params={"format": kind} | query, headers=TOKEN | somewhere(), timeout=120)


def tables(service: Service, **query: Any) -> dict[str, list[dict[str, Any]]]:
    """All tables of a JSON export."""
    answer = export(service, **query)
    assert answer.status_code == 200, answer.text
    found: dict[str, list[dict[str, Any]]] = answer.json()["tables"]
    return found


def unpacked(answer: httpx.Response, folder: Path) -> Path:
    """The folder of a package that was answered as a ZIP file."""
    assert answer.status_code == 200, answer.text
    with zipfile.ZipFile(io.BytesIO(answer.content)) as packed:
        packed.extractall(folder)
    return folder / answer.headers["x-release"]


def lines(answer: httpx.Response) -> dict[str, list[dict[str, Any]]]:
    """The rows of an NDJSON export by table."""
    found: dict[str, list[dict[str, Any]]] = {}
    for line in map(json.loads, answer.text.splitlines()):
        if "table" in line:
            found.setdefault(line.pop("table"), []).append(line)
    return found
