"""The answers of the server itself, to requests that no route receives."""

import secrets
from collections.abc import Iterable
from http import HTTPStatus

import msgspec
from uvicorn.protocols.http.httptools_impl import STATUS_LINE

from api.db.failures import RETRY_SECONDS
from api.http.problems import MEDIA_TYPE, ErrorKind, Problem


def refusal(kind: ErrorKind, detail: str, default_headers: Iterable[tuple[bytes, bytes]]) -> bytes:
    """A complete answer with its headers, after which the connection closes."""
    request_id = secrets.token_hex(16)
    problem = Problem(
        type=f"urn:buddy-coach:problem:{kind.code}",
        title=kind.title,
        status=kind.status,
        detail=detail,
        instance=f"urn:request:{request_id}",
        code=kind.code,
    )
    body = msgspec.json.encode(problem)
    headers = [
        *default_headers,
        (b"content-type", MEDIA_TYPE.encode()),
        (b"content-length", str(len(body)).encode()),
        (b"x-request-id", request_id.encode()),
        (b"connection", b"close"),
    ]
    if kind.status == HTTPStatus.SERVICE_UNAVAILABLE:
        headers.append((b"retry-after", str(RETRY_SECONDS).encode()))
    lines = b"".join(name + b": " + value + b"\r\n" for name, value in headers)
    return STATUS_LINE[kind.status] + lines + b"\r\n" + body
