"""`python -m emulator`: what the Makefile calls."""

if __name__ == "__main__":
    try:
        from emulator.commands.cli import main

        raise SystemExit(main())
    except KeyboardInterrupt:  # Ctrl-C while it still imports
        raise SystemExit(130) from None
