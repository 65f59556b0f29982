import re

import pytest

from emulator.engine.report import end_line, init_report_line, iso_now, report_line, start_line

# samcli/local/docker/container.py, Container._handle_data_writing
SAM_PATTERN = r"(.*\s)?REPORT RequestId:\s.+ Duration:\s.+\sMemory Size:\s.+\sMax Memory Used:\s.+"


def test_the_first_report_of_an_environment_tells_its_init() -> None:
    line = report_line("id-1", duration_ms=12.344, memory_mb=512, max_memory_bytes=88 * 1024 * 1024, init_ms=432.1)
    assert line == (
        "REPORT RequestId: id-1\tDuration: 12.34 ms\tBilled Duration: 445 ms\tMemory Size: 512 MB\t"
        "Max Memory Used: 88 MB\tInit Duration: 432.10 ms"
    )


def test_later_reports_bill_the_invocation_alone() -> None:
    line = report_line("id-2", duration_ms=12.344, memory_mb=512, max_memory_bytes=1)
    assert line == (
        "REPORT RequestId: id-2\tDuration: 12.34 ms\tBilled Duration: 13 ms\tMemory Size: 512 MB\tMax Memory Used: 1 MB"
    )


@pytest.mark.parametrize(
    ("status", "error_type", "end"),
    [
        ("timeout", None, "\tStatus: timeout"),
        ("error", "Runtime.ExitError", "\tStatus: error\tError Type: Runtime.ExitError"),
    ],
)
def test_a_report_tells_what_went_wrong(status: str, error_type: str | None, end: str) -> None:
    line = report_line("i", duration_ms=1, memory_mb=128, max_memory_bytes=0, status=status, error_type=error_type)
    assert line.endswith(end)
    assert re.match(SAM_PATTERN, line)


def test_used_memory_is_never_more_than_there_is() -> None:
    assert "Max Memory Used: 128 MB" in report_line("i", duration_ms=1, memory_mb=128, max_memory_bytes=10**10)


def test_sam_waits_for_the_report_line_and_no_other() -> None:
    report = report_line("i", duration_ms=0.5, memory_mb=128, max_memory_bytes=5)
    assert re.match(SAM_PATTERN, report + "\n")
    init = init_report_line(duration_ms=10_000, phase="init", status="timeout")
    for line in (start_line("i"), end_line("i"), init):
        assert not re.match(SAM_PATTERN, line)
    assert init == "INIT_REPORT Init Duration: 10000.00 ms\tPhase: init\tStatus: timeout"


def test_times_are_iso_with_milliseconds() -> None:
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z", iso_now())
