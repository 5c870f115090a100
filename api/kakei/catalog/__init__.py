"""The catalog: challenge templates and badges."""
