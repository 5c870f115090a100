"""`buddy`, and `python -m api`."""

import os

from api.garbage import frozen_afterwards


def main() -> None:
    """Run the commands."""
    # To look for plugins, pydantic reads the metadata of every installed package; none of ours is one.
    os.environ.setdefault("PYDANTIC_DISABLE_PLUGINS", "__all__")
    with frozen_afterwards():
        from api.cli.main import main as commands  # noqa: PLC0415
    commands()


if __name__ == "__main__":
    main()
