"""Claims of README.md about benchmarks: each has an anchor, which a test and `make bench` read.

An anchor is a comment beside the sentence: the benchmark, the table, the row, the column, and the claimed limit:
`<!-- bench: coach | 16 connections | FastAPI, fixed answer | ours ÷ it >= 1.8 -->`
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from tests.bench.report import Result, Table

ANCHOR = re.compile(
    r"<!-- bench: (?P<benchmark>[^|]+?) \| (?P<table>[^|]+?) \| (?P<row>[^|]+?) \| (?P<column>[^|]+?) "
    r"(?P<limit>>=|<=) (?P<value>[\d.]+) -->"
)
ANY_ANCHOR = re.compile(r"<!-- bench: .*?-->")


@dataclass(frozen=True)
class Claim:
    benchmark: str
    table: str
    row: str
    column: str
    limit: str
    value: float

    def holds(self, measured: float) -> bool:
        return measured >= self.value if self.limit == ">=" else measured <= self.value


def claims_of(text: str) -> list[Claim]:
    """The claims of a page. Raises ValueError for an anchor that cannot be read."""
    found = []
    for anchor in ANCHOR.finditer(text):
        benchmark, table, row, column, limit, value = anchor.groups()
        found.append(Claim(benchmark, table, row, column, limit, float(value)))
    if len(found) != len(ANY_ANCHOR.findall(text)):
        raise ValueError(f"an anchor is not of this form: {ANCHOR.pattern}")
    return found


def broken_claims(claims: Sequence[Claim], results: Sequence[Result]) -> Iterator[str]:
    """What `results` say against the claims about them."""
    tables = {(result.name, table.title): table for result in results for table in result.tables}
    for claim in claims:
        if claim.benchmark in {result.name for result in results}:
            measured = _cell(tables.get((claim.benchmark, claim.table)), claim)
            if measured is None or not claim.holds(measured):
                wanted = f"{claim.row}, {claim.column} {claim.limit} {claim.value:g}"
                yield f"README.md claims {wanted}; measured: {measured}"


def written_tables(page: str) -> Iterator[tuple[str, Table]]:
    """The tables that `write_docs` wrote into a page, with their benchmarks."""
    for name, section in re.findall(r"<!-- bench:(\w+):start -->\n(.*?)<!-- bench:\1:end -->", page, re.DOTALL):
        for title, head, body in re.findall(r"\*\*(.+?)\*\*\n\n(\|.*\|)\n\|[ :|-]+\|\n((?:\|.*\|\n?)+)", section):
            yield name, Table(title, _cells(head), [_cells(line) for line in body.splitlines()])


def claimed_and_written(claim: Claim, page: str) -> float | None:
    """The figure of the page that a claim is about."""
    tables = {(name, table.title): table for name, table in written_tables(page)}
    return _cell(tables.get((claim.benchmark, claim.table)), claim)


def _cells(line: str) -> list[str]:
    return [cell.strip() for cell in line.strip().strip("|").split("|")]


def _cell(table: Table | None, claim: Claim) -> float | None:
    if table is None or claim.column not in table.columns:
        return None
    row = next((row for row in table.rows if row[0] == claim.row), None)
    return None if row is None else float(row[list(table.columns).index(claim.column)].replace(",", ""))
