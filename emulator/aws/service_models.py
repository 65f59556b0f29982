"""The models from which botocore makes its clients, read in a tenth of the time.

A model is compressed JSON, two thirds of it documentation. The rest is kept in a form that loads faster, named for
what it was read from, and the next start reads that. A kept file that is damaged counts as none.
"""

from __future__ import annotations

import contextlib
import hashlib
import marshal
import os
import sys
from pathlib import Path
from typing import Any, Final

from botocore.exceptions import DataNotFoundError, UnknownServiceError
from botocore.loaders import JSONFileLoader, Loader, instance_cache

KEPT_MODELS: Final = 256
"""Files that are kept at most; those that were written first are removed."""
_ENDINGS: Final = (".json", ".json.gz")
_DIGEST_LENGTH: Final = 32
_SERVICE: Final = "service-2"
_DOCUMENTED: Final = ("operations", "shapes")
"""The members of a service whose documentation is left out; botocore asks for that of some others."""


class ServiceModels(Loader):
    """botocore's loader, of the models that botocore brings alone, that does not list them all to find one.

    `kept` is the folder of the kept models; None keeps none.
    """

    def __init__(self, kept: Path | None) -> None:
        super().__init__([self.BUILTIN_DATA_PATH], _KeptFiles(kept), include_default_search_paths=False)

    def preload(self, service_name: str) -> None:
        """Read what a client of a service is made of."""
        for name in ("endpoints", "partitions", "sdk-default-configuration", "_retry"):
            self.load_data(name)
        for type_name in (_SERVICE, "endpoint-rule-set-1"):
            self.load_service_model(service_name, type_name, api_version=None)

    @instance_cache
    def load_service_model(self, service_name: str, type_name: str, api_version: str | None = None) -> Any:
        """Return the newest model of a service. Raises UnknownServiceError for one that does not exist."""
        if api_version is None:
            try:
                api_version = self.determine_latest_version(service_name, type_name)
            except DataNotFoundError:
                known = ", ".join(self.list_available_services(type_name))
                raise UnknownServiceError(service_name=service_name, known_service_names=known) from None
        model = self.load_data(os.path.join(service_name, api_version, type_name))  # noqa: PTH118 botocore's names
        loader: Any = self  # whose stubs lack what follows
        extras = loader._find_extras(service_name, type_name, api_version)  # noqa: SLF001
        loader._extras_processor.process(model, extras)  # noqa: SLF001
        return model


class _KeptFiles(JSONFileLoader):
    """Reads the JSON file of a name without its ending, from `folder` when it is kept there."""

    def __init__(self, folder: Path | None) -> None:
        self._folder = folder

    def load_file(self, file_path: str) -> Any:
        """Return what is in the file, a service without its documentation, None when there is no file."""
        source = next((file_path + ending for ending in _ENDINGS if os.path.isfile(file_path + ending)), None)  # noqa: PTH113
        if source is None:
            return None
        if self._folder is None:
            return super().load_file(file_path)
        stat = os.stat(source)  # noqa: PTH116
        name = repr((source, stat.st_mtime_ns, stat.st_size, sys.version_info[:2], marshal.version))
        kept = self._folder / f"{hashlib.sha256(name.encode()).hexdigest()}.model"
        with contextlib.suppress(OSError, ValueError, EOFError, TypeError):
            return _read(kept)
        model = _plain(super().load_file(file_path))
        if Path(file_path).name == _SERVICE:
            model |= {member: _without_documentation(model[member]) for member in _DOCUMENTED if member in model}
        _keep(kept, model)
        return model


def _read(kept: Path) -> Any:
    """Return what `_keep` wrote. Raises OSError or ValueError when it is not there, or something else is."""
    content = memoryview(kept.read_bytes())
    digest, body = content[:_DIGEST_LENGTH], content[_DIGEST_LENGTH:]
    if hashlib.sha256(body).digest() != digest:
        raise ValueError(f"{kept} is damaged.")
    return marshal.loads(body)  # noqa: S302 the digest says that this emulator wrote it, and the folder is its user's


def _keep(kept: Path, model: Any) -> None:
    """Write the model for the next start; a folder that cannot be written costs time, nothing else."""
    with contextlib.suppress(OSError):
        kept.parent.mkdir(parents=True, exist_ok=True)
        body = marshal.dumps(model)
        draft = kept.with_suffix(f".{os.getpid()}.draft")
        draft.write_bytes(hashlib.sha256(body).digest() + body)
        draft.replace(kept)
        by_age = sorted(kept.parent.glob("*.model"), key=lambda file: file.stat().st_mtime, reverse=True)
        for old in by_age[KEPT_MODELS:]:
            old.unlink(missing_ok=True)


def _plain(value: Any) -> Any:
    """Return JSON made of dictionaries and lists alone."""
    if isinstance(value, dict):
        return {name: _plain(member) for name, member in value.items()}
    return [_plain(member) for member in value] if isinstance(value, list) else value


def _without_documentation(value: Any) -> Any:
    """Return JSON without the texts that only people read. A shape may have the same name."""
    if isinstance(value, dict):
        return {
            name: _without_documentation(member)
            for name, member in value.items()
            if not (name == "documentation" and isinstance(member, str))
        }
    return [_without_documentation(member) for member in value] if isinstance(value, list) else value
