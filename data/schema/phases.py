"""When an instrument is answered in a study."""

PHASES = ("pre", "weekly", "monthly", "post", "followup")
