"""Consent to research: a history whose newest entry is in force."""
