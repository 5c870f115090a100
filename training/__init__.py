"""The study: reads dataset packages, learns and judges policies, writes artifacts. Never part of serving."""
