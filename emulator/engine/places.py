"""Where the process of a function finds its files: in a file system of its own, or else where this machine has them."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from emulator.engine.function import Function
from emulator.engine.image_build.pip_command import site_packages
from emulator.engine.mount_namespace.file_system import (
    HIDDEN,
    LAYERS_DIR,
    RAPID_DIR,
    RUNTIME_DIR,
    TASK_ROOT,
    TEMP_DIR,
    Bind,
    FileSystem,
)

_BOOTSTRAP = Path(__file__).with_name("bootstrap.py")
_CERTIFICATES = ("AWS_CA_BUNDLE", "CURL_CA_BUNDLE", "REQUESTS_CA_BUNDLE", "SSL_CERT_DIR", "SSL_CERT_FILE")
_HOST_NAMES = ("127.0.0.1 host.docker.internal",)
"""Under this name a container reaches what listens on the machine that it runs on."""


@dataclass(frozen=True)
class Places:
    """Paths as the process sees them.

    `layers` are searched in order. `interpreter_options` are the debugger's. `file_system` is what makes the paths
    true; without one they are this machine's.
    """

    interpreter: str
    bootstrap: str
    task_root: str
    runtime_dir: str
    temp_dir: str
    layers: tuple[str, ...]
    packages: tuple[str, ...]
    """Where Python packages are beside the code, in the order in which Lambda's runtime searches them."""
    interpreter_options: tuple[str, ...]
    file_system: FileSystem | None = None

    def of_container(self, path: str) -> list[str]:
        """Return where `path` of a container is: under /opt of every layer, without a file system of its own."""
        if self.file_system is not None:
            return [path]
        if path == LAYERS_DIR or path.startswith(f"{LAYERS_DIR}/"):
            return [f"{layer}{path.removeprefix(LAYERS_DIR)}" for layer in self.layers]
        return [path.replace(TASK_ROOT, self.task_root)]


def places_of_this_machine(function: Function, interpreter: Path, runtime_dir: Path, temp_dir: Path) -> Places:
    """Return the places of a process that has the file system of this machine; `temp_dir` is its own."""
    options = function.interpreter_options
    for inside, outside in ((TASK_ROOT, str(function.task_root)), *function.binds):
        options = tuple(part.replace(inside, outside) for part in options)
    layers = tuple(str(layer) for layer in reversed(function.layers))
    return Places(
        str(interpreter),
        str(_BOOTSTRAP),
        str(function.task_root),
        str(runtime_dir),
        str(temp_dir),
        layers,
        tuple(str(folder) for folder in _packages(function)),
        options,
    )


def places_of_its_own(function: Function, interpreter: Path, runtime_dir: Path) -> Places:
    """Return the places that Lambda has, and the file system that makes them."""
    executable, kept = _interpreter(interpreter)
    kept = [*kept, *(path for name in _CERTIFICATES if (path := os.environ.get(name)) and Path(path).exists())]
    shown = [Bind(path, path) for path in dict.fromkeys(kept) if _is_hidden(path)]
    binds = [
        Bind(str(function.task_root), TASK_ROOT),
        Bind(str(runtime_dir), RUNTIME_DIR),
        Bind(str(_BOOTSTRAP), f"{RAPID_DIR}/{_BOOTSTRAP.name}"),
        *_layers(function.layers, is_shared=any(bind.target.startswith(f"{LAYERS_DIR}/") for bind in shown)),
        *(
            Bind(str(folder), _inside(folder, function))
            for folder in _packages(function)
            if folder == function.packages
        ),
        *(Bind(folder, place) for place, folder in function.binds),
        *shown,
        *_linked(function.task_root),
    ]
    found = [_inside(folder, function) for folder in _packages(function)]
    return Places(
        executable,
        f"{RAPID_DIR}/{_BOOTSTRAP.name}",
        TASK_ROOT,
        RUNTIME_DIR,
        TEMP_DIR,
        (LAYERS_DIR,),
        tuple(dict.fromkeys(found)),
        function.interpreter_options,
        FileSystem(tuple(binds), function.temp_mebibytes, (*function.hosts, *_HOST_NAMES), function.nameservers),
    )


def _packages(function: Function) -> list[Path]:
    """Return where this machine has the Python packages beside the code: of the layers, then of the image."""
    from_last = [layer / "python" for layer in reversed(function.layers)]
    packages = [python / "lib" / function.runtime / "site-packages" for python in from_last]
    own = [function.packages] if function.packages else []
    return [folder for folder in (*packages, *from_last, *own) if folder.is_dir()]


def _inside(folder: Path, function: Function) -> str:
    if folder == function.packages:
        return site_packages(function.runtime)
    layer = next(layer for layer in function.layers if folder.is_relative_to(layer))
    return f"{LAYERS_DIR}/{folder.relative_to(layer)}"


def _layers(layers: Sequence[Path], *, is_shared: bool) -> Iterator[Bind]:
    """Yield what shows the layers at /opt: entry by entry where it holds something else, too."""
    for layer in layers:
        if is_shared:
            yield from (Bind(str(entry), f"{LAYERS_DIR}/{entry.name}") for entry in layer.iterdir())
        else:
            yield Bind(str(layer), LAYERS_DIR)


def _interpreter(path: Path) -> tuple[str, list[str]]:
    """Return the interpreter itself, without the virtual environment that links to it, and the folders it needs."""
    executable = Path(os.path.realpath(path))
    folders = [str(executable.parent.parent)]
    if (executable.parent.parent / "pyvenv.cfg").is_file():  # of `python -m venv --copies`
        lines = (executable.parent.parent / "pyvenv.cfg").read_text().splitlines()
        homes = [line.partition("=")[2].strip() for line in lines if line.partition("=")[0].strip() == "home"]
        folders += [str(Path(os.path.realpath(home)).parent) for home in homes]
    return str(executable), folders


def _is_hidden(path: str) -> bool:
    return any(path.startswith(f"{place}/") for place in HIDDEN)


def _linked(task_root: Path) -> Iterator[Bind]:
    """Yield what symbolic links beside the code lead to, where the process would not find it."""
    with os.scandir(task_root) as entries:
        links = [entry for entry in entries if entry.is_symlink()]
    for link in links:
        target = str(Path(link.path).readlink())
        inside = os.path.normpath(os.path.join(TASK_ROOT, target))  # noqa: PTH118
        is_found = os.path.isabs(target) and not _is_hidden(inside)  # noqa: PTH117
        if not is_found and not f"{inside}/".startswith(f"{TASK_ROOT}/"):
            yield Bind(os.path.realpath(link.path), inside, optional=True)
