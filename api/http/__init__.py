"""HTTP itself: how connections, request bodies, methods and limits are handled, whatever the request is about."""
