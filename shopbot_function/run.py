"""Serve the application without Lambda: `python run.py [gunicorn|hypercorn] [--port 8000] [--workers 2]`.

Both servers are development tools; neither is in the function's package.
"""
# ruff: noqa: INP001  this folder is what Lambda puts on the path, not a package

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Sequence
from pathlib import Path

_SERVERS = ("gunicorn", "hypercorn")


def command(server: str, host: str, port: int, workers: int) -> list[str]:
    """Return the command line of `server` for the application."""
    address = f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
    common = [sys.executable, "-m", server, "--bind", address, "--workers", str(workers)]
    if server == "gunicorn":
        return [*common, "--threads", "8", "--chdir", str(Path(__file__).parent), "shopping_bot:create_app()"]
    # Hypercorn takes an object, not a factory.
    return [*common, "run:application"]


def main(arguments: Sequence[str]) -> None:
    """Become the server that `arguments` name."""
    parser = argparse.ArgumentParser(description="Serve the shopping assistant.")
    parser.add_argument("server", nargs="?", choices=_SERVERS, default="gunicorn")
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, default=8000)
    parser.add_argument("--workers", type=int, default=2)
    given = parser.parse_args(arguments)
    os.chdir(Path(__file__).parent)
    line = command(given.server, given.host, given.port, given.workers)
    os.execv(line[0], line)  # noqa: S606  the server replaces this process and gets its signals


if __name__ == "__main__":
    main(sys.argv[1:])
else:
    from shopping_bot import create_app

    application = create_app()
