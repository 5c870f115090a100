"""Storage: what the features share beyond sessions and tables."""
