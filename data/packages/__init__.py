"""Dataset packages: written, described, read, checked."""
