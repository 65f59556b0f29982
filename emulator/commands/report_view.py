"""What a person sees of the usage report: one screen."""

from __future__ import annotations

import textwrap
from collections.abc import Mapping, Sequence
from typing import Any, Final

_MIB: Final = 1024 * 1024
_WIDTH: Final = 110
_LABEL: Final = 13


def render(report: Mapping[str, Any]) -> str:
    """Return the view of the answer of the control verb `report`."""
    parts = [f"Up for {_time(report['uptime_seconds'])}."]
    parts += [_function(function) for function in report["functions"]] or ["No function has run."]
    parts.append(_routes(report["routes"]))
    parts.append("\n".join(report["denied_calls"]) or "IAM denied no call.")
    prices = report["prices"]
    parts.append(_wrapped(f"Prices: {prices['region']}, {prices['source']}, read {prices['date']}; init is billed.", 0))
    return "\n\n".join(parts)


def _function(function: Mapping[str, Any]) -> str:
    inits, warm, environments = function["inits"], function["warm"], function["environments"]
    failed = f", {inits['failed']} failed" if inits["failed"] else ""
    rows = [
        ("inits", f"{inits['count']}{failed}; p50 {_ms(inits['p50_ms'])}, longest {_ms(inits['max_ms'])}"),
        ("imports", _imports(function["imports"])),
        (
            "invocations",
            f"{function['invocations']}; {function['errors']} errors, {function['timeouts']} of them timeouts",
        ),
        ("warm", f"p50 {_ms(warm['p50_ms'])}, p95 {_ms(warm['p95_ms'])}, p99 {_ms(warm['p99_ms'])}"),
        (
            "memory",
            f"peak {_mib(function['peak_memory_bytes'])} of {function['memory_mb']} MiB; {_environments(environments)}",
        ),
        ("billed", _billed(function)),
    ]
    heading = f"{function['function']} ({function['memory_mb']} MB, {function['architecture']})"
    return "\n".join([heading, *(f"  {label:<{_LABEL}}{text}" for label, text in rows)])


def _imports(imports: Mapping[str, Any]) -> str:
    if "error" in imports:
        return str(imports["error"])
    named = [f"{package['package']} {package['own_ms']:.0f}" for package in imports["packages"]]
    return _wrapped(f"{imports['total_ms']:.0f} ms: {', '.join(named)}", _LABEL + 2).lstrip()


def _environments(environments: Mapping[str, Any]) -> str:
    if not environments["count"]:
        return "no environment now"
    pss = f"{_mib(environments['pss_bytes'])} PSS, " if environments["pss_bytes"] else ""
    return f"an environment takes {pss}{_mib(environments['rss_bytes'])} RSS ({environments['count']} now)"


def _billed(function: Mapping[str, Any]) -> str:
    million = function["dollars_a_million"]
    rate = f"; ${million:.2f} a million invocations" if million is not None else ""
    return f"{function['billed_ms']} ms, ${function['dollars']:.6f}{rate}"


def _routes(rows: Sequence[Mapping[str, Any]]) -> str:
    if not rows:
        return "No request came to an API."
    cells = [["route", "requests", "4xx", "5xx", "by"]]
    cells += [
        [
            row["route"],
            *(str(row[name]) for name in ("requests", "client_errors", "server_errors")),
            f"{row['server']} ({row['api']})" if row["api"] else row["server"],
        ]
        for row in rows
    ]
    widths = [max(len(row[column]) for row in cells) for column in range(4)]
    return "\n".join(
        "  ".join([row[0].ljust(widths[0]), *(row[i].rjust(widths[i]) for i in range(1, 4)), row[4]]) for row in cells
    )


def _wrapped(text: str, indent: int) -> str:
    return textwrap.fill(text, _WIDTH, initial_indent=" " * indent, subsequent_indent=" " * indent)


def _ms(value: float | None) -> str:
    return "-" if value is None else f"{value:.1f} ms" if value < 100 else f"{value:.0f} ms"


def _mib(size: int) -> str:
    return f"{size / _MIB:.0f} MiB"


def _time(seconds: float) -> str:
    minutes = int(seconds // 60)
    return f"{minutes // 60} h {minutes % 60} min" if minutes >= 60 else f"{minutes} min {int(seconds % 60)} s"
