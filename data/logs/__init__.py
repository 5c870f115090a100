"""Decision logs as arrays."""
