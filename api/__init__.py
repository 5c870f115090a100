"""The HTTP API, its storage, and the two apps."""
