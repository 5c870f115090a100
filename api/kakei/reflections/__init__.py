"""Reflections: what people write about their spending, and how much of the story it tells."""
