"""The cost page says what the program computes, and the program computes what a hand does."""

from __future__ import annotations

import inspect
import math
from collections.abc import Mapping

import pytest
from app.routes import items
from shopping_bot.backends import claude

from benchmarks.cost import measured, page, traffic
from benchmarks.cost.bill import (
    SECONDS,
    bill,
    billed_seconds,
    break_even,
    claude_seconds,
    cold_share,
    hours_with,
    tasks,
    traced,
)
from benchmarks.cost.measured import Measured, Request
from benchmarks.cost.prices import PRICES, dollars
from lambda_http import json_secret


def plain(**tokens: float) -> Measured:
    """A shop whose every request takes 10 ms and leaves 1 000 bytes; a chat calls Claude twice."""
    request = Request(handler_ms=10, log_bytes=948, log_lines=2, answer_bytes=500, keys_read=0, metrics=4)
    chat = Request(10, 948, 2, 500, 0, 4, claude_calls=2, tokens={**dict.fromkeys(TOKENS, 0.0), **tokens})
    return Measured(
        date="2026-11-21",
        commit="0",
        requests={**dict.fromkeys(traffic.MIX, request), "POST /chat": chat},
        item_bytes=200,
        access_log_bytes=300,
        init_ms={"inventory": 500, "shopbot": 500},
        first_ms=0,
        megabytes={"inventory": 1769, "shopbot": 1769},
        alarms=3,
    )


TOKENS = ("input_tokens", "cache_read_input_tokens", "output_tokens")
MILLION = 1_000_000


def test_the_page_says_what_the_program_computes() -> None:
    text = page.PAGE.read_text(encoding="utf-8")

    assert text == page.replace(text, page.computed(measured.read())), "Run: python -m benchmarks.cost --write"


def test_each_price_has_a_source() -> None:
    assert all(price.source and price.dollars > 0 for price in PRICES.values())


def test_what_is_assumed_of_the_functions_is_what_they_declare() -> None:
    page_size = inspect.signature(items.list_items).parameters["limit"].default

    assert traffic.LONGEST_COMPLETION == claude.MAXIMUM_TOKENS
    assert traffic.SECONDS_OF_A_SECRET == json_secret.LIFETIME_SECONDS
    assert page_size + 1 == traffic.LISTED_ITEMS, "one more shows whether there is a next page"


def test_shares_add_up() -> None:
    assert math.isclose(sum(traffic.MIX.values()), 1)


@pytest.mark.parametrize(
    ("name", "units", "expected"),
    [("Lambda requests", 3 * MILLION, 0.60), ("Log ingestion", 4, 2.00), ("Claude output", 500_000, 5.00)],
)
def test_millions_are_counted_in_ones(name: str, units: float, expected: float) -> None:
    assert math.isclose(dollars(name, units), expected)


def test_a_function_with_half_a_processor_takes_twice_as_long() -> None:
    whole = plain()
    half = Measured(**{**vars(whole), "megabytes": {"inventory": 1769 / 2, "shopbot": 1769}})

    assert math.isclose(billed_seconds("GET /inventory", whole), 0.010)
    assert math.isclose(billed_seconds("GET /inventory", half), 0.020)
    assert math.isclose(billed_seconds("GET /health", half), 0.010)


def test_a_chat_waits_for_each_call_and_each_token() -> None:
    request = plain(output_tokens=86.1 / 1.3).requests["POST /chat"]

    assert math.isclose(claude_seconds(request), 2 * 1.24 + 1)


def test_rare_requests_are_cold_and_frequent_ones_are_not() -> None:
    one_in_six_minutes = SECONDS / 360

    assert math.isclose(cold_share(one_in_six_minutes), math.exp(-1))
    assert cold_share(100 * one_in_six_minutes) == 0.01


def test_hours_and_traces_of_few_and_many_requests() -> None:
    assert hours_with(0) == 0
    assert math.isclose(hours_with(730), 730 * (1 - math.exp(-1)))
    assert math.isclose(hours_with(MILLION), 730)
    # 100 a second: each first one, and 5 % of the other 99.
    assert math.isclose(traced(100 * SECONDS), SECONDS * (1 + 0.05 * 99))


def test_a_million_requests() -> None:
    month = bill(MILLION, plain())

    assert math.isclose(month.serverless["HTTP API"], 1.00)
    assert math.isclose(month.serverless["Lambda requests"], 0.20)
    # 1 000 000 x 10 ms, and 50 000 chats x 2 calls x 1.24 s, at 1769 / 1024 GB.
    assert math.isclose(month.serverless["Lambda duration"], (10_000 + 124_000) * 1769 / 1024 * 0.0000133334)
    # 1 000 bytes each with the overhead of two lines: 1 GB in and kept for a month.
    assert math.isclose(month.both["Logs of the functions"], 0.53)
    # Reads: 400 000 items and 150 000 pages at one unit; writes: 50 000 adjustments at three.
    assert math.isclose(month.both["DynamoDB"], 0.550 * 0.125 + 0.150 * 0.625)
    assert math.isclose(month.both["Alarms and dashboard"], 0.30 + 3.00)
    # 500 bytes and 500 of headers.
    assert math.isclose(month.both["Transfer to the internet"], 0.09)
    assert month.always_on["Fargate tasks"] == pytest.approx(4 * 730 * (0.5 * 0.03238 + 0.00356))


def test_tokens_of_a_million_requests() -> None:
    month = bill(MILLION, plain(input_tokens=1_000, output_tokens=100))

    assert month.claude["as the fake answers"] == pytest.approx(50_000 * 1.3 * (1_000 * 2 + 100 * 10) / MILLION)
    assert month.claude["every call writes all it may"] == pytest.approx(
        50_000 * (1.3 * 1_000 * 2 + 2 * 4096 * 10) / MILLION
    )


def test_the_first_call_of_a_lone_conversation_fills_the_prompt_cache() -> None:
    lone = bill(20, plain(cache_read_input_tokens=1_000))
    crowd = bill(100 * MILLION, plain(cache_read_input_tokens=1_000))

    # Of the eight calls of a conversation of four messages one writes what the others read.
    written, read = 1_000 / 8, 1_000 * 7 / 8
    assert lone.claude["as the fake answers"] == pytest.approx(1.3 * (written * 2.5 + read * 0.1) / MILLION, 1e-3)
    # Among many customers somebody always has just filled it.
    assert crowd.claude["as the fake answers"] == pytest.approx(5 * MILLION * 1.3 * 1_000 * 0.1 / MILLION)


def test_tasks_grow_with_the_peak() -> None:
    def asked(rate: float) -> Mapping[str, float]:
        return {route: share * rate * SECONDS for route, share in traffic.MIX.items()}

    assert tasks(asked(1), plain()) == 4
    # Peak 5 000 a second. Inventory: 63 % x 10 ms / 0.6 / 0.5; shopbot: 250 chats a second x 2.48 s / 40.
    assert tasks(asked(1_000), plain()) == 105 + 62


def test_break_even_is_where_the_bills_meet() -> None:
    figures = plain()
    point = break_even(figures, in_vpc=False)

    assert point is not None
    month = bill(point, figures)
    assert sum(month.serverless.values()) == pytest.approx(sum(month.always_on.values()), rel=0.01)


def test_a_page_without_markers_is_refused() -> None:
    with pytest.raises(ValueError, match="markers"):
        page.replace("# What a month costs\n", "")
