"""The emulator's commands. Whatever a person can mend ends as one sentence and status 1.

Each imports what it needs: `up` has started an emulator by the time that it imports asyncio.
"""

from __future__ import annotations

import argparse
import json
import logging
import os
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from emulator import status_view
from emulator.command_names import PROGRAM, exporting, option, spelled
from emulator.errors import EmulatorError, sentence_of
from emulator.processes.ports import parse_port
from emulator.project.paths import StatePaths
from emulator.project.project import Project
from sam_template import TemplateError

REPORT_SECONDS = 120
"""The report has each function initialise once more, which a busy machine takes its time for."""
_DESCRIPTION = "Run a SAM project on this machine: AWS and Lambda emulated, without an account and without Docker."


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command that `arguments` (default: the command line) names; return the exit status."""
    os.umask(0o077)  # endpoints, credentials and what functions log are this user's alone
    logging.basicConfig(level=logging.INFO, format="%(message)s", stream=sys.stderr)
    parsed = _parser().parse_args(arguments)
    paths = None
    try:
        project = Project.open(*_project(parsed))
        paths = StatePaths.of(project)
        return int(parsed.command(project, paths, parsed) or 0)
    except EmulatorError as error:
        sentence = str(error)
    except OSError as error:
        found = sentence_of(error, paths.folder) if paths else None
        if found is None:
            raise
        sentence = found
    sys.stderr.write(f"{sentence}\n")
    return 1


def _prepare(project: Project, paths: StatePaths) -> None:
    """Have everything that a start needs: a project may leave the installation, and the build, to its own commands."""
    declaration = project.declaration
    if declaration.installed and declaration.build_command:
        return
    from emulator.first_use import ensure_installed
    from emulator.sam.project_build import ensure_built

    try:
        template = project.load_template()
        runtimes = {function.runtime for function in template.functions.values()}
    except TemplateError as error:
        raise EmulatorError(str(error)) from error
    if not declaration.installed:
        ensure_installed(project.installed, runtimes)
    ensure_built(project, paths, template)


def _start(project: Project, paths: StatePaths, arguments: argparse.Namespace) -> None:
    from emulator.commands.foreground import start, start_gateway
    from emulator.event_loop import run

    fronts = {"sam": start, "gateway": start_gateway}
    if arguments.front not in fronts:
        raise EmulatorError(f"{option('front')}={arguments.front} is unknown: choose sam or gateway, or leave it away.")
    port = parse_port(arguments.port)
    _prepare(project, paths)
    run(fronts[arguments.front](project, paths, port))


def _invoke(project: Project, paths: StatePaths, arguments: argparse.Namespace) -> int:
    from emulator.commands.foreground import invoke
    from emulator.event_loop import run

    if not arguments.function or arguments.event == "":
        example = spelled("invoke", function="HelloFunction", event="events/hello.json")
        raise EmulatorError(f"Name a function of the template and a file with its event, for example {example}.")
    event = Path(arguments.event).absolute() if arguments.event else None
    _prepare(project, paths)
    return run(invoke(project, paths, arguments.function, event))


def _serve(project: Project, paths: StatePaths, arguments: argparse.Namespace) -> None:
    from emulator.commands.foreground import serve
    from emulator.event_loop import run

    if arguments.locked is None:
        _prepare(project, paths)
    run(serve(project, paths, arguments.locked))


def _up(project: Project, paths: StatePaths, _: argparse.Namespace) -> None:
    from emulator.commands import background

    _prepare(project, paths)
    background.up(project, paths)
    sys.stdout.write(f"{status_view.render(_ask(paths, 'status'))}\n")
    sys.stdout.write(f"\nIn this shell, {exporting()} points sam and aws at it; {spelled('down')} stops it.\n")


def _down(_: Project, paths: StatePaths, __: argparse.Namespace) -> None:
    from emulator.commands import background

    sys.stdout.write("Stopped.\n" if background.down(paths) else "No emulator is running.\n")


def _status(_: Project, paths: StatePaths, __: argparse.Namespace) -> None:
    status = _ask(paths, "status")
    sys.stdout.write(f"Up for {status['uptime_seconds']} s as process {status['pid']}.\n{status_view.render(status)}\n")


def _report(_: Project, paths: StatePaths, arguments: argparse.Namespace) -> None:
    from emulator.commands import report_view

    report = _ask(paths, "report", seconds=REPORT_SECONDS)
    sys.stdout.write(f"{json.dumps(report, indent=2) if arguments.json else report_view.render(report)}\n")


def _reset(_: Project, paths: StatePaths, __: argparse.Namespace) -> None:
    answer = _ask(paths, "reset")
    sys.stdout.write(f"The sample data is back: {answer['sample_items']} items.\n")


def _fault(_: Project, paths: StatePaths, arguments: argparse.Namespace) -> None:
    answer = _ask(paths, "fault", f"{arguments.backing_service}={arguments.fault}")
    for name, fault in answer["faults"].items():
        sys.stdout.write(f"{name}: {fault}\n")


def _record(_: Project, paths: StatePaths, arguments: argparse.Namespace) -> None:
    import asyncio

    from emulator.commands.recording import record

    asyncio.run(record(paths, arguments.folder.absolute()))


def _replay(project: Project, paths: StatePaths, arguments: argparse.Namespace) -> int:
    from emulator.commands.recording import parsed_secrets, replay
    from emulator.event_loop import run

    secrets = parsed_secrets([*arguments.secret, *os.environ.get("SECRETS", "").splitlines()])
    return run(replay(project, paths, arguments.folder.absolute(), secrets))


def _env(_: Project, paths: StatePaths, arguments: argparse.Namespace) -> None:
    import asyncio

    from emulator.control import required
    from emulator.sam.sam_cli import shell_exports

    running = asyncio.run(required(paths))
    functions = json.loads(paths.sam_environment.read_text())
    sys.stdout.write(f"{shell_exports(running, functions, arguments.function)}\n")


def _ask(paths: StatePaths, verb: str, text: str = "", **within: float) -> Any:
    import asyncio

    from emulator.control import ask, required

    async def ask_it() -> Any:
        return await ask(await required(paths), verb, text, **within)

    return asyncio.run(ask_it())


def _project(parsed: argparse.Namespace) -> tuple[Path, Path | None, list[str]]:
    """Return the folder, the template and the parameter overrides that the command line names."""
    given = vars(parsed)
    return given.get("project", Path()), given.get("template"), given.get("parameter_overrides", [])


def _parser() -> argparse.ArgumentParser:
    of_project = argparse.ArgumentParser(add_help=False, argument_default=argparse.SUPPRESS)
    of_project.add_argument("--project", type=Path, metavar="DIR", help="the SAM project (default: this folder)")
    of_project.add_argument("--template", type=Path, metavar="FILE", help="its template (default: template.yaml, .yml)")
    # Before the command one text, after it any number, as SAM has it.
    parameters: dict[str, Any] = {"action": "extend", "metavar": "NAME=VALUE", "help": "values for its parameters"}
    parser = argparse.ArgumentParser(prog=PROGRAM, description=_DESCRIPTION, parents=[of_project], allow_abbrev=False)
    parser.add_argument("--parameter-overrides", nargs=1, default=argparse.SUPPRESS, **parameters)
    commands = parser.add_subparsers(required=True, metavar="COMMAND")

    def add(name: str, command: object, explanation: str) -> argparse.ArgumentParser:
        added = commands.add_parser(name, help=explanation, parents=[of_project], allow_abbrev=False)
        added.add_argument("--parameter-overrides", nargs="+", default=argparse.SUPPRESS, **parameters)
        added.set_defaults(command=command)
        return added

    start = add("start", _start, "start the backing services and an API: sam local start-api, or the gateway")
    start.add_argument("--port", default="3000")
    start.add_argument("--front", default="sam", help="what serves the API: sam, gateway")
    invoke = add("invoke", _invoke, "run sam local invoke, starting the backing services when none run")
    invoke.add_argument("function")
    invoke.add_argument("event", nargs="?", help="a JSON file; without one the event is empty")
    serve = add("serve", _serve, "run the backing services and the engine in the foreground")
    serve.add_argument("--locked", type=int, metavar="FD", help="where `up` has locked the state folder already")
    add("up", _up, "start the backing services, the engine and the gateway in the background")
    add("down", _down, "stop what `up` started")
    add("status", _status, "say what runs where")
    report = add("report", _report, "say what functions and routes did so far, what it took and what it would cost")
    report.add_argument("--json", action="store_true", help="everything, as JSON")
    add("reset", _reset, "bring the sample data back")
    fault = add("fault", _fault, "make a backing service fail: refuse, stall, slow:MS, error:STATUS, none")
    fault.add_argument("backing_service")
    fault.add_argument("fault")
    record = add("record", _record, "record what passes the gateway as fixtures, until Ctrl-C")
    record.add_argument("folder", type=Path)
    replay = add("replay", _replay, "send recorded fixtures again and show what differs")
    replay.add_argument("folder", type=Path)
    replay.add_argument("--secret", action="append", default=[], metavar="NAME=VALUE", help="for a redacted value")
    env = add("env", _env, "print exports for a shell")
    env.add_argument("function", nargs="?", default="", help="whose variables to print, too")
    return parser
