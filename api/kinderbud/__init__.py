"""Kinderbud: a household app that turns child development guides into a few activities a day. A sub-app at /api/v1."""
