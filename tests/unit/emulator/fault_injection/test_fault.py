"""The text that names a fault, and the sentence that a wrong one gets."""

from __future__ import annotations

import pytest

from emulator.fault_injection.fault import Fault, FaultError, Kind


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ("none", Fault()),
        ("refuse", Fault(Kind.REFUSE)),
        ("stall@5", Fault(Kind.STALL, seconds=5)),
        ("slow:2000", Fault(Kind.SLOW, delay_ms=2000)),
        ("slow:50@1.5", Fault(Kind.SLOW, delay_ms=50, seconds=1.5)),
        ("error", Fault(Kind.ERROR)),
        ("error:529", Fault(Kind.ERROR, error="529")),
        ("error:529x3", Fault(Kind.ERROR, error="529", count=3)),
        ("error:LOADINGx2@10", Fault(Kind.ERROR, error="LOADING", count=2, seconds=10)),
    ],
)
def test_a_fault_is_read_and_written_alike(text: str, fault: Fault) -> None:
    assert Fault.parse(text) == fault
    assert str(fault) == text


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("", "'' is no fault: use none, refuse, stall"),
        ("broken", "'broken' is no fault"),
        ("slow", "does not say how slow: use slow:MILLISECONDS"),
        ("slow:soon", "does not say how slow"),
        ("slow:0", "does not say how slow"),
        ("slow:99999999", "does not say how slow"),
        ("refuse:500", "says too much: refuse takes nothing behind a colon"),
        ("error:529x0", "counts what cannot be counted"),
        ("slow:5x3", "counts what cannot be counted"),
        ("stall@soon", "is no fault"),
    ],
)
def test_a_wrong_one_gets_one_sentence(text: str, sentence: str) -> None:
    with pytest.raises(FaultError, match=sentence.replace("'", ".")) as caught:
        Fault.parse(text)
    assert str(caught.value).endswith(".")
    assert "\n" not in str(caught.value)
