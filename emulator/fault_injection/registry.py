"""The proxies by their backing services' names, and the text form that sets their faults."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from emulator.fault_injection.fault import FORMS, NONE, Fault, FaultError
from emulator.fault_injection.proxy import Proxy

EVERY: Final = "all"


class Faults:
    """Sets and tells the faults of `proxies`."""

    def __init__(self, proxies: Mapping[str, Proxy]) -> None:
        self._proxies = dict(proxies)

    async def apply(self, text: str) -> None:
        """Set what `text` says: `redis=refuse`, several behind each other, `all=none`.

        Raises FaultError, a sentence; then no fault was changed.
        """
        faults: dict[str, Fault] = {}
        if not text.split():
            raise FaultError(
                f"Name a backing service and a fault, for example redis=refuse: {self._names()} can be {FORMS}."
            )
        for assignment in text.split():
            name, separator, form = assignment.partition("=")
            if not separator:
                raise FaultError(f"'{assignment}' sets no fault: write SERVICE=FAULT, for example redis=refuse.")
            if name != EVERY and name not in self._proxies:
                raise FaultError(
                    f"There is no backing service '{name}': there are {self._names()}, or {EVERY} of them."
                )
            fault = Fault.parse(form)
            for backing_service in self._proxies if name == EVERY else (name,):
                self._proxies[backing_service].check(fault)
                faults[backing_service] = fault
        for backing_service, fault in faults.items():
            await self._proxies[backing_service].set_fault(fault)

    async def clear(self) -> None:
        """End every fault."""
        for proxy in self._proxies.values():
            await proxy.set_fault(NONE)

    def describe(self) -> dict[str, str]:
        """Return each backing service's fault as text, `none` where there is none."""
        return {name: proxy.describe() for name, proxy in self._proxies.items()}

    def _names(self) -> str:
        return ", ".join(self._proxies)
