"""README.md claims only ratios that docs/benchmarks.md has, and `make bench` warns when they no longer hold."""

from pathlib import Path

import pytest

from tests.bench.claims import broken_claims, claimed_and_written, claims_of, written_tables
from tests.bench.report import Result, Table

ROOT = Path(__file__).parents[1]
PAGE = (ROOT / "docs" / "benchmarks.md").read_text(encoding="utf-8")
ANCHOR = "<!-- bench: coach | 16 connections | FastAPI, fixed answer | ours ÷ it >= 1.8 -->"


def measured(ratio: str) -> Result:
    columns = ["", "requests/s", "ours ÷ it"]
    rows = [["Buddy Coach", "9,000", ""], ["FastAPI, fixed answer", "5,000", ratio]]
    return Result("coach", "", [Table("16 connections", columns, rows)], [], {})


def test_what_the_readme_claims_is_in_the_benchmarks() -> None:
    for claim in claims_of((ROOT / "README.md").read_text(encoding="utf-8")):
        written = claimed_and_written(claim, PAGE)
        assert written is not None, claim
        assert claim.holds(written), claim


def test_the_tables_of_the_page_are_found() -> None:
    found = {(name, table.title) for name, table in written_tables(PAGE)}
    assert {("coach", "16 connections"), ("coach", "1 connection")} <= found
    (claim,) = claims_of(ANCHOR)
    assert claimed_and_written(claim, PAGE) is not None


def test_a_claim_that_no_longer_holds_is_told() -> None:
    claims = claims_of(f"It is fast.{ANCHOR}")
    assert list(broken_claims(claims, [measured("1.80")])) == []
    (told,) = broken_claims(claims, [measured("1.79")])
    assert told == "README.md claims FastAPI, fixed answer, ours ÷ it >= 1.8; measured: 1.79"
    assert list(broken_claims(claims, [])) == [], "another benchmark was measured"


def test_an_anchor_that_cannot_be_read_is_an_error() -> None:
    with pytest.raises(ValueError, match="an anchor is not of this form"):
        claims_of(ANCHOR.replace(">=", "about"))
