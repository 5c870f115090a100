"""Reflections: people's texts about their spending, and feedback on them."""
