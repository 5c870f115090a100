"""A synthetic study with a known truth. Every person in it is simulated; `docs/simulator.md` states the sources."""
