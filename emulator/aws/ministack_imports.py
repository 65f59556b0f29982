"""What MiniStack imports and reads at its start and does not need here. Loaded by `ministack_launcher.py`.

1. hypercorn, classes of which it changes when it is imported: uvicorn serves it here. uvicorn comes without its command
   line.
2. The system's certificates: its module of EventBridge makes a client of https for API destinations at once.
3. botocore and whole models of services: which type an answer has depends on the metadata of a model alone.

Together they are half of the processor time from its start to its first answers.
"""

from __future__ import annotations

import functools
import gzip
import importlib.util
import json
import ssl
import sys
import urllib.request
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any

_CLASSES = {
    "hypercorn": (),
    "hypercorn.config": ("Config",),
    "hypercorn.protocol": (),
    "hypercorn.protocol.events": ("EndBody", "Response"),
    "hypercorn.protocol.h11": ("H11Protocol",),
    "hypercorn.protocol.ws_stream": ("WSStream",),
}
"""The modules of hypercorn that MiniStack's `app.py` names at its top, and what it takes from each."""
_COMMAND_LINE = {"uvicorn.main": ("Server", "main", "run")}
"""What uvicorn's package takes from the module of its command line, which imports click and what starts processes."""
_METADATA_BYTES = 4096
"""Of a model: the metadata is its second member, and shorter."""


def leave_out_other_servers() -> None:
    """Put empty classes where hypercorn's and uvicorn's would be imported; anything else is a ModuleNotFoundError."""
    for name, classes in (_CLASSES | _COMMAND_LINE).items():
        module: Any = ModuleType(name)
        for each in classes:
            setattr(module, each, type(each, (), {}))
        sys.modules[name] = module


class HttpsOnDemand(urllib.request.HTTPSHandler):
    """`urllib.request.HTTPSHandler` that reads the system's certificates at the first request."""

    def __init__(self, debuglevel: int | None = None, context: Any = None, check_hostname: bool | None = None) -> None:
        if context is not None or check_hostname is not None:
            super().__init__(debuglevel or 0, context, check_hostname)
        else:
            urllib.request.AbstractHTTPHandler.__init__(self, debuglevel or 0)

    @functools.cached_property
    def _context(self) -> Any:
        return ssl.create_default_context()


def read_certificates_on_demand() -> None:
    """Have `urllib.request.build_opener`, which takes its handlers by their names, use `HttpsOnDemand`."""
    urllib.request.HTTPSHandler = HttpsOnDemand  # type: ignore[misc]


class DescribedService:
    """A botocore ServiceModel of which everything but the `metadata` is read when it is asked for."""

    def __init__(self, metadata: dict[str, str], whole: Callable[[], Any]) -> None:
        self.metadata = metadata
        self._whole = whole

    def __getattr__(self, name: str) -> Any:
        """Return what the whole model has."""
        return getattr(self._whole(), name)


def quick_service_model(responses: Any) -> Callable[[str], Any]:
    """Return what may stand for `_service_model` of `ministack.core.responses`, which returns None for no service."""
    whole, names = responses._service_model, responses._BOTOCORE_NAME  # noqa: SLF001

    @functools.cache
    def service_model(service: str) -> Any:
        metadata = described(names.get(service, service))
        return whole(service) if metadata is None else DescribedService(metadata, functools.partial(whole, service))

    return service_model


def described(service: str) -> dict[str, str] | None:
    """Return the metadata of the newest model that botocore has of `service`, None where it is not found.

    Source: botocore, `loaders.py` ("Directory Layout"): `data/<service>/<date>/service-2.json`, also compressed.
    """
    package = importlib.util.find_spec("botocore")
    locations = (package.submodule_search_locations if package else None) or ["/nowhere"]
    folder = Path(locations[0], "data", Path(service).name)
    try:
        newest = max(folder.iterdir())
        with gzip.open(newest / "service-2.json.gz", "rt", encoding="utf-8") as file:
            head = file.read(_METADATA_BYTES)
        found, _ = json.JSONDecoder().raw_decode(head, head.index("{", head.index('"metadata"')))
    except (OSError, ValueError):
        return None
    return found if isinstance(found, dict) else None
