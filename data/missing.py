"""Missing is data: why a cell is empty, and how each format says so.

CSV holds the code itself. SPSS and Stata hold user-missing and extended missing values where a column is numeric.
Where a format has no room for it (Parquet, JSON, strings in SPSS and Stata) a column `<name>_missing` stands beside
every column that may be missing for more than one reason.
"""

from enum import StrEnum


class Missing(StrEnum):
    """Why there is no value."""

    NOT_ASKED = "NOT_ASKED"
    SKIPPED = "SKIPPED"
    NOT_UPLOADED = "NOT_UPLOADED"
    PRIVATE = "PRIVATE"
    WITHDRAWN = "WITHDRAWN"
    SUPPRESSED = "SUPPRESSED"
    NOT_OBSERVED = "NOT_OBSERVED"
    NOT_APPLICABLE = "NOT_APPLICABLE"


MEANING = {
    Missing.NOT_ASKED: "the person was not asked",
    Missing.SKIPPED: "the person was asked and did not answer",
    Missing.NOT_UPLOADED: "the app did not send it",
    Missing.PRIVATE: "written in private mode; only numbers leave then",
    Missing.WITHDRAWN: "the person took back the leave to share it",
    Missing.SUPPRESSED: "suppressed, so that nobody can be recognised in a small group",
    Missing.NOT_OBSERVED: "the outcome was not observed; `status` says why",
    Missing.NOT_APPLICABLE: "there can be no value in this row",
}
SPSS = {reason: -99 + number for number, reason in enumerate(Missing)}
"""User-missing values, all within `SPSS_RANGE`; no column of ours has such values of its own."""
SPSS_RANGE = (-99, -92)
STATA = {reason: "abcdefgh"[number] for number, reason in enumerate(Missing)}
"""Extended missing values `.a` to `.h`."""
