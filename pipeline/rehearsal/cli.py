"""Rehearse a deployment: `python -m pipeline.rehearsal`; exit status 0 only if everything held.

The unmodified `sam deploy` against an emulated CloudFormation: create, use, deploy again, change, fail, delete; and a
comparison of what was made with what the template declares. No account, no container engine.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import logging
import shutil
import sys
import time
from collections.abc import Awaitable, Coroutine, Sequence
from pathlib import Path
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from emulator.commands.foreground import interruptible
from pipeline.rehearsal import table
from pipeline.rehearsal.account import EmulatedAccount, emulated_account, require_same_python
from pipeline.rehearsal.comparison import Row
from pipeline.rehearsal.declaration import Declaration
from pipeline.rehearsal.errors import RehearsalError
from pipeline.rehearsal.page import Report, losses, markdown
from pipeline.rehearsal.rehearsal import Rehearsal
from pipeline.rehearsal.sam import Commands
from pipeline.rehearsal.settings import read_settings
from pipeline.smoke.client import UnexpectedError, UnreachableError
from sam_template.repository import INSTALLED, REPOSITORY, SAMCONFIG, TEMPLATE

LOG = INSTALLED / "rehearsal.log"
MINISTACK_LOG = INSTALLED / "rehearsal-ministack.log"
PAGE = REPOSITORY / "docs" / "rehearsal.md"
_INTERRUPTED = 130


def main(arguments: Sequence[str] | None = None) -> int:
    """Rehearse as `arguments` (default: the command line) say; return the exit status."""
    logging.basicConfig(level=logging.WARNING, format="%(message)s", stream=sys.stderr)
    parsed = _parser().parse_args(arguments)
    try:
        return asyncio.run(_rehearse(verbose=parsed.verbose, page=parsed.write))
    except (RehearsalError, UnexpectedError, UnreachableError) as error:
        return _fail(error, str(error))
    except (BotoCoreError, ClientError) as error:
        return _fail(error, f"The emulated account refuses a call ({error}): see {MINISTACK_LOG}.")
    except KeyboardInterrupt:
        return _INTERRUPTED


def _fail(error: Exception, sentence: str) -> int:
    sys.stderr.write("\n".join([sentence, *getattr(error, "__notes__", [])]) + "\n")
    return 1


async def _rehearse(*, verbose: bool, page: Path | None) -> int:
    began = time.monotonic()
    settings = read_settings(SAMCONFIG)
    declaration = await asyncio.to_thread(Declaration, TEMPLATE, settings)
    require_same_python(declaration.runtime)
    async with interruptible() as interrupted, emulated_account(declaration.types) as account:
        await asyncio.to_thread(LOG.write_bytes, b"")
        commands = Commands(account.endpoint, settings.region, LOG, account.scratch, verbose=verbose)
        rehearsal = Rehearsal(settings, declaration, account, commands)
        try:
            if not await _until(rehearsal.run(), interrupted(), _ministack_ends(account)):
                return _INTERRUPTED
        except Exception as error:
            error.add_note(f"(All that sam said: {LOG}.)")
            _show(rehearsal.rows)
            raise
        finally:
            await asyncio.to_thread(_keep_log, account)
    _show(rehearsal.rows)
    await asyncio.to_thread(_keep_page, rehearsal.report(), rehearsal.variant_reports(), page)
    sys.stdout.write(f"Everything held, in {time.monotonic() - began:.0f} s.\n")
    return 0


def _show(rows: Sequence[Row]) -> None:
    if rows:
        sys.stdout.write(f"\n{table.by_resource(rows)}\n\n")
        sys.stdout.flush()  # what stands in its way is said on stderr, after it


def _keep_log(account: EmulatedAccount) -> None:
    with contextlib.suppress(OSError):
        shutil.copy(account.folder / "ministack.log", MINISTACK_LOG)


def _keep_page(first: Report, others: Sequence[Report], page: Path | None) -> None:
    """Write the page to `page`, or else compare with the one in the docs; say when that is of another template.

    Raises RehearsalError when something is lost that the page in the docs says is made.
    """
    written = markdown(first, others)
    if page:
        page.write_text(written, encoding="utf-8")
        return
    committed = PAGE.read_text(encoding="utf-8") if PAGE.exists() else ""
    lost = [f"  {row.resource} {row.name}" for row in losses(committed, first.rows)]
    if lost:
        raise RehearsalError("\n".join([f"docs/{PAGE.name} says that these are made, and they are not:", *lost]))
    if committed != written:
        sys.stdout.write(f'docs/{PAGE.name} is of another template: `make rehearse ARGS="--write docs/{PAGE.name}"`.\n')


async def _until(running: Coroutine[Any, Any, None], *ends: Awaitable[Any]) -> bool:
    """Return True when `running` has ended, False when one of `ends` did before; what was running is cancelled then.

    What one of `ends` raises is the reason for what `running` raises.
    """
    tasks: list[asyncio.Future[Any]] = [asyncio.ensure_future(running), *map(asyncio.ensure_future, ends)]
    try:
        await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        for task in reversed(tasks):
            if task.done():
                task.result()
        return tasks[0].done()
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


async def _ministack_ends(account: EmulatedAccount) -> None:
    status = await account.ministack.wait()
    raise RehearsalError(f"MiniStack ended with status {status}; see {MINISTACK_LOG}.")


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m pipeline.rehearsal", description=(__doc__ or "").partition("\n")[0]
    )
    parser.add_argument("--verbose", action="store_true", help="show what sam says")
    parser.add_argument(
        "--write", type=Path, metavar="PAGE", help="write the table there, for example docs/rehearsal.md"
    )
    return parser
