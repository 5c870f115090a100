"""A synthetic study whose truth is known. Every person in it is invented; `docs/simulator.md` says from what."""
