"""The emulator's commands. Whatever a person can mend ends as one sentence and status 1."""

from __future__ import annotations

import argparse
import asyncio
import json
import logging
import os
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from emulator import status_view
from emulator.commands import background
from emulator.control import ask, required
from emulator.errors import EmulatorError, sentence_of
from emulator.paths import StatePaths
from emulator.processes.ports import parse_port
from emulator.sam_cli import shell_exports


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command that `arguments` (default: the command line) names; return the exit status."""
    os.umask(0o077)  # endpoints, credentials and what functions log are this user's alone
    logging.basicConfig(level=logging.INFO, format="%(message)s", stream=sys.stderr)
    parsed = _parser().parse_args(arguments)
    paths = StatePaths.current()
    try:
        return int(parsed.command(paths, parsed) or 0)
    except EmulatorError as error:
        sentence = str(error)
    except OSError as error:
        found = sentence_of(error, paths.folder)
        if found is None:
            raise
        sentence = found
    sys.stderr.write(f"{sentence}\n")
    return 1


def _start(paths: StatePaths, arguments: argparse.Namespace) -> None:
    from emulator.commands.foreground import start, start_gateway

    fronts = {"sam": start, "gateway": start_gateway}
    if arguments.front not in fronts:
        raise EmulatorError(f"FRONT={arguments.front} is unknown: choose sam or gateway, or leave FRONT away.")
    asyncio.run(fronts[arguments.front](paths, parse_port(arguments.port)))


def _invoke(paths: StatePaths, arguments: argparse.Namespace) -> int:
    from emulator.commands.foreground import invoke

    if not arguments.function or not arguments.event:
        raise EmulatorError(
            "Name what to invoke, for example "
            "`make invoke FUNCTION=InventoryFunction EVENT=events/inventory/get_item.json`."
        )
    return asyncio.run(invoke(paths, arguments.function, Path(arguments.event).absolute()))


def _serve(paths: StatePaths, arguments: argparse.Namespace) -> None:
    from emulator.commands.foreground import serve

    asyncio.run(serve(paths, arguments.locked))


def _up(paths: StatePaths, _: argparse.Namespace) -> None:
    running = background.up(paths)
    sys.stdout.write(f"{status_view.render(asyncio.run(ask(running, 'status')))}\n")
    sys.stdout.write('\nIn this shell, `eval "$(make env)"` points sam and aws at it; `make down` stops it.\n')


def _down(paths: StatePaths, _: argparse.Namespace) -> None:
    sys.stdout.write("Stopped.\n" if background.down(paths) else "No emulator is running.\n")


def _status(paths: StatePaths, _: argparse.Namespace) -> None:
    status = _ask(paths, "status")
    sys.stdout.write(f"Up for {status['uptime_seconds']} s as process {status['pid']}.\n{status_view.render(status)}\n")


def _reset(paths: StatePaths, _: argparse.Namespace) -> None:
    answer = _ask(paths, "reset")
    sys.stdout.write(f"The sample data is back: {answer['sample_items']} items.\n")


def _fault(paths: StatePaths, arguments: argparse.Namespace) -> None:
    answer = _ask(paths, "fault", f"{arguments.backing_service}={arguments.fault}")
    for name, fault in answer["faults"].items():
        sys.stdout.write(f"{name}: {fault}\n")


def _env(paths: StatePaths, arguments: argparse.Namespace) -> None:
    running = asyncio.run(required(paths))
    functions = json.loads(paths.sam_environment.read_text())
    sys.stdout.write(f"{shell_exports(running, functions, arguments.function)}\n")


def _ask(paths: StatePaths, verb: str, text: str = "") -> Any:
    async def ask_it() -> Any:
        return await ask(await required(paths), verb, text)

    return asyncio.run(ask_it())


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m emulator", description=__doc__)
    commands = parser.add_subparsers(required=True, metavar="COMMAND")

    def add(name: str, command: object, explanation: str) -> argparse.ArgumentParser:
        added = commands.add_parser(name, help=explanation)
        added.set_defaults(command=command)
        return added

    start = add("start", _start, "start the backing services and an API: sam local start-api, or the gateway")
    start.add_argument("--port", default="3000")
    start.add_argument("--front", default="sam", help="what serves the API: sam, gateway")
    invoke = add("invoke", _invoke, "run sam local invoke, starting the backing services when none run")
    invoke.add_argument("function")
    invoke.add_argument("event")
    serve = add("serve", _serve, "run the backing services and the engine in the foreground")
    serve.add_argument("--locked", type=int, metavar="FD", help="where `up` has locked the state folder already")
    add("up", _up, "start the backing services, the engine and the gateway in the background")
    add("down", _down, "stop what `up` started")
    add("status", _status, "say what runs where")
    add("reset", _reset, "bring the sample data back")
    fault = add("fault", _fault, "make a backing service fail: refuse, stall, slow:MS, error:STATUS, none")
    fault.add_argument("backing_service")
    fault.add_argument("fault")
    env = add("env", _env, "print exports for a shell")
    env.add_argument("function", nargs="?", default="", help="whose variables to print, too")
    return parser
