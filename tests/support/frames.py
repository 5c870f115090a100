"""Rows as the frames that writers take."""

import polars as pl

from data.formats import Rows
from data.formats.columnar import to_arrow
from data.schema import TABLES


def frame_of(table: str, rows: Rows) -> pl.DataFrame:
    """Rows of a table, in the order of its shipped columns; a cell without a value holds the reason."""
    found = pl.from_arrow(to_arrow(TABLES[table].shipped(identifiers=False), rows))
    assert isinstance(found, pl.DataFrame)
    return found
