"""The budget coach: learning, evidence, gate."""
