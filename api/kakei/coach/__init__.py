"""The budget coach over HTTP."""
