"""What every coach answers with: who decided, and why it was not the policy where it was not."""

from enum import StrEnum


class Source(StrEnum):
    """Who decided."""

    POLICY = "policy"
    RULES = "rules"


class FallbackReason(StrEnum):
    """Why the rules decided in the policy's place."""

    MODEL_UNAVAILABLE = "model_unavailable"
    """There is no artifact."""
    MODEL_REFUSED = "model_refused"
    """There is an artifact, and it does not match its card or this service."""
    MODEL_ERROR = "model_error"
    """The graph failed while it ran."""
    INVALID_OUTPUT = "invalid_output"
    """The graph answered with something that is no decision: not finite, no distribution, an ineligible level."""
    OUT_OF_SUPPORT = "out_of_support"
    """The context lies outside of what the policy was trained on."""
