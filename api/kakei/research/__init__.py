"""What apps send for research: answers to instruments, events, snapshots of progress."""
