"""Users, their profiles, their points."""
