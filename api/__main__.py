"""`buddy`, and `python -m api`."""

import gc


def main() -> None:
    """The commands. While they are imported nobody looks for garbage, and nobody ever looks among what was imported:
    there is none, and looking takes a quarter of a short command's time."""
    gc.disable()
    from api.cli.main import main as commands  # noqa: PLC0415

    gc.freeze()
    gc.enable()
    commands()


if __name__ == "__main__":
    main()
