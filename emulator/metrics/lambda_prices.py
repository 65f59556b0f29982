"""What Lambda costs in us-east-1, in dollars, before tax, free tier and savings plans.

The price of the first tier, which ends at 6 billion GB-seconds a month (arm64: 7.5). Duration is billed by the ms.
Since 2025-08-01 the init of a function on a managed runtime is billed with the invocation that needed it (AWS Compute
Blog, "AWS Lambda standardizes billing for INIT Phase", 2025-04-29).
"""

from __future__ import annotations

from typing import Any, Final

REGION: Final = "us-east-1"
PRICED_ON: Final = "2026-09-24"
SOURCE: Final = "AWS Price List API, AWSLambda, us-east-1, published 2026-09-19"
DOLLARS_A_GIGABYTE_SECOND: Final = {"arm64": 0.0000133334, "x86_64": 0.0000166667}
DOLLARS_A_MILLION_REQUESTS: Final = 0.20


def dollars(*, requests: int, billed_ms: int, memory_mb: int, architecture: str) -> float:
    """Return the price of so many invocations that were billed so many ms in all."""
    gigabyte_seconds = memory_mb / 1024 * billed_ms / 1000
    duration = gigabyte_seconds * DOLLARS_A_GIGABYTE_SECOND[architecture]
    return duration + requests * DOLLARS_A_MILLION_REQUESTS / 1_000_000


def described() -> dict[str, Any]:
    """Return the table with its source."""
    return {
        "region": REGION,
        "source": SOURCE,
        "date": PRICED_ON,
        "dollars_a_gigabyte_second": DOLLARS_A_GIGABYTE_SECOND,
        "dollars_a_million_requests": DOLLARS_A_MILLION_REQUESTS,
    }
