"""Run an engine alone, in the foreground: `python -m emulator.engine --socket PATH --installed DIR`."""

from __future__ import annotations

import argparse
import asyncio
import logging
import signal
import sys
from pathlib import Path

from emulator.engine import Engine, EngineError
from emulator.event_loop import run


async def _serve(socket_path: Path, installed: Path, images: Path | None, max_environments: int) -> None:
    stopped = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, stopped.set)
    engine = Engine(socket_path, installed=installed, images=images, max_environments=max_environments)
    await engine.start()
    print(f"DOCKER_HOST=unix://{socket_path}", flush=True)
    try:
        await stopped.wait()
    finally:
        await engine.stop()


def main() -> int:
    """Run until SIGINT or SIGTERM; return the exit status."""
    parser = argparse.ArgumentParser(prog="python -m emulator.engine", description=__doc__)
    parser.add_argument("--socket", type=Path, required=True, help="where to listen")
    parser.add_argument("--installed", type=Path, required=True, help="folder of the runtime interface clients")
    parser.add_argument("--images", type=Path, help="folder of the images that are built (default: in --installed)")
    parser.add_argument("--max-environments", type=int, default=8, help="processes per function")
    arguments = parser.parse_args()
    logging.basicConfig(level=logging.WARNING, format="%(message)s")
    try:
        run(_serve(arguments.socket.absolute(), arguments.installed, arguments.images, arguments.max_environments))
    except EngineError as error:
        print(error, file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
