"""List prices of us-east-1 on PRICED_ON, in dollars, before tax and free tiers; each says where it was read."""

from __future__ import annotations

from typing import Final, NamedTuple

from emulator.metrics import lambda_prices

PRICED_ON: Final = "2026-11-21"
REGION: Final = "us-east-1"
_PRICE_LIST: Final = "AWS Price List API, us-east-1, as transcribed on 2026-09-24"
_PRIVATE_ENDPOINTS: Final = "aws.amazon.com/privatelink/pricing"
_ENDPOINTS_RECALLED: Final = "$0.01 an hour recalled, 2026-11-21; per GB"
_SONNET: Final = "platform.claude.com, Claude Sonnet 5.5, Pricing"


class Price(NamedTuple):
    """An amount in dollars for one `unit`, and its source."""

    dollars: float
    unit: str
    source: str


PRICES: Final[dict[str, Price]] = {
    "Lambda requests": Price(
        lambda_prices.DOLLARS_A_MILLION_REQUESTS, "million", f"{_PRICE_LIST} (AWSLambda, published 2026-09-19)"
    ),
    "Lambda duration, arm64": Price(
        lambda_prices.DOLLARS_A_GIGABYTE_SECOND["arm64"],
        *("GB-s", f"{_PRICE_LIST} (AWSLambda); init billed since 2025-08-01"),
    ),
    "SnapStart cache": Price(0.0000015046, "GB-s", f"{_PRICE_LIST} (AWSLambda); aws.amazon.com/lambda/pricing"),
    "SnapStart restore": Price(0.0001397998, "GB", f"{_PRICE_LIST} (AWSLambda); aws.amazon.com/lambda/pricing"),
    "HTTP API requests": Price(1.00, "million", f"{_PRICE_LIST} (AmazonApiGateway, published 2026-09-21)"),
    "DynamoDB read units": Price(0.125, "million", f"{_PRICE_LIST} (AmazonDynamoDB, published 2026-09-11)"),
    "DynamoDB write units": Price(0.625, "million", f"{_PRICE_LIST} (AmazonDynamoDB, published 2026-09-11)"),
    "S3 GET and HEAD": Price(0.40, "million", f"{_PRICE_LIST} (AmazonS3, published 2026-09-18)"),
    "Log ingestion": Price(0.50, "GB", f"{_PRICE_LIST} (AmazonCloudWatch, published 2026-09-22)"),
    "Log storage": Price(0.03, "GB-month", f"{_PRICE_LIST} (AmazonCloudWatch)"),
    "Metrics": Price(0.30, "month", "signoz.io/guides/cloudwatch-pricing, 2026-02-15; by the hour: CloudWatch pricing"),
    "Alarms": Price(0.10, "month", f"{_PRICE_LIST} (AmazonCloudWatch)"),
    "Dashboards": Price(3.00, "month", "factualminds.com, Amazon CloudWatch Pricing, 2026-06-13"),
    "Traces": Price(5.00, "million", "aws.amazon.com/xray/pricing"),
    "Secrets": Price(0.40, "month", "aws.amazon.com/secrets-manager/pricing, as transcribed on 2026-09-20"),
    "Secrets Manager calls": Price(
        5.00, "million", "aws.amazon.com/secrets-manager/pricing, as transcribed on 2026-09-20"
    ),
    "Transfer to the internet": Price(0.09, "GB", f"{_PRICE_LIST} (AWSDataTransfer, published 2026-09-16)"),
    "Fargate processor, arm64": Price(0.03238, "vCPU-hour", "vantage.sh/blog/fargate-pricing"),
    "Fargate memory, arm64": Price(0.00356, "GB-hour", "vantage.sh/blog/fargate-pricing"),
    "Load balancer": Price(0.0225, "hour", "awsnegotiations.com/elastic-load-balancer-cost.html, 2026-05"),
    "Load balancer units": Price(0.008, "LCU-hour", "awsnegotiations.com/elastic-load-balancer-cost.html, 2026-05"),
    "NAT gateway": Price(0.045, "hour", "leanopstech.com/blog/aws-data-transfer-pricing-2026, 2026-04-27"),
    "NAT traffic": Price(0.045, "GB", "leanopstech.com/blog/aws-data-transfer-pricing-2026, 2026-04-27"),
    "Public IPv4 address": Price(0.005, "hour", "recalled, 2026-11-21"),
    "Interface endpoint": Price(0.01, "hour", f"{_ENDPOINTS_RECALLED}: {_PRIVATE_ENDPOINTS}"),
    "Claude input": Price(2.00, "million tokens", _SONNET),
    "Claude cache write": Price(2.50, "million tokens", f"{_SONNET} (kept for five minutes)"),
    "Claude cache read": Price(
        0.10, "million tokens", "since 2026-10-07; github.com/kurofune/claudit v1.9.2, 2026-10-24"
    ),
    "Claude output": Price(10.00, "million tokens", _SONNET),
}


def dollars(name: str, units: float) -> float:
    """Return what `units` of `name` cost; millions are counted in ones."""
    price = PRICES[name]
    return price.dollars * units / (1_000_000 if price.unit.startswith("million") else 1)
