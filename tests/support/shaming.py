"""Words that no message to a person may contain."""

SHAMING = (
    "shame",
    "lazy",
    "bad at",
    "failed",
    "fault",
    "irresponsible",
    "guilt",
    "should have",
    "だめ",
    "怠",
    "無駄遣いばかり",
)
