"""The JSON that people sent: what of it is exported. Python reads each distinct text once. Pure."""

import json
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import msgspec
import polars as pl

from data.catalog.instruments import instruments, missing_answer
from data.schema.missing import Missing

type Read = Callable[..., Sequence[Any]]
_encode = msgspec.json.Encoder().encode
TEXT, FLAG = pl.String(), pl.Boolean()
OF_A_CONTEXT = {"whole": TEXT, "without_strings": TEXT, "values": pl.Int64(), "strings": pl.Int64()}
OF_AN_ITEM = {
    "item_id": TEXT,
    "item_type": TEXT,
    "is_text": FLAG,
    "absent": TEXT,
    "value": pl.Float64(),
    "value_label": TEXT,
    "text": TEXT,
}


def compact(texts: pl.Series) -> pl.Series:
    """The documents as the dataset writes them: without spaces, and with every character as itself."""
    return _of_each(texts, lambda text: (_json(json.loads(text)),), {"compact": TEXT})["compact"]


def contexts(texts: pl.Series) -> pl.DataFrame:
    """The contexts of events, whole and without strings, and the numbers of their values and of their strings."""
    return _of_each(texts, _context, OF_A_CONTEXT)


def items(answers: pl.DataFrame) -> pl.DataFrame:
    """The items of answers, given by `instrument_key` and `answers`: for each distinct pair, each item of the
    instrument, answered or not. `absent` is the reason where there is no answer."""
    found = [(*pair, *item) for pair in answers.unique().iter_rows() for item in _items(*pair)]
    return pl.DataFrame(found, schema=dict(answers.schema) | OF_AN_ITEM, orient="row")


def _of_each(texts: pl.Series, read: Read, schema: dict[str, pl.DataType]) -> pl.DataFrame:
    """What `read` finds in each text, in the order of the texts."""
    distinct = texts.unique().alias("text")
    found = pl.DataFrame([read(text) for text in distinct], schema=schema, orient="row").with_columns(distinct)
    return texts.alias("text").to_frame().join(found, on="text", how="left", maintain_order="left").select(list(schema))


def _context(text: str) -> tuple[str, str, int, int]:
    whole = json.loads(text)
    rest = {name: value for name, value in whole.items() if not isinstance(value, str)}
    return _json(whole), _json(rest), len(whole), len(whole) - len(rest)


def _items(instrument_key: str, text: str) -> Iterator[tuple[Any, ...]]:
    """Rows of `OF_AN_ITEM`."""
    answers = json.loads(text)
    instrument = instruments().get(instrument_key)
    known = {item.id: item for item in instrument.items} if instrument else {}
    for name in known or answers:
        item, answer = known.get(name), answers.get(name)
        absent: Missing | None = missing_answer(answers, name)
        is_text = isinstance(answer, str) or (item is not None and item.type == "text")
        kind = item.type if item else "text" if is_text else "number"
        label = next((option.label for option in item.options if option.value == answer), None) if item else None
        number = None if is_text or absent else float(answer)
        yield name, kind, is_text, absent and str(absent), number, label, answer if is_text else None


def _json(value: Any) -> str:
    return _encode(value).decode()
