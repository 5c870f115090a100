"""The outcome of a week, and its reward."""
