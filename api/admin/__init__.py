"""The admin: FastAdmin's screens, behind our own sessions, limits and rules."""
