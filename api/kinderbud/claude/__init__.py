"""Claude: a household may ask it with its own key. Replies are untrusted suggestions."""
