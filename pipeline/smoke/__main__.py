"""Check a deployment end to end: `python -m pipeline.smoke URL`; exit status 1 when one check fails.

Safe on production: what it writes has a name of its own and is deleted again. The key for writes is read from the
environment variable INVENTORY_API_KEY and shown nowhere.
"""

from __future__ import annotations

import argparse
import os
import signal
import sys
import time
from collections.abc import Sequence

from pipeline.smoke import checks
from pipeline.smoke.client import Deployment, UnexpectedError, UnreachableError

KEY_VARIABLE = "INVENTORY_API_KEY"
_ANY_ORIGIN = "https://shop.example"
_PAUSE_SECONDS = 0.5


def main(arguments: Sequence[str] | None = None) -> int:
    """Run every check of `arguments` (default: the command line); return the exit status."""
    parsed = _parser().parse_args(arguments)
    started = time.monotonic()
    try:
        shop = Deployment(
            parsed.url, api_key=os.environ.get(KEY_VARIABLE, "").strip(), deadline=started + parsed.deadline
        )
        _wait_until_there(shop, started + parsed.wait)
    except UnreachableError as error:
        sys.stderr.write(f"{error}\n")
        return 1
    except KeyboardInterrupt:
        return 130
    return _run(shop, _checks(parsed.origin))


def _checks(origin: str) -> Sequence[tuple[str, checks.Check]]:
    return (
        ("alive", checks.alive),
        ("ready", checks.ready),
        ("OpenAPI document", checks.described),
        ("writes need the key", checks.guarded),
        ("an item's life", checks.item_lives),
        ("an error response", checks.error_response),
        ("a missing file", checks.missing_file),
        ("product search", checks.search),
        ("conversation", checks.conversation),
        ("chat page", checks.chat_page),
        ("CORS preflight", checks.preflight(origin)),
    )


def _run(shop: Deployment, listed: Sequence[tuple[str, checks.Check]]) -> int:
    """Run the checks one after the other, a line each; return the exit status."""
    failed = 0
    for name, check in listed:
        began = time.monotonic()
        try:
            remark, is_ok = check(shop), True
        except (UnexpectedError, UnreachableError) as error:
            remark, is_ok = str(error), False
        except KeyboardInterrupt:
            return 130
        except (AttributeError, KeyError, TypeError) as error:  # JSON of another shape than the one asked for
            remark, is_ok = f"expected the shop's JSON, came another shape ({error})", False
        failed += not is_ok
        milliseconds = (time.monotonic() - began) * 1000
        line = f"{'ok  ' if is_ok else 'FAIL'} {name:<20} {milliseconds:6.0f} ms  {remark}".rstrip()
        sys.stdout.write(_without(shop.api_key, line) + "\n")
        sys.stdout.flush()
    outcome = f"{failed} of {len(listed)} checks failed" if failed else "every check passed"
    sys.stdout.write(f"{shop.url}: {outcome}.\n")
    return 1 if failed else 0


def _wait_until_there(shop: Deployment, until: float) -> None:
    """Return when something answers as an API does; what was deployed a moment ago may not be there yet."""
    while True:
        try:
            if shop.request("GET", "/").status not in (404, 502, 503) or time.monotonic() > until:
                return
        except UnreachableError as error:
            if not error.may_come or time.monotonic() > until:
                raise
        time.sleep(_PAUSE_SECONDS)


def _without(secret: str, line: str) -> str:
    return line.replace(secret, "(the key)") if secret else line


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m pipeline.smoke",
        description=f"Check a deployment end to end. {KEY_VARIABLE} in the environment is the key for writes.",
    )
    parser.add_argument("url", help="where the shop answers, for example http://127.0.0.1:3000")
    parser.add_argument(
        "--origin", default=os.environ.get("CORS_ORIGIN") or _ANY_ORIGIN, help="whose pages may call it (CORS_ORIGIN)"
    )
    parser.add_argument("--wait", type=float, default=10, metavar="SECONDS", help="for a deployment to be there")
    parser.add_argument("--deadline", type=float, default=120, metavar="SECONDS", help="for all checks together")
    return parser


if __name__ == "__main__":
    # A pipeline that is cancelled sends SIGTERM: what was written is deleted all the same.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    raise SystemExit(main())
