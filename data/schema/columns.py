"""Definitions of columns and tables, and helpers for columns that several tables share."""

from dataclasses import dataclass
from enum import StrEnum
from typing import Literal

from data.schema.missing import Missing

type ColumnType = Literal["string", "integer", "number", "boolean", "datetime", "date", "json"]
"""`datetime` is UTC with milliseconds; `json` is text that holds a JSON document."""


class Personal(StrEnum):
    """How far a column can identify a person; `PERSONAL` explains each class."""

    NONE = "none"
    PSEUDONYM = "pseudonym"
    QUASI = "quasi-identifier"
    TEXT = "free text"
    IDENTIFIER = "identifier"


PERSONAL = {
    Personal.NONE: "tells nothing about who a person is",
    Personal.PSEUDONYM: "a keyed pseudonym, another one in each study",
    Personal.QUASI: "could help to recognise a person, together with other columns; suppressed in small groups",
    Personal.TEXT: "a person's own words; leaves only if they chose so when they wrote it and still do",
    Personal.IDENTIFIER: "names a participant; only in exports that ask for identifiers",
}


@dataclass(frozen=True)
class Column:
    """One column. `missing` holds the reasons why a cell may be empty; a column without reasons is required."""

    name: str
    type: ColumnType
    label: str
    unit: str = ""
    minimum: float | None = None
    maximum: float | None = None
    categories: dict[str, str] | None = None  # value to label
    pattern: str = ""
    missing: tuple[Missing, ...] = ()
    personal: Personal = Personal.NONE

    @property
    def reason_column(self) -> str | None:
        """The name of the column that holds the reason of an empty cell, for formats whose cells cannot hold it. None
        when there is at most one possible reason."""
        return f"{self.name}_missing" if len(self.missing) > 1 else None

    @property
    def identifies(self) -> bool:
        """Whether the column names participants. Such a column is left out unless identifiers are requested."""
        return self.personal is Personal.IDENTIFIER


@dataclass(frozen=True)
class Table:
    """One table. `key` is its primary key. `foreign_keys` holds pairs of a column and the table that it refers to."""

    name: str
    label: str
    key: tuple[str, ...]
    columns: tuple[Column, ...]
    foreign_keys: tuple[tuple[str, str], ...] = ()

    def column(self, name: str) -> Column:
        """The column with this name. Raises KeyError when there is none."""
        return {column.name: column for column in self.columns}[name]

    def shipped(self, *, identifiers: bool) -> tuple[Column, ...]:
        """The columns of an export, with or without those that identify a participant."""
        return tuple(column for column in self.columns if identifiers or not column.identifies)


def participant() -> Column:
    """The column `participant_id`."""
    return Column(
        "participant_id",
        "string",
        "Pseudonym of the participant, another one in each study",
        personal=Personal.PSEUDONYM,
    )


def share(name: str, label: str, missing: tuple[Missing, ...] = ()) -> Column:
    """A column with a number in [0, 1]."""
    return Column(name, "number", label, unit="share", minimum=0, maximum=1, missing=missing)


def count(name: str, label: str, unit: str = "", missing: tuple[Missing, ...] = ()) -> Column:
    """A column with a whole number of at least 0."""
    return Column(name, "integer", label, unit=unit, minimum=0, missing=missing)


def moments(what: str) -> tuple[Column, ...]:
    """Four columns: when a row was made and when it was received, both UTC; the local date; its time zone."""
    made = Column(
        "client_timestamp",
        "datetime",
        f"When {what} was made, as the phone's clock claims, UTC",
        missing=(Missing.NOT_UPLOADED,),
    )
    received = Column("received_at", "datetime", f"When {what} was received, UTC")
    return (
        made,
        received,
        *local("client_timestamp, or at received_at where that is missing or claims to be more than 5 minutes later"),
    )


def local(of: str) -> tuple[Column, ...]:
    """Two columns: the local date of a moment, and its time zone."""
    return (
        Column(
            "local_date",
            "date",
            f"The person's date at {of}; by UTC where no zone was uploaded",
            missing=(Missing.SUPPRESSED,),
        ),
        Column(
            "time_zone",
            "string",
            "IANA time zone of the local date",
            missing=(Missing.NOT_UPLOADED, Missing.SUPPRESSED),
            personal=Personal.QUASI,
        ),
    )
