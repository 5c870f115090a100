"""Storage: the engine, migrations, backups and erasures that all features share."""
