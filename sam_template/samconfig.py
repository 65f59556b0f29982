"""The configuration file of SAM CLI, as far as a local run needs it: its default environment.

Source: AWS SAM Developer Guide, "AWS SAM CLI configuration file"; SAM CLI 1.170, `samcli/lib/config/samconfig.py`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from sam_template.parameter_overrides import parse, read_document
from sam_template.translation import TemplateError

NAMES: Final = ("samconfig.toml", "samconfig.yaml", "samconfig.yml")
"""What the file may be called; the first that is there is read."""
_LOCAL_COMMANDS: Final = ("local_invoke", "local_start_lambda", "local_start_api")


@dataclass(frozen=True)
class SamConfig:
    """What the file at `path` says; without a file nothing."""

    path: Path | None = None
    _environment: Mapping[str, Any] = field(default_factory=dict)

    @classmethod
    def read(cls, folder: Path) -> SamConfig:
        """Return the configuration in `folder`. Raises TemplateError for a file that cannot be read."""
        path = next((folder / name for name in NAMES if (folder / name).is_file()), None)
        if path is None:
            return cls()
        document = read_document(path)
        environment = document.get("default", {}) if isinstance(document, Mapping) else None
        if not isinstance(environment, Mapping):
            raise TemplateError(f"{path} must have a table `default`, as SAM writes it: correct it.")
        return cls(path, environment)

    def setting(self, command: str, name: str) -> Any:
        """Return a setting of `command` (`build`, `local_start_api`), else the one of all commands, else None."""
        for section in (command, "global"):
            table = self._environment.get(section)
            parameters = table.get("parameters") if isinstance(table, Mapping) else None
            if isinstance(parameters, Mapping) and name in parameters:
                return parameters[name]
        return None

    @property
    def region(self) -> str:
        """The region of local commands, else that of deployments, "" when the file names none."""
        return str(self.setting("local_start_api", "region") or self.setting("deploy", "region") or "")

    def local_parameters(self) -> dict[str, str]:
        """Return the parameters that the local commands override. Raises TemplateError for what SAM does not take."""
        found: dict[str, str] = {}
        for command in _LOCAL_COMMANDS:
            found |= parse(self.setting(command, "parameter_overrides"), self.path.parent if self.path else Path())
        return found
