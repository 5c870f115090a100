"""The verdicts of a gate, as cards state them, and what a refusal is."""

from typing import Literal

PROMOTE: Literal["promote"] = "promote"

REJECT: Literal["reject"] = "reject"

INSUFFICIENT: Literal["insufficient evidence"] = "insufficient evidence"

type Verdict = Literal["promote", "reject", "insufficient evidence"]


class Refused(ValueError):
    """What was asked for must not be done; the message says why. Nothing is wrong with the data or the files."""
