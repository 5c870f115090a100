"""The admin: FastAdmin's screens with our own sessions, limits and rules."""
