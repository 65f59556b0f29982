"""`python -m emulator`: what the Makefile calls."""

from emulator.cli import main

if __name__ == "__main__":
    raise SystemExit(main())
