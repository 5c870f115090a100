"""The reasons why a cell is empty, and their codes in each format.

CSV holds the code itself. In numeric columns, SPSS holds user-missing values and Stata extended missing values. Where
a format cannot hold a reason (Parquet, JSON, strings in SPSS and Stata), every column with more than one possible
reason has a second column `<name>_missing`.
"""

from enum import StrEnum


class Missing(StrEnum):
    """The reason why a value is missing; `MEANING` explains each."""

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
    Missing.SUPPRESSED: "suppressed, so that no person can be recognised in a small group",
    Missing.NOT_OBSERVED: "the outcome was not observed; `status` says why",
    Missing.NOT_APPLICABLE: "there can be no value in this row",
}
SPSS = {reason: -99 + number for number, reason in enumerate(Missing)}
"""User-missing values, all within `SPSS_RANGE`. No column of the dataset has such values itself."""
SPSS_RANGE = (-99, -92)
STATA = {reason: "abcdefgh"[number] for number, reason in enumerate(Missing)}
"""Extended missing values `.a` to `.h`."""
