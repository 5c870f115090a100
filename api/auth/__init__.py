"""Who may come in: requests from this machine, browsers that are known, and mails that prove an address."""
