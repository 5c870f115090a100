"""Claude, whom a household may ask with a key of its own. What comes back is a suggestion from a stranger."""
