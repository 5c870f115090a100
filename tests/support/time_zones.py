"""Names that no person may choose as a time zone, in either app."""

NO_TIME_ZONES = (
    *("Mars/Base", "localtime", "Factory", "posixrules", "posix/Europe/Paris", "right/UTC", "leapseconds", "tzdata.zi"),
    *(
        "asia/manila",
        "../../etc/passwd",
        "/usr/share/zoneinfo/UTC",
        "Europe",
        "+02:00",
        "CEST",
        "Zürich",
        "x" * 300,
        "",
    ),
)
