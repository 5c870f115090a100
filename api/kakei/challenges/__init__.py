"""Challenges, the points ledger, levels and badges."""
