"""HTTP itself: connections, request bodies, methods and rate limits, independent of the features."""
