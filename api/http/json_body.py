"""Decodes JSON bodies with msgspec, and names the fields that are wrong."""

import re
from itertools import islice
from typing import Any

import msgspec

from api.http.error_texts import BODY, MISSING, UNKNOWN, msgspec_sentence, sentences, shown
from api.http.problems import INVALID_INPUT, MALFORMED_BODY, FieldError, ProblemOccurred

EXCERPT = 256
"""Bytes before the position where parsing stopped that are searched for the name of the field."""
MOST_UNKNOWN = 10
"""Unknown fields that an answer names; a body may hold tens of thousands."""
VALUE = frozenset(b"+-._0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz")
SPACE = b" \t\r\n"
TRUNCATED = "Input data was truncated"

_position = re.compile(r"byte (\d+)")
_path = re.compile(r" - at `\$\.?([^`]*)`$")


def decoded[T](decoder: msgspec.json.Decoder[T], body: bytes) -> T:
    """The body as the decoder's type. Raises ProblemOccurred (422), which names every bad field."""
    try:
        return decoder.decode(body)
    except msgspec.ValidationError as error:
        errors = _all_field_errors(decoder.type, body) or [_field_error(error)]
        detail = sentences([(one.field, one.message) for one in errors])
        raise ProblemOccurred(INVALID_INPUT, detail, errors) from error
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        errors = _malformed_at(body, str(error))
        raise ProblemOccurred(MALFORMED_BODY, _reason(error, body), errors) from error


def field_errors(expected: Any, value: Any) -> list[FieldError]:
    """One entry for each field of the struct type `expected` that is wrong in the decoded `value`, and for the first
    `MOST_UNKNOWN` unknown fields."""
    if not isinstance(value, dict) or not isinstance(expected, type) or not issubclass(expected, msgspec.Struct):
        return []
    fields = {field.encode_name: field for field in msgspec.structs.fields(expected)}
    unknown = islice((name for name in value if name not in fields), MOST_UNKNOWN)
    errors = [FieldError(shown(str(name)), UNKNOWN) for name in unknown]
    for name, field in fields.items():
        if name not in value:
            if field.required:
                errors.append(FieldError(name, MISSING))
            continue
        try:
            msgspec.convert(value[name], field.type)
        except msgspec.ValidationError as error:
            errors.append(_field_error(error, name))
    return errors


def last_name(text: bytes) -> str | None:
    """The name of the field whose value `text` ends in or before: `"name" : 12.` gives `name`. Scans the last
    `EXCERPT` bytes once, backwards."""
    end = len(text)
    first = max(0, end - EXCERPT)
    while end > first and text[end - 1] in VALUE:
        end -= 1
    end = _before_space(text, end, first)
    if end <= first or text[end - 1] != ord(":"):
        return None
    end = _before_space(text, end - 1, first)
    if end <= first or text[end - 1] != ord('"'):
        return None
    closing = end - 1
    opening = closing - 1
    while opening >= first:
        if text[opening] != ord('"'):
            opening -= 1
            continue
        slash = opening
        while slash > first and text[slash - 1] == ord("\\"):
            slash -= 1
        if (opening - slash) % 2 == 0:
            return shown(text[opening + 1 : closing].decode(errors="replace"))
        opening = slash - 1
    return None


def _before_space(text: bytes, end: int, first: int) -> int:
    while end > first and text[end - 1] in SPACE:
        end -= 1
    return end


def _all_field_errors(expected: Any, body: bytes) -> list[FieldError]:
    """The errors of all fields, if the body can be parsed; decoding stopped at the first error."""
    try:
        return field_errors(expected, msgspec.json.decode(body))
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return []


def _malformed_at(body: bytes, message: str) -> list[FieldError]:
    """The field before the position where parsing stopped, so that errors of NaN and Infinity name their field."""
    position = _position.search(message)
    name = last_name(body[: int(position[1])][-EXCERPT:]) if position else None
    return [FieldError(name, "no valid JSON value")] if name is not None else []


def _reason(error: Exception, body: bytes) -> str:
    if isinstance(error, UnicodeDecodeError):
        return "The body is not UTF-8."
    if isinstance(error, RecursionError):
        return "The body is nested too deep."
    if str(error).startswith(TRUNCATED):
        return "The JSON ends too early." if body.strip(SPACE) else "The body is empty."
    return f"{error}."


def _field_error(error: msgspec.ValidationError, inside: str = "") -> FieldError:
    """The error of a value that is the whole body, or the field `inside` of it."""
    message, _, _ = str(error).partition(" - at ")
    path = _path.search(str(error)[-EXCERPT:])
    names = [inside, shown(path[1]) if path else ""]
    return FieldError(".".join(filter(None, names)) or BODY, msgspec_sentence(message))
