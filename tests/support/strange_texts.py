"""Texts that a database, a file format or a page may take badly."""

from hypothesis import strategies as st

FIXED = [
    "\x00",
    "\ud83d",
    "\udc80",
    "\r",
    "a\rb",
    "=1+1",
    "SKIPPED",
    "\\SKIPPED",
    "'",
    "\\u0000",
    "\ufeff\u202e",
    "\x9f",
]
TEXT = st.text(st.characters(), max_size=30)
