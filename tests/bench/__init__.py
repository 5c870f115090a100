"""Benchmarks: `python -m tests.bench`, explained in docs/benchmarks.md. pytest collects nothing here."""
