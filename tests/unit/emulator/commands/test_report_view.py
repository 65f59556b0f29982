import json
from typing import Any

from emulator.commands import report_view
from emulator.metrics import lambda_prices

FUNCTION: dict[str, Any] = {
    "function": "Greeter",
    "architecture": "arm64",
    "memory_mb": 256,
    "inits": {"count": 2, "failed": 1, "p50_ms": 310.0, "p95_ms": 350.0, "p99_ms": 350.0, "max_ms": 350.0},
    "invocations": 1000,
    "errors": 3,
    "timeouts": 1,
    "warm": {"count": 990, "p50_ms": 1.25, "p95_ms": 4.0, "p99_ms": 120.4, "max_ms": 130.0},
    "peak_memory_bytes": 64 * 1024 * 1024,
    "billed_ms": 5000,
    "dollars": 0.0002,
    "dollars_a_million": 0.2,
    "imports": {"total_ms": 290.0, "packages": [{"package": "fastapi", "own_ms": 85.2, "total_ms": 170.0}]},
    "environments": {"count": 2, "rss_bytes": 60 * 1024 * 1024, "pss_bytes": 41 * 1024 * 1024},
}
REPORT: dict[str, Any] = {
    "uptime_seconds": 7384.0,
    "functions": [FUNCTION],
    "routes": [
        {
            "api": "Api",
            "server": "gateway",
            "route": "GET /greeting",
            "requests": 900,
            "client_errors": 2,
            "server_errors": 1,
        }
    ],
    "denied_calls": ["Greeter may not call s3:GetObject on arn:aws:s3:::x/y (denied so far: 2)"],
    "prices": lambda_prices.described(),
}


def test_it_says_what_a_function_did() -> None:
    text = report_view.render(REPORT)
    assert text.splitlines()[0] == "Up for 2 h 3 min."
    for sentence in (
        "Greeter (256 MB, arm64)",
        "inits        2, 1 failed; p50 310 ms, longest 350 ms",
        "imports      290 ms: fastapi 85",
        "invocations  1000; 3 errors, 1 of them timeouts",
        "warm         p50 1.2 ms, p95 4.0 ms, p99 120 ms",
        "memory       peak 64 MiB of 256 MiB; an environment takes 41 MiB PSS, 60 MiB RSS (2 now)",
        "billed       5000 ms, $0.000200; $0.20 a million invocations",
    ):
        assert f"{sentence}\n" in text


def test_it_says_what_routes_answered_and_what_iam_denied() -> None:
    text = report_view.render(REPORT)
    assert "GET /greeting       900    2    1  gateway (Api)\n" in text
    assert "Greeter may not call s3:GetObject" in text
    assert "us-east-1" in text


def test_nothing_done_is_said() -> None:
    text = report_view.render({**REPORT, "functions": [], "routes": [], "denied_calls": []})
    for sentence in ("No function has run.", "No request came to an API.", "IAM denied no call."):
        assert sentence in text


def test_a_function_that_only_failed_has_no_durations() -> None:
    nothing = {"count": 0, "p50_ms": None, "p95_ms": None, "p99_ms": None, "max_ms": None}
    failed = {
        **FUNCTION,
        "inits": {**nothing, "failed": 1},
        "warm": nothing,
        "dollars_a_million": None,
        "imports": {"error": "Its init failed."},
        "environments": {"count": 0, "rss_bytes": None, "pss_bytes": None},
    }
    text = report_view.render({**REPORT, "functions": [failed]})
    assert "inits        0, 1 failed; p50 -, longest -" in text
    assert "imports      Its init failed." in text
    assert "no environment now" in text


def test_it_fits_a_screen() -> None:
    package = FUNCTION["imports"]["packages"][0]
    packages = [{**package, "package": f"a_rather_long_package_{number}"} for number in range(10)]
    long = json.loads(json.dumps(FUNCTION)) | {"imports": {"total_ms": 290.0, "packages": packages}}
    lines = report_view.render({**REPORT, "functions": [long, long]}).splitlines()
    assert len(lines) < 40
    assert max(map(len, lines)) <= 110
