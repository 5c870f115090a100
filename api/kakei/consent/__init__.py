"""Consent to research: a history of which the newest entry is in force."""
