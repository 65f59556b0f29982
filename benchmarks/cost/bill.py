"""The bill of a month, line by line: pure arithmetic over prices, traffic and what was measured."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

from benchmarks.cost import traffic
from benchmarks.cost.measured import Measured, Request, function_of
from benchmarks.cost.prices import dollars

SECONDS = traffic.HOURS * 3600
GIGABYTE = 1_000_000_000.0
FUNCTIONS = ("inventory", "shopbot")


@dataclass(frozen=True)
class Bill:
    """Dollars by line: of this design alone, of the one that it replaces alone, of both, of a VPC, and of Claude."""

    serverless: Mapping[str, float]
    always_on: Mapping[str, float]
    both: Mapping[str, float]
    vpc: Mapping[str, float]
    claude: Mapping[str, float]


def bill(requests: float, measured: Measured) -> Bill:
    """Return the bill of a month with so many `requests`, spread evenly but for the peak that tasks are sized for."""
    asked = {route: requests * share for route, share in traffic.MIX.items()}
    return Bill(
        serverless=_serverless(asked, measured),
        always_on=_always_on(asked, measured),
        both=_both(asked, measured),
        vpc=_vpc(asked, measured),
        claude=_claude(asked, measured),
    )


def billed_seconds(route: str, measured: Measured) -> float:
    """Return what Lambda bills for a warm request of `route`: processor time at the function's share, and Claude's."""
    request = measured.requests[route]
    share = min(1.0, measured.megabytes[function_of(route)] / traffic.MEGABYTES_OF_A_PROCESSOR)
    return request.handler_ms / 1000 / share + claude_seconds(request)


def claude_seconds(request: Request) -> float:
    """Return how long a request waits for Claude: so many calls, and what it writes."""
    written = (request.tokens or {}).get("output_tokens", 0.0) * traffic.REAL_TOKENS
    return request.claude_calls * traffic.SECONDS_TO_FIRST_TOKEN + written / traffic.TOKENS_A_SECOND


def snapshots(measured: Measured, seconds: float) -> float:
    """Return what a snapshot of each function costs for so long."""
    return dollars("SnapStart cache", sum(measured.megabytes.values()) / 1024 * seconds)


def fixed(measured: Measured) -> float:
    """Return what a month costs in which nobody asks for anything."""
    idle = bill(0, measured)
    return sum(idle.serverless.values()) + sum(idle.both.values())


def cold_share(requests: float) -> float:
    """Return the share of a function's `requests` that meet no idle environment."""
    return max(traffic.FEWEST_COLD, math.exp(-requests / SECONDS * traffic.IDLE_SECONDS))


def hours_with(requests: float) -> float:
    """Return in how many hours of a month at least one of `requests` falls, if they come at random."""
    return traffic.HOURS * (1 - math.exp(-requests / traffic.HOURS))


def traced(requests: float) -> float:
    """Return how many of a function's `requests` X-Ray samples: the first of each second and a share of the rest."""
    rate = requests / SECONDS
    first = 1 - math.exp(-rate)
    return SECONDS * (first + traffic.TRACED_SHARE * (rate - first))


def concurrency(asked: Mapping[str, float], measured: Measured) -> float:
    """Return how many requests are answered at once, on average."""
    return sum(number / SECONDS * billed_seconds(route, measured) for route, number in asked.items())


def tasks(asked: Mapping[str, float], measured: Measured) -> int:
    """Return the tasks of both services: one in each zone, or what the peak needs in processors or waiting chats."""
    total = 0
    for function in FUNCTIONS:
        routes = {route: number for route, number in asked.items() if function_of(route) == function}
        peak = {route: number / SECONDS * traffic.PEAK_OVER_MEAN for route, number in routes.items()}
        busy = sum(rate * measured.requests[route].handler_ms / 1000 for route, rate in peak.items())
        waiting = sum(rate * claude_seconds(measured.requests[route]) for route, rate in peak.items())
        needed = max(
            busy / traffic.TASK_UTILISATION / traffic.TASK_PROCESSORS, waiting / traffic.CHATS_AT_ONCE_OF_A_TASK
        )
        total += max(traffic.ZONES, math.ceil(needed))
    return total


def init_cost(requests: float, measured: Measured) -> float:
    """Return what the init of new environments would cost in a month without SnapStart."""
    asked = {route: requests * share for route, share in traffic.MIX.items()}
    total = 0.0
    for function, number in _by_function(asked).items():
        seconds = number * cold_share(number) * measured.init_ms[function] / 1000
        total += dollars("Lambda duration, arm64", seconds * measured.megabytes[function] / 1024)
    return total


def break_even(measured: Measured, *, in_vpc: bool) -> float | None:
    """Return from how many requests a month the design that this one replaces is cheaper; None for never."""

    def excess(requests: float) -> float:
        month = bill(requests, measured)
        own = sum(month.serverless.values()) + (sum(month.vpc.values()) if in_vpc else 0.0)
        return own - sum(month.always_on.values())

    low, high = 1_000.0, 10_000_000_000.0
    if excess(low) >= 0:
        return low
    if excess(high) < 0:
        return None
    while high / low > 1.001:
        middle = math.sqrt(low * high)
        low, high = (low, middle) if excess(middle) >= 0 else (middle, high)
    return high


def _serverless(asked: Mapping[str, float], measured: Measured) -> dict[str, float]:
    by_function = _by_function(asked)
    cold = {function: number * cold_share(number) for function, number in by_function.items()}
    gigabytes = {function: megabytes / 1024 for function, megabytes in measured.megabytes.items()}
    warm_gb_s = sum(n * billed_seconds(route, measured) * gigabytes[function_of(route)] for route, n in asked.items())
    slower = traffic.MEGABYTES_OF_A_PROCESSOR / min(measured.megabytes.values())
    first_gb_s = sum(cold[function] * gigabytes[function] for function in FUNCTIONS) * measured.first_ms / 1000 * slower
    requests = sum(asked.values())
    platform = traffic.PLATFORM_BYTES + traffic.PLATFORM_LINES * traffic.EVENT_OVERHEAD_BYTES
    access = measured.access_log_bytes + traffic.EVENT_OVERHEAD_BYTES
    return {
        "HTTP API": dollars("HTTP API requests", requests),
        "Lambda requests": dollars("Lambda requests", requests),
        "Lambda duration": dollars("Lambda duration, arm64", warm_gb_s + first_gb_s),
        "SnapStart: cached snapshots": traffic.VERSIONS_WITH_A_SNAPSHOT * snapshots(measured, SECONDS),
        "SnapStart: restores": dollars("SnapStart restore", sum(cold[f] * gigabytes[f] for f in FUNCTIONS)),
        "Logs of Lambda and the API": _logs(requests * (platform + access)),
    }


def _always_on(asked: Mapping[str, float], measured: Measured) -> dict[str, float]:
    number = tasks(asked, measured)
    units = max(1.0, sum(asked.values()) / SECONDS / traffic.REQUESTS_A_SECOND_OF_A_BALANCER_UNIT)
    return {
        "Fargate tasks": dollars("Fargate processor, arm64", number * traffic.TASK_PROCESSORS * traffic.HOURS)
        + dollars("Fargate memory, arm64", number * traffic.TASK_GIGABYTES * traffic.HOURS),
        "Load balancer": dollars("Load balancer", traffic.HOURS)
        + dollars("Load balancer units", units * traffic.HOURS)
        + dollars("Public IPv4 address", traffic.ZONES * traffic.HOURS),
        "NAT gateways": _nat(asked, measured),
    }


def _both(asked: Mapping[str, float], measured: Measured) -> dict[str, float]:
    listed = math.ceil(traffic.LISTED_ITEMS * measured.item_bytes / 4096) / 2
    reads = {"GET /inventory": listed, **traffic.READ_UNITS}
    read = sum(n * (reads.get(route, 0.0) + measured.requests[route].keys_read) for route, n in asked.items())
    written = sum(n * traffic.WRITE_UNITS.get(route, 0.0) for route, n in asked.items())
    sent = sum(
        n * (measured.requests[route].answer_bytes + traffic.ANSWER_OVERHEAD_BYTES) for route, n in asked.items()
    )
    return {
        "DynamoDB": dollars("DynamoDB read units", read) + dollars("DynamoDB write units", written),
        "S3": dollars("S3 GET and HEAD", sum(n * traffic.S3_CALLS.get(route, 0.0) for route, n in asked.items())),
        "Logs of the functions": _logs(sum(n * _line_bytes(measured.requests[route]) for route, n in asked.items())),
        "Metrics of the functions": dollars(
            "Metrics",
            sum(measured.requests[route].metrics * hours_with(n) / traffic.HOURS for route, n in asked.items()),
        ),
        "Traces": dollars("Traces", sum(traced(number) for number in _by_function(asked).values())),
        "Alarms and dashboard": dollars("Alarms", measured.alarms) + dollars("Dashboards", 1),
        "Secrets": dollars("Secrets", traffic.SECRETS)
        + dollars("Secrets Manager calls", _secret_calls(asked, measured)),
        "Transfer to the internet": dollars("Transfer to the internet", sent / GIGABYTE),
    }


def _vpc(asked: Mapping[str, float], measured: Measured) -> dict[str, float]:
    return {
        "NAT gateways": _nat(asked, measured),
        "Endpoint of Secrets Manager": dollars("Interface endpoint", traffic.ZONES * traffic.HOURS),
    }


def _claude(asked: Mapping[str, float], measured: Measured) -> dict[str, float]:
    turn, chats = measured.requests["POST /chat"], asked["POST /chat"]
    tokens = {name: number * traffic.REAL_TOKENS * chats for name, number in (turn.tokens or {}).items()}
    # The first call of a conversation writes prompt and tools into the cache, unless another customer just did.
    forgotten = math.exp(-chats / SECONDS * traffic.SECONDS_OF_A_PROMPT_CACHE) / len(traffic.CONVERSATION)
    written = tokens["cache_read_input_tokens"] / turn.claude_calls * forgotten
    read = (
        dollars("Claude input", tokens["input_tokens"])
        + dollars("Claude cache write", written)
        + dollars("Claude cache read", tokens["cache_read_input_tokens"] - written)
    )
    longest = turn.claude_calls * traffic.LONGEST_COMPLETION * chats
    return {
        "as the fake answers": read + dollars("Claude output", tokens["output_tokens"]),
        "every call writes all it may": read + dollars("Claude output", longest),
    }


def _by_function(asked: Mapping[str, float]) -> dict[str, float]:
    return {name: sum(n for route, n in asked.items() if function_of(route) == name) for name in FUNCTIONS}


def _line_bytes(request: Request) -> float:
    return request.log_bytes + request.log_lines * traffic.EVENT_OVERHEAD_BYTES


def _logs(size: float) -> float:
    gigabytes = size / GIGABYTE
    return dollars("Log ingestion", gigabytes) + dollars("Log storage", gigabytes * traffic.RETENTION_MONTHS)


def _nat(asked: Mapping[str, float], measured: Measured) -> float:
    calls = asked["POST /chat"] * measured.requests["POST /chat"].claude_calls
    return (
        dollars("NAT gateway", traffic.ZONES * traffic.HOURS)
        + dollars("Public IPv4 address", traffic.ZONES * traffic.HOURS)
        + dollars("NAT traffic", calls * traffic.NAT_BYTES_OF_A_CLAUDE_CALL / GIGABYTE)
    )


def _secret_calls(asked: Mapping[str, float], measured: Measured) -> float:
    """Return the reads of the secret: one for each environment and lifetime, and never more than requests."""
    needing = asked["POST /chat"] + asked["POST /products/search"] + asked["POST /inventory/{sku}/adjustments"]
    environments = max(float(len(FUNCTIONS)), concurrency(asked, measured))
    return min(needing, environments * SECONDS / traffic.SECONDS_OF_A_SECRET)
