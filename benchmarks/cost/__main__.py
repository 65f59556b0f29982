"""`python -m benchmarks.cost`: print what a month costs; `--measure` the requests anew; `--write` docs/cost.md."""

from __future__ import annotations

import argparse
import sys

from benchmarks.cost import measured, page


def main() -> int:
    """Do what the command line says; return the exit status."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.cost", description="Compute what a month costs.")
    parser.add_argument("--measure", action="store_true", help="measure what a request leaves behind, first")
    parser.add_argument("--write", action="store_true", help="write the result into docs/cost.md")
    arguments = parser.parse_args()
    if arguments.measure:
        from benchmarks.cost import sample

        measured.write_requests(sample.measure())
    text = page.computed(measured.read())
    if arguments.write:
        page.PAGE.write_text(page.replace(page.PAGE.read_text(encoding="utf-8"), text), encoding="utf-8")
    sys.stdout.write(f"{text}\n")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
