"""Weekly and monthly summaries."""
