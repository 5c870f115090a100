"""KakeiBuddy: budgeting by the kakeibo method."""
