"""What is assumed and not measured: who asks for what, the stack around it, and the design that this one replaces."""

from __future__ import annotations

from typing import Final

MONTHLY_REQUESTS: Final = (10_000, 1_000_000, 100_000_000)
HOURS: Final = 730.0

MIX: Final[dict[str, float]] = {
    "GET /inventory/{sku}": 0.40,
    "POST /products/search": 0.20,
    "GET /inventory": 0.15,
    "GET /health": 0.10,
    "POST /inventory/{sku}/adjustments": 0.05,
    "POST /chat": 0.05,
    "GET /file/download/{filename}": 0.03,
    "GET /chat/ui": 0.02,
}
"""Share of each route. Every adjustment has an Idempotency-Key; a chat is one message of a customer."""

# DynamoDB units of a request whose items are under 1 KB (inventory_function/app/table.py and adjustment.py):
# a consistent GetItem is one; a Scan of 21 items reads what they weigh, at half; the transaction of an adjustment with
# a key is two, the update that follows it one. A search and a chat read one for each SKU: requests.json counts them.
READ_UNITS: Final = {"GET /inventory/{sku}": 1.0}
WRITE_UNITS: Final = {"POST /inventory/{sku}/adjustments": 3.0}
LISTED_ITEMS: Final = 21
S3_CALLS: Final = {"GET /file/download/{filename}": 2.0}

# Lambda gives a whole processor at 1 769 MB and a share of it below (AWS Lambda Developer Guide, "Configure Lambda
# function memory"); a measured millisecond is taken for one of such a processor, even while it waits.
MEGABYTES_OF_A_PROCESSOR: Final = 1769
# Below one request in that time an environment is assumed to be gone; of busy ones AWS saw less than 1 % of invocations
# initialise (AWS Compute Blog, "AWS Lambda standardizes billing for INIT Phase", 2025-04-29).
IDLE_SECONDS: Final = 360.0
FEWEST_COLD: Final = 0.01

CONVERSATION: Final = ("hi", "vegan chips under 100 rupees", "cheaper ones", "is the first one in stock?")
"""What a customer writes, and what is measured as the mean chat."""

# Claude: bridgebench.ai, speedbench, Claude Sonnet 4.6 (the newest Sonnet with public figures), one call after another.
SECONDS_TO_FIRST_TOKEN: Final = 1.24
TOKENS_A_SECOND: Final = 86.1
# The fake counts a token for four bytes; tokenizers since Claude 4.7 make about 30 % more than those before
# (platform.claude.com, "Pricing").
REAL_TOKENS: Final = 1.3
SECONDS_OF_A_PROMPT_CACHE: Final = 300.0  # platform.claude.com, "Prompt caching"
LONGEST_COMPLETION: Final = 4096  # shopping_bot/backends/claude.py, MAXIMUM_TOKENS

# Lambda's own two lines in JSON, platform.start and platform.report, and what CloudWatch adds to each line
# (Amazon CloudWatch Logs API Reference, "PutLogEvents": 26 bytes an event).
PLATFORM_LINES: Final = 2
PLATFORM_BYTES: Final = 650
EVENT_OVERHEAD_BYTES: Final = 26
RETENTION_MONTHS: Final = 1.0
TRACED_SHARE: Final = 0.05  # and the first request of each second (AWS X-Ray Developer Guide, "Sampling rules")
SECRETS: Final = 2  # one for each function
SECONDS_OF_A_SECRET: Final = 300.0  # shopping_bot/backends/secrets.py and app/api_key.py
ANSWER_OVERHEAD_BYTES: Final = 500  # status line and headers

# A deployment leaves the version before it (pipeline/function_versions.py). A snapshot is billed for as long as its
# version exists, and for three hours at least (aws.amazon.com/lambda/pricing, "Lambda SnapStart Pricing").
VERSIONS_WITH_A_SNAPSHOT: Final = 2
LEAST_HOURS_OF_A_SNAPSHOT: Final = 3

ZONES: Final = 2
TASK_PROCESSORS: Final = 0.5
TASK_GIGABYTES: Final = 1.0
TASK_UTILISATION: Final = 0.6
CHATS_AT_ONCE_OF_A_TASK: Final = 40
PEAK_OVER_MEAN: Final = 5.0
REQUESTS_A_SECOND_OF_A_BALANCER_UNIT: Final = 25  # new connections; rules and bytes stay below
NAT_BYTES_OF_A_CLAUDE_CALL: Final = 24_000  # request and answer; the request repeats prompt, tools and conversation
