"""The `buddy` command."""
