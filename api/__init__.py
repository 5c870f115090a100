"""The doors: HTTP and the two apps."""
