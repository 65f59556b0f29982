"""The relays by their neighbours' names, and the text form that sets their faults."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from emulator.neighbours.faults.fault import FORMS, NONE, Fault, FaultError
from emulator.neighbours.faults.relay import Relay

EVERY: Final = "all"


class Faults:
    """Sets and tells the faults of `relays`."""

    def __init__(self, relays: Mapping[str, Relay]) -> None:
        self._relays = dict(relays)

    async def apply(self, text: str) -> None:
        """Set what `text` says: `redis=refuse`, several behind each other, `all=none`.

        Raises FaultError, a sentence; then no fault was changed.
        """
        faults: dict[str, Fault] = {}
        if not text.split():
            raise FaultError(f"Name a neighbour and a fault, for example redis=refuse: {self._names()} can be {FORMS}.")
        for assignment in text.split():
            name, separator, form = assignment.partition("=")
            if not separator:
                raise FaultError(f"'{assignment}' sets no fault: write NEIGHBOUR=FAULT, for example redis=refuse.")
            if name != EVERY and name not in self._relays:
                raise FaultError(f"There is no neighbour '{name}': there are {self._names()}, or {EVERY} of them.")
            fault = Fault.parse(form)
            for neighbour in self._relays if name == EVERY else (name,):
                self._relays[neighbour].check(fault)
                faults[neighbour] = fault
        for neighbour, fault in faults.items():
            await self._relays[neighbour].set_fault(fault)

    async def clear(self) -> None:
        """End every fault."""
        for relay in self._relays.values():
            await relay.set_fault(NONE)

    def describe(self) -> dict[str, str]:
        """Return each neighbour's fault as text, `none` where there is none."""
        return {name: relay.describe() for name, relay in self._relays.items()}

    def _names(self) -> str:
        return ", ".join(self._relays)
