"""Reads request bodies: bounded while they arrive, and with errors that name the field."""

import re
from typing import Any

import msgspec
from fastapi import Request
from starlette.requests import ClientDisconnect
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from api.errors import BODY_TOO_LARGE, INVALID_INPUT, MALFORMED_BODY, FieldError, ProblemOccurred

LARGEST_BODY = 256 * 1024
"""Bytes."""

_last_name = re.compile(rb'"((?:[^"\\]|\\.)*)"\s*:\s*[-+]?[\w.]*$')
_path = re.compile(r" - at `\$\.?(.*)`$")


async def read_body(request: Request, largest: int = LARGEST_BODY) -> bytes:
    """The whole body. Raises ProblemOccurred (413) before reading where the client announces more than `largest`
    bytes, and as soon as more than that have come."""
    if _announces_more(request.scope, largest):
        raise _too_large(largest)
    body = b""
    while True:
        message = await request.receive()
        if message["type"] == "http.disconnect":
            raise ClientDisconnect
        part = message.get("body", b"")
        if len(body) + len(part) > largest:
            raise _too_large(largest)
        body = body + part if body else part
        if not message.get("more_body"):
            return body


class BodyLimit:
    """ASGI middleware: the same bound for the bodies that FastAPI reads; `own` are paths that see to it themselves."""

    def __init__(self, app: ASGIApp, own: frozenset[str]) -> None:
        self.app = app
        self.own = own

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or scope["path"] in self.own:
            await self.app(scope, receive, send)
            return
        announced = _announces_more(scope, LARGEST_BODY)
        read = 0

        async def counted() -> Message:  # raises below the handlers of whichever app the request is for
            nonlocal read
            if announced:
                raise _too_large(LARGEST_BODY)
            message = await receive()
            read += len(message.get("body", b""))
            if read > LARGEST_BODY:
                raise _too_large(LARGEST_BODY)
            return message

        await self.app(scope, counted, send)


def decoded[T](decoder: msgspec.json.Decoder[T], body: bytes) -> T:
    """The body as the decoder's type. Raises ProblemOccurred (422) that names every bad field."""
    try:
        return decoder.decode(body)
    except msgspec.ValidationError as error:
        errors = _all_field_errors(decoder.type, body) or [_field_error(error)]
        raise ProblemOccurred(INVALID_INPUT, _sentence(errors), errors) from error
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        errors = _malformed_at(body, str(error))
        raise ProblemOccurred(MALFORMED_BODY, str(error), errors) from error


def field_errors(expected: Any, value: Any) -> list[FieldError]:
    """One entry for each field of the struct type `expected` that is wrong in the decoded `value`."""
    if not isinstance(value, dict) or not isinstance(expected, type) or not issubclass(expected, msgspec.Struct):
        return []
    fields = {field.encode_name: field for field in msgspec.structs.fields(expected)}
    errors = [FieldError(str(name), "unknown field") for name in value if name not in fields]
    for name, field in fields.items():
        if name not in value:
            if field.required:
                errors.append(FieldError(name, "missing"))
            continue
        try:
            msgspec.convert(value[name], field.type)
        except msgspec.ValidationError as error:
            errors.append(FieldError(name, str(error).partition(" - at ")[0]))
    return errors


def _all_field_errors(expected: Any, body: bytes) -> list[FieldError]:
    """What is wrong with every field, if the body can be read at all; decoding stopped at the first."""
    try:
        return field_errors(expected, msgspec.json.decode(body))
    except (msgspec.DecodeError, RecursionError):
        return []


def _malformed_at(body: bytes, message: str) -> list[FieldError]:
    """The field before the place where parsing stopped, so that NaN and Infinity are answered by name."""
    position = re.search(r"byte (\d+)", message)
    name = _last_name.search(body[: int(position[1])]) if position else None
    return [FieldError(name[1].decode(errors="replace"), "no valid JSON value")] if name else []


def _field_error(error: msgspec.ValidationError) -> FieldError:
    message, _, _ = str(error).partition(" - at ")
    path = _path.search(str(error))
    return FieldError(path[1] if path else "", message)


def _sentence(errors: list[FieldError]) -> str:
    return "; ".join(f"{error.field}: {error.message}" if error.field else error.message for error in errors)


def _announces_more(scope: Scope, largest: int) -> bool:
    sizes = (value for name, value in scope["headers"] if name == b"content-length")
    return any(value.isdigit() and int(value) > largest for value in sizes)


def _too_large(largest: int) -> ProblemOccurred:
    # The rest of the body is not read, so the connection cannot be used again.
    return ProblemOccurred(BODY_TOO_LARGE, f"At most {largest} bytes are read here.", headers={"Connection": "close"})
