"""Says in plain sentences what is wrong with the fields of a request: the only place that knows the error texts of
pydantic and msgspec. A sentence follows the name of its field: `week_key: must be at most 6`."""

import re
from collections.abc import Mapping, Sequence
from typing import Any

from pydantic import ValidationError, ValidatorFunctionWrapHandler, WrapValidator

MOST_ERRORS = 50
"""Errors that one answer tells; a body may cause tens of thousands."""
LONGEST_NAME = 64
"""Characters of a name that an answer repeats."""
BODY = "body"
"""The name of the field when the whole body is wrong."""
MISSING = "is missing"
UNKNOWN = "is an unknown field"
INVALID = "is not valid"
TYPES = {
    "string": "text",
    "int": "a whole number",
    "float": "a number",
    "decimal": "a number",
    "bool": "true or false",
    "list": "a list",
    "dict": "an object",
    "model": "an object",
    "date": "a date, such as 2026-06-13",
}
"""By the first word of a pydantic error's type, where its second word says that the type is wrong (`WRONG_TYPE`)."""
WRONG_TYPE = ("type", "attributes", "parsing", "from")
SENTENCES = {
    "missing": MISSING,
    "extra_forbidden": UNKNOWN,
    "finite_number": "must be a finite number",
    "string_unicode": "must be Unicode text without NUL",
    "int_parsing_size": "must be a smaller number",
    "recursion_loop": "is nested too deep",
    "string_pattern_mismatch": "has characters that are not allowed here",
    "enum": "must be {expected}",
    "literal_error": "must be {expected}",
    "greater_than": "must be more than {gt}",
    "greater_than_equal": "must be at least {ge}",
    "less_than": "must be less than {lt}",
    "less_than_equal": "must be at most {le}",
    "string_too_short": "must have at least {min_length} characters",
    "string_too_long": "must have at most {max_length} characters",
    "too_short": "must have at least {min_length} entries",
    "too_long": "must have at most {max_length} entries",
}
"""By pydantic's type of error. Of a type that is not here people read `INVALID`, never pydantic's text."""
EMPTY = "must not be empty"
MSGSPEC_TYPES = {
    "float": "a number",
    "int": "a whole number",
    "str": "text",
    "bool": "true or false",
    "array": "a list",
    "object": "an object",
}
MSGSPEC_BOUNDS = {">=": "at least", ">": "more than", "<=": "at most", "<": "less than"}

_expected = re.compile(r"Expected `(\w+)`( of length)?(?: ([<>]=?) (\S+))?")


class FieldRefused(ValueError):
    """A rule over several fields refuses one of them. Validators of whole bodies raise it."""

    def __init__(self, field: str, sentence: str) -> None:
        super().__init__(sentence)
        self.field = field


def described(sentence: str) -> WrapValidator:
    """For a field whose pattern does not help people: a value that does not fit gets this `sentence`."""

    def check(value: Any, handler: ValidatorFunctionWrapHandler) -> Any:
        try:
            return handler(value)
        except ValidationError:
            raise ValueError(sentence) from None

    return WrapValidator(check)


def shown(name: str) -> str:
    """A name that a client sent, made safe for an answer: short, and without lone surrogates."""
    return name[:LONGEST_NAME].encode(errors="replace").decode()


def pydantic_errors(errors: Sequence[Any], sent: Any) -> list[tuple[str, str]]:
    """Path and sentence for each bad field, from the errors of a request. `sent` is the body."""
    by_field: dict[str, list[Mapping[str, Any]]] = {}
    for error in errors[:MOST_ERRORS]:
        place, *parts = error["loc"]
        path = _path(error, parts, sent) if place == BODY else [str(part) for part in parts[:1]]
        by_field.setdefault(".".join(path) or str(place), []).append(error)
    return [(field, _sentence(found)) for field, found in by_field.items()]


def sentences(errors: Sequence[tuple[str, str]]) -> str:
    """All errors in one line."""
    return "; ".join(f"{field}: {sentence}" for field, sentence in errors)


def msgspec_sentence(message: str) -> str:
    """The sentence for the text of a msgspec.ValidationError, without its path."""
    if message.startswith("Object missing"):
        return MISSING
    if message.startswith("Object contains unknown"):
        return UNKNOWN
    found = _expected.match(message)
    if found is None or found[1] not in MSGSPEC_TYPES:
        return INVALID
    expected, is_length, comparison, bound = found.groups()
    if comparison is None:
        return f"must be {MSGSPEC_TYPES[expected]}"
    bound = bound.removesuffix(".0")
    if is_length:
        return f"must have {MSGSPEC_BOUNDS[comparison]} {bound} {'characters' if expected == 'str' else 'entries'}"
    return f"must be {MSGSPEC_BOUNDS[comparison]} {bound}"


def _path(error: Mapping[str, Any], parts: Sequence[Any], sent: Any) -> list[str]:
    """The parts of a location that are names and indexes of the body. The others are pydantic's own names: of a branch
    of a union, or of a function."""
    path: list[str] = []
    is_missing = error["type"] == "missing"
    for part in parts:
        if isinstance(sent, dict) and (is_missing or sent is not error["input"]):
            if part in sent:
                path.append(shown(str(part)))
                sent = sent[part]
            elif is_missing and part == parts[-1]:
                path.append(str(part))
        elif isinstance(sent, list) and isinstance(part, int) and part < len(sent):
            path.append(str(part))
            sent = sent[part]
    refused = error.get("ctx", {}).get("error")
    return [*path, refused.field] if isinstance(refused, FieldRefused) else path


def _sentence(errors: Sequence[Mapping[str, Any]]) -> str:
    """One sentence for all errors of a field. There are several if it may have several types: the branch of the type
    that was sent says most; if there is none, all types are told."""
    expected: dict[str, None] = {}
    for error in errors:
        kind = _expected_type(error["type"])
        if kind is None:
            return _reason(error)
        expected[kind] = None
    *first, last = expected
    return f"must be {', '.join(first)} or {last}" if first else f"must be {last}"


def _expected_type(kind: str) -> str | None:
    if kind in SENTENCES:
        return None
    name, _, rest = kind.partition("_")
    return TYPES.get(name) if rest.startswith(WRONG_TYPE) else None


def _reason(error: Mapping[str, Any]) -> str:
    context = error.get("ctx", {})
    if error["type"] == "value_error":
        return str(context["error"])
    if error["type"] in {"string_too_short", "too_short"} and context["min_length"] == 1:
        return EMPTY
    return SENTENCES.get(error["type"], INVALID).format_map(context)
