"""Artifacts, promotion, tracking."""
