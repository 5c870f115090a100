"""Uploads for research: answers to instruments, events, snapshots of progress."""
