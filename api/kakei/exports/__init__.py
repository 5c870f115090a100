"""Exports of research data: who may be in them, what leaves, and what left before."""
