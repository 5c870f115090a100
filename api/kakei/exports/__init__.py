"""Exports of research data: the allowed participants, the exported rows, and the ledger of releases."""
