"""What the pages' forms bring: text that every database can hold, and numbers that somebody may have made up."""

from datetime import date
from typing import Annotated

from fastapi import Form
from pydantic import AfterValidator

from api.http.text import storable
from api.kinderbud.households.rules import InvalidHousehold

LONGEST_TEXT = 4000
DIGITS = 9

Text = Annotated[str, Form(max_length=LONGEST_TEXT), AfterValidator(storable)]
"""A field; what is not there is empty."""


def number(text: str) -> int:
    """The number that a form brought; 0, which nothing has, for anything else."""
    return int(text) if text.isascii() and text.isdigit() and len(text) <= DIGITS else 0


def day(text: str) -> date:
    """The day that a form brought. Raises InvalidHousehold."""
    try:
        return date.fromisoformat(text.strip())
    except ValueError as error:
        raise InvalidHousehold("a birthday is a day such as 2024-11-15") from error
