"""Form values: text that every database can store, and numbers that may be invalid."""

from datetime import date
from typing import Annotated

from fastapi import Form
from pydantic import AfterValidator

from api.http.text import storable
from api.kinderbud.households.rules import InvalidHousehold

LONGEST_TEXT = 4000
DIGITS = 9

Text = Annotated[str, Form(max_length=LONGEST_TEXT), AfterValidator(storable)]
"""A field; a missing one is empty."""


def number(text: str) -> int:
    """The number in a form field. 0, which no row has as id, for anything else."""
    return int(text) if text.isascii() and text.isdigit() and len(text) <= DIGITS else 0


def day(text: str) -> date:
    """The date in a form field. Raises InvalidHousehold."""
    try:
        return date.fromisoformat(text.strip())
    except ValueError as error:
        raise InvalidHousehold("a birthday is a date such as 2024-11-15") from error
