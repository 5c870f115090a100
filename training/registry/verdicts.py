"""The verdicts of a gate, as cards state them."""

from typing import Literal

PROMOTE: Literal["promote"] = "promote"

REJECT: Literal["reject"] = "reject"

INSUFFICIENT: Literal["insufficient evidence"] = "insufficient evidence"

type Verdict = Literal["promote", "reject", "insufficient evidence"]
