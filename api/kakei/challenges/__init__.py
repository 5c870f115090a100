"""Challenges, the ledger of points, levels and badges."""
