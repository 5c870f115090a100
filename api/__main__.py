"""`buddy`, and `python -m api`."""

import gc


def main() -> None:
    """Run the commands. The garbage collector is off during the imports and never scans the imported objects: they
    hold no garbage, and a scan takes a quarter of a short command's time."""
    gc.disable()
    from api.cli.main import main as commands  # noqa: PLC0415

    gc.freeze()
    gc.enable()
    commands()


if __name__ == "__main__":
    main()
