"""Types that all coaches share: the source of a decision, and the reason for a fallback to the rules."""

from enum import StrEnum


class Source(StrEnum):
    """The part of the coach that decided."""

    POLICY = "policy"
    RULES = "rules"


class FallbackReason(StrEnum):
    """Why the rules decided instead of the policy."""

    MODEL_UNAVAILABLE = "model_unavailable"
    """No artifact was found."""
    MODEL_REFUSED = "model_refused"
    """The artifact does not match its card or this service."""
    MODEL_ERROR = "model_error"
    """The graph failed while it ran."""
    INVALID_OUTPUT = "invalid_output"
    """The graph returned no valid decision: not finite, not a distribution, or an ineligible level."""
    OUT_OF_SUPPORT = "out_of_support"
    """The context lies outside the data that the policy was trained on."""
