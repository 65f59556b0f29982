"""The computed parts of docs/cost.md."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Final

from benchmarks.cost import traffic
from benchmarks.cost.bill import (
    SECONDS,
    Bill,
    bill,
    billed_seconds,
    break_even,
    concurrency,
    fixed,
    init_cost,
    snapshots,
    tasks,
)
from benchmarks.cost.measured import Measured
from benchmarks.cost.prices import PRICED_ON, PRICES, REGION
from sam_template.repository import REPOSITORY

CLAUDE: Final = ("as the fake answers", "every call writes all it may")
PAGE: Final = REPOSITORY / "docs" / "cost.md"
TEXTS: Final = frozenset({"", "whose", "line", "route", "source", "for a"})
BEGIN: Final = "<!-- computed by python -m benchmarks.cost --write -->"
END: Final = "<!-- end of what is computed -->"


def replace(page: str, computed: str) -> str:
    """Return `page` with `computed` between its markers. Raises ValueError when it has none."""
    before, _, rest = page.partition(BEGIN)
    _, found, after = rest.partition(END)
    if not found:
        raise ValueError("docs/cost.md has lost its markers")
    return f"{before}{BEGIN}\n\n{computed}\n\n{END}{after}"


def computed(measured: Measured) -> str:
    """Return the computed part of the page."""
    months = {requests: bill(requests, measured) for requests in traffic.MONTHLY_REQUESTS}
    return "\n\n".join(
        [
            "### A month in dollars",
            _months(months),
            _sentences(months, measured),
            "### What one request is taken for",
            _requests(measured),
            "### Prices",
            f"{REGION}, looked up on {PRICED_ON}.",
            _prices(),
        ]
    )


def _months(months: Mapping[int, Bill]) -> str:
    heads = ["whose", "line", *(_count(requests) for requests in months)]
    rows: list[list[str]] = [heads]
    sides = {
        "this design": [month.serverless for month in months.values()],
        "always-on": [month.always_on for month in months.values()],
        "both": [month.both for month in months.values()],
    }
    for title, columns in sides.items():
        rows += [[title, name, *(_money(column[name]) for column in columns)] for name in columns[0]]
    rows += _totals(months.values())
    return _table(rows)


def _totals(months: Iterable[Bill]) -> list[list[str]]:
    bills = list(months)
    both = [sum(month.both.values()) for month in bills]
    own = [sum(month.serverless.values()) + shared for month, shared in zip(bills, both, strict=True)]
    vpc = [total + sum(month.vpc.values()) for total, month in zip(own, bills, strict=True)]
    always = [sum(month.always_on.values()) + shared for month, shared in zip(bills, both, strict=True)]
    rows = {
        ("this design", "all"): own,
        ("this design", "all, with the shopbot in a VPC: NAT, endpoint"): vpc,
        ("always-on", "all"): always,
    }
    table = [
        [whose, f"**{line}**", *(f"**{_money(value)}**" for value in values)] for (whose, line), values in rows.items()
    ]
    claude = [
        ["either", f"Claude, on top, {name}", *(_money(month.claude[name]) for month in bills)] for name in CLAUDE
    ]
    return table + claude


def _sentences(months: Mapping[int, Bill], measured: Measured) -> str:
    lines = [
        _break_even(measured, in_vpc=False),
        _break_even(measured, in_vpc=True),
        _claude(months),
        _watching(months),
    ]
    busiest = max(months)
    busy = {route: share * busiest for route, share in traffic.MIX.items()}
    lines.append(
        f"**{_count(busiest)} requests** are {busiest / SECONDS:.0f} a second on average, of which "
        f"{concurrency(busy, measured):.1f} are answered at once; the always-on design has {tasks(busy, measured)} "
        f"tasks for a peak of {traffic.PEAK_OVER_MEAN:.0f} times that."
    )
    lines += [_snapstart(months, measured), _fixed(measured)]
    return "\n".join(f"* {line}" for line in lines)


def _break_even(measured: Measured, *, in_vpc: bool) -> str:
    words = "With the shopbot in a VPC" if in_vpc else "Break-even: without a VPC"
    point = break_even(measured, in_vpc=in_vpc)
    if point is None:
        return f"**{words}** this design is cheaper at every rate."
    return (
        f"**{words}** the always-on design is cheaper from {point / 1_000_000:.0f} million requests a month, "
        f"{point / SECONDS:.0f} a second all day and night."
    )


def _claude(months: Mapping[int, Bill]) -> str:
    parts = []
    for requests, month in months.items():
        claude = month.claude["as the fake answers"]
        rest = sum(month.serverless.values()) + sum(month.both.values())
        parts.append(f"{claude / (claude + rest):.0%} at {_count(requests)}")
    middle = months[1_000_000].claude["as the fake answers"] / (1_000_000 * traffic.MIX["POST /chat"])
    return (
        f"**Claude dominates as soon as there is traffic**: {', '.join(parts)} requests, although one request in "
        f"{1 / traffic.MIX['POST /chat']:.0f} is a chat. A customer's message costs {middle * 100:.1f} cents of tokens."
    )


def _watching(months: Mapping[int, Bill]) -> str:
    fewest = min(months)
    month = months[fewest]
    watching = month.both["Metrics of the functions"] + month.both["Alarms and dashboard"]
    total = sum(month.serverless.values()) + sum(month.both.values())
    return (
        f"**At little traffic watching costs more than running**: metrics, alarms and the dashboard are "
        f"{watching / total:.0%} of what {_count(fewest)} requests cost without Claude."
    )


def _snapstart(months: Mapping[int, Bill], measured: Measured) -> str:
    parts = []
    for requests, month in months.items():
        paid = month.serverless["SnapStart: cached snapshots"] + month.serverless["SnapStart: restores"]
        parts.append(f"{_money(paid)} instead of {_money(init_cost(requests, measured))} at {_count(requests)}")
    return f"**SnapStart** buys latency, not money. Against paying for init: {', '.join(parts)} requests."


def _fixed(measured: Measured) -> str:
    least = snapshots(measured, traffic.LEAST_HOURS_OF_A_SNAPSHOT * 3600)
    return (
        f"**A stage that nobody uses**, as staging is most of the time, costs {_money(fixed(measured))} a month: the "
        f"alarms, the dashboard, the secrets and the snapshots of {traffic.VERSIONS_WITH_A_SNAPSHOT} versions of each "
        f"function. Each deployment pays for {traffic.LEAST_HOURS_OF_A_SNAPSHOT} hours of its snapshots at least, "
        f"{least * 100:.1f} cents, however soon the next one follows."
    )


def _requests(measured: Measured) -> str:
    rows = [["route", "share", "handler ms", "billed ms", "log bytes", "answer bytes", "metrics"]]
    for route, share in traffic.MIX.items():
        request = measured.requests[route]
        rows.append(
            [
                f"`{route}`",
                f"{share:.0%}",
                f"{request.handler_ms:.1f}",
                f"{billed_seconds(route, measured) * 1000:.0f}",
                f"{request.log_bytes:.0f}",
                f"{request.answer_bytes:.0f}",
                str(request.metrics),
            ]
        )
    turn = measured.requests["POST /chat"]
    tokens = turn.tokens or {}
    note = (
        f"Handler times are those of {measured.date} (commit {measured.commit}). A chat calls Claude "
        f"{turn.claude_calls:.2f} times and, in the fake's tokens, reads {tokens['input_tokens']:.0f} new and "
        f"{tokens['cache_read_input_tokens']:.0f} cached ones and writes {tokens['output_tokens']:.0f}: the mean of "
        f"{len(traffic.CONVERSATION)} messages of one conversation. Lambda and the API add "
        f"{traffic.PLATFORM_BYTES + measured.access_log_bytes} bytes of log to each request."
    )
    return f"{_table(rows)}\n\n{note}"


def _prices() -> str:
    rows = [["", "dollars", "for a", "source"]]
    rows += [
        [name, f"{price.dollars:.10f}".rstrip("0").rstrip("."), price.unit, price.source]
        for name, price in PRICES.items()
    ]
    return _table(rows)


def _table(rows: Sequence[Sequence[str]]) -> str:
    numbers = "|".join("---" if rows[0][column] in TEXTS else "--:" for column in range(len(rows[0])))
    lines = [f"| {' | '.join(row)} |" for row in rows]
    return "\n".join([lines[0], f"|{numbers}|", *lines[1:]])


def _count(number: int) -> str:
    return f"{number:,}".replace(",", " ")


def _money(value: float) -> str:
    return f"{value:,.0f}".replace(",", " ") if value >= 1000 else f"{value:.2f}"
