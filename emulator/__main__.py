"""`python -m emulator`, and the program `sam-emulator`."""

import sys


def run() -> int:
    """Run the command line; return the exit status."""
    try:
        from emulator import garbage

        garbage.leave_it_during_a_start()
        from emulator.commands.cli import main

        return main()
    except KeyboardInterrupt:  # Ctrl-C while it still imports
        return 130


if __name__ == "__main__":
    if not __package__:  # called by the path of this file: see emulator/commands/background.py
        sys.path.insert(0, __file__.rpartition("emulator")[0] or ".")
    raise SystemExit(run())
