"""A fault, and the text that names one: `none`, `refuse`, `stall`, `slow:2000`, `error:529x3`, each with `@SECONDS`."""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import Enum
from typing import Final, Self

from emulator.errors import EmulatorError

_FORM: Final = re.compile(
    r"(?P<kind>[a-z]+)(?::(?P<detail>[A-Za-z0-9]+?)(?:x(?P<count>\d+))?)?(?:@(?P<seconds>\d+(?:\.\d+)?)s?)?"
)
_LONGEST_DELAY_MS: Final = 600_000
FORMS: Final = "none, refuse, stall, slow:MILLISECONDS or error:STATUS[xCOUNT], and @SECONDS behind it for a while only"


class FaultError(EmulatorError):
    """A fault that does not exist; the message is one sentence."""


class Kind(Enum):
    """What a proxy does with its backing service's clients."""

    NONE = "none"
    REFUSE = "refuse"
    """Nothing listens; open connections are reset."""
    STALL = "stall"
    """Connections are accepted, nothing is answered."""
    SLOW = "slow"
    """Each answer comes later."""
    ERROR = "error"
    """Each request is answered with an error."""


@dataclass(frozen=True)
class Fault:
    """What is wrong with a backing service.

    `delay_ms` is for SLOW. `error` is for ERROR: an HTTP status, or the first word of a Redis error; "" means the
    protocol's usual one. `count` errors later, or `seconds` later, the fault is over by itself; None means not.
    """

    kind: Kind = Kind.NONE
    delay_ms: int = 0
    error: str = ""
    count: int | None = None
    seconds: float | None = None

    @classmethod
    def parse(cls, text: str) -> Self:
        """Return the fault that `text` names. Raises FaultError."""
        form = _FORM.fullmatch(text.strip())
        kinds = {kind.value: kind for kind in Kind}
        if form is None or form["kind"] not in kinds:
            raise FaultError(f"'{text}' is no fault: use {FORMS}.")
        kind, detail = kinds[form["kind"]], form["detail"] or ""
        if kind is Kind.SLOW:
            if not detail.isdigit() or not 0 < int(detail) <= _LONGEST_DELAY_MS:
                raise FaultError(f"'{text}' does not say how slow: use slow:MILLISECONDS, for example slow:2000.")
        elif detail and kind is not Kind.ERROR:
            raise FaultError(f"'{text}' says too much: {kind.value} takes nothing behind a colon.")
        if form["count"] is not None and (kind is not Kind.ERROR or int(form["count"]) == 0):
            raise FaultError(
                f"'{text}' counts what cannot be counted: use error:STATUSxCOUNT, for example error:529x3."
            )
        return cls(
            kind=kind,
            delay_ms=int(detail) if kind is Kind.SLOW else 0,
            error=detail if kind is Kind.ERROR else "",
            count=int(form["count"]) if form["count"] else None,
            seconds=float(form["seconds"]) if form["seconds"] else None,
        )

    def __str__(self) -> str:
        text = self.kind.value
        if self.kind is Kind.SLOW:
            text += f":{self.delay_ms}"
        if self.error or self.count is not None:
            text += f":{self.error}" + (f"x{self.count}" if self.count is not None else "")
        return text if self.seconds is None else f"{text}@{self.seconds:g}"


NONE: Final = Fault()
