"""Authentication: local requests, known browsers, sessions, passwords, and mails that verify an address."""
