"""The SAM project that is emulated: where it is, what its settings say, and where its local run keeps things."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Final

from emulator.errors import EmulatorError
from emulator.project.declaration import AWS_ENDPOINT, Declaration, read_declaration
from sam_template import DEFAULT_REGION, Template, TemplateError
from sam_template.parameter_overrides import parse
from sam_template.samconfig import SamConfig

TEMPLATES: Final = ("template.yaml", "template.yml")
"""What a project's template is called when nobody names one; the first that is there is taken."""
CACHE_VARIABLE: Final = "SAM_EMULATOR_CACHE"
STATE: Final = Path(".aws-sam", "emulator")
"""Where the state of a project's local run is, below its root: projects of SAM ignore .aws-sam already."""


@dataclass(frozen=True)
class Project:
    """A SAM project and the settings of its local run.

    `parameters` are the values that a local run gives the template's parameters. `overrides` are those of them that the
    command line named, as it had them.
    """

    root: Path
    template: Path
    samconfig: SamConfig
    declaration: Declaration
    parameters: Mapping[str, str]
    overrides: tuple[str, ...] = ()

    @classmethod
    def open(cls, root: Path, template: Path | None = None, overrides: Sequence[str] = ()) -> Project:
        """Return the project in the folder `root`; `template` is relative to it.

        A parameter's value is that of `overrides` (`--parameter-overrides`, in either of SAM's forms), else the one of
        samconfig's local commands, else the one of emulator.toml. Raises EmulatorError.
        """
        root = root.resolve()
        if not root.is_dir():
            raise EmulatorError(f"There is no folder {root}: name that of a SAM project with --project.")
        path = _template(root, template)
        try:
            samconfig, declaration = SamConfig.read(root), read_declaration(root)
            static = {name: value for name, value in declaration.parameters.items() if value != AWS_ENDPOINT}
            parameters = {**static, **samconfig.local_parameters(), **parse(list(overrides), Path.cwd())}
        except TemplateError as error:
            raise EmulatorError(str(error)) from error
        return cls(root, path, samconfig, declaration, parameters, tuple(overrides))

    @cached_property
    def region(self) -> str:
        """The region of the local commands in samconfig, else of the environment, else us-east-1."""
        named = self.samconfig.region or os.environ.get("AWS_REGION") or os.environ.get("AWS_DEFAULT_REGION")
        return named or DEFAULT_REGION

    @property
    def stack_name(self) -> str:
        """The name of the local stack, from which the names of its resources are made."""
        return self.declaration.stack_name or "local"

    @property
    def state(self) -> Path:
        """The folder of the local run."""
        return self.declaration.state or self.root / STATE

    @property
    def installed(self) -> Path:
        """The folder of what the emulator installs: MiniStack, runtime clients; projects share it."""
        if self.declaration.installed:
            return self.declaration.installed
        cache = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "sam-emulator"
        return Path(os.environ.get(CACHE_VARIABLE) or cache).absolute()

    @property
    def models(self) -> Path:
        """The folder in which the models of AWS services are kept for the next start."""
        return self.installed / "models"

    @property
    def built(self) -> Path:
        """The folder of what `sam build` made last."""
        named = self.samconfig.setting("build", "build_dir")
        return self.root / (named if isinstance(named, str) else Path(".aws-sam", "build"))

    def load_template(self) -> Template:
        """Return the template with the parameters of a local run. Raises TemplateError, EmulatorError."""
        cache = self.installed / "translations"
        template = Template.load(self.template, self.parameters, cache=cache, region=self.region)
        self.declaration.check(template)
        return template

    def arguments(self) -> list[str]:
        """Return the options by which another process of the emulator opens this project."""
        named = ["--project", str(self.root), "--template", str(self.template)]
        return [*named, *(f"--parameter-overrides={one}" for one in self.overrides)]


def _template(root: Path, named: Path | None) -> Path:
    candidates = [root / named] if named else [root / name for name in TEMPLATES]
    found = next((path for path in candidates if path.is_file()), None)
    if found is None:
        raise EmulatorError(
            f"There is no {' and no '.join(path.name for path in candidates)} in {candidates[0].parent}: go to the "
            "folder of a SAM project, or name it with --project and its template with --template."
        )
    return found.resolve()
