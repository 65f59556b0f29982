"""What belongs into a function's package, and what its bytecode is."""

from __future__ import annotations

import importlib.util
import os
import subprocess
import sys
from pathlib import Path

import pytest

from emulator.project.packaged_sources import compile_sources
from sam_template.repository import REPOSITORY, TEMPLATE
from tests.shop import PROJECT
from tools import package_function
from tools.declared_function import DeclaredFunction, read_function
from tools.package_function import PackagingError, Target, package, packaged_sources

UNCHECKED_HASH = 0b01
"""The flags of a pyc that is never checked against its source (PEP 552, "Specification")."""


@pytest.fixture
def sources(tmp_path: Path) -> Path:
    folder = tmp_path / "function"
    for name in ("app/__init__.py", "app/handler.py", "app/__pycache__/handler.cpython-313.pyc", "Dockerfile"):
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text("VALUE = 1\n")
    (folder / "requirements.txt").write_text("")
    (folder / "requirements.in").write_text("")
    (folder / "app/.handler.py.swp").write_text("")
    return folder


def test_sources_are_packaged_without_what_only_the_build_needs(sources: Path) -> None:
    assert packaged_sources(sources) == {
        Path("app/__init__.py"): sources / "app/__init__.py",
        Path("app/handler.py"): sources / "app/handler.py",
    }


def test_a_function_without_requirements_is_its_sources(
    sources: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    (sources / "requirements.txt").unlink()
    function = DeclaredFunction("Orders", sources, "python3.13", "arm64", None)
    package(function, tmp_path / "artifacts", Target("3.13", None, None))
    assert {path.name for path in (tmp_path / "artifacts").iterdir()} == {"app"}


def test_a_package_beside_the_function_is_packaged_with_whoever_imports_it(sources: Path) -> None:
    shared = sources.parent / "lambda_http"
    (shared / "__pycache__").mkdir(parents=True)
    (shared / "json_text.py").write_text("")
    (shared / "__pycache__/json_text.cpython-313.pyc").write_text("")
    packaging = PROJECT.declaration.packaging
    assert packaging.shared_packages(sources) == []
    for statement in ("from lambda_http import json_text", "    from lambda_http.json_text import parse"):
        (sources / "app/handler.py").write_text(f"def f():\n    pass\n{statement}\n")
        assert packaging.shared_packages(sources) == [shared]
        assert packaged_sources(sources)[Path("lambda_http/json_text.py")] == shared / "json_text.py"
        assert len(packaged_sources(sources)) == 3


def test_bytecode_is_never_checked_against_a_source_whose_time_a_zip_does_not_keep(sources: Path) -> None:
    compile_sources(sources, [Path("app/handler.py")], Path(sys.executable))
    compiled = Path(importlib.util.cache_from_source(str(sources / "app/handler.py")))
    magic, flags = compiled.read_bytes()[:4], compiled.read_bytes()[4:8]
    assert magic == importlib.util.MAGIC_NUMBER
    assert int.from_bytes(flags, "little") == UNCHECKED_HASH
    assert b"/var/task/app/handler.py" in compiled.read_bytes()


def test_nothing_to_compile_compiles_nothing(sources: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(subprocess, "run", lambda *_, **__: pytest.fail("compileall would compile all of sys.path"))
    compile_sources(sources, [], Path(sys.executable))


def test_a_package_has_the_sources_and_their_bytecode(
    sources: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(package_function, "CACHE", tmp_path / "cache")
    version = f"{sys.version_info.major}.{sys.version_info.minor}"
    function = DeclaredFunction("Function", sources, f"python{version}", "x86_64", frozenset())
    package(function, tmp_path / "artifacts", Target(version, None, Path(sys.executable)))
    assert (tmp_path / "artifacts/app/handler.py").exists()
    assert list((tmp_path / "artifacts/app/__pycache__").glob("handler.*.pyc"))


def test_a_function_without_requirements_is_packaged(
    sources: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(package_function, "CACHE", tmp_path / "cache")
    (sources / "requirements.txt").unlink()
    function = DeclaredFunction("Function", sources, "python3.13", "x86_64", frozenset())
    package(function, tmp_path / "artifacts", Target("3.13", None, Path(sys.executable)))
    assert (tmp_path / "artifacts/app/handler.py").exists()


def test_requirements_are_kept_wherever_the_interpreter_lies(
    sources: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(package_function, "CACHE", tmp_path / "cache")
    (tmp_path / "python").symlink_to(sys.executable)
    function = DeclaredFunction("Function", sources, "python3.13", "x86_64", frozenset())
    for interpreter in (Path(sys.executable), tmp_path / "python"):
        package(function, tmp_path / "artifacts", Target("3.13", None, interpreter))
    assert len(list((tmp_path / "cache").iterdir())) == 1


def test_requirements_are_kept_for_each_target_and_replaced_when_they_change(
    sources: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(package_function, "CACHE", tmp_path / "cache")
    version = f"{sys.version_info.major}.{sys.version_info.minor}"
    function = DeclaredFunction("Function", sources, f"python{version}", "x86_64", frozenset())
    targets = [Target(version, None, Path(sys.executable)), Target(version, "x86_64-manylinux_2_28", None)]

    def kept() -> set[str]:
        for target in targets:
            package(function, tmp_path / "artifacts", target)
        return {folder.name for folder in (tmp_path / "cache").iterdir()}

    before = kept()
    assert len(before) == 2
    assert kept() == before
    (sources / "requirements.txt").write_text("# changed\n")
    after = kept()
    assert len(after) == 2
    assert not after & before


def test_another_process_finds_what_one_has_kept(sources: Path, tmp_path: Path) -> None:
    code = (
        "import sys; from pathlib import Path; from tools import package_function as p; "
        "from tools.declared_function import DeclaredFunction; p.CACHE = Path(sys.argv[1]); "
        "services = frozenset({'dynamodb', 's3', 'secretsmanager', 'logs'}); "
        "function = DeclaredFunction('F', Path(sys.argv[2]), 'python3.13', 'x86_64', services); "
        "p.package(function, Path(sys.argv[3]), p.Target('3.13', 'x86_64-manylinux_2_28', None)); "
        "print(*sorted(folder.name for folder in p.CACHE.iterdir()))"
    )
    command: list[str | Path] = [sys.executable, "-c", code, tmp_path / "cache", sources, tmp_path / "artifacts"]
    said = {
        subprocess.run(
            command, cwd=REPOSITORY, env={**os.environ, "PYTHONHASHSEED": seed}, check=True, capture_output=True
        ).stdout
        for seed in ("1", "2", "3")
    }
    assert len(said) == 1  # one folder, whatever the order of a set in that process


def test_requirements_that_cannot_be_installed_are_named(
    sources: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(package_function, "CACHE", tmp_path / "cache")
    (sources / "requirements.txt").write_text("not a requirement !!\n")
    function = DeclaredFunction("Function", sources, "python3.13", "x86_64", frozenset())
    with pytest.raises(PackagingError, match=r"requirements\.txt could not be installed for Python 3\.13"):
        package(function, tmp_path / "artifacts", Target("3.13", None, Path(sys.executable)))
    assert not list((tmp_path / "cache").iterdir())


def test_the_template_says_what_to_package_and_for_which_services() -> None:
    function = read_function(TEMPLATE, "InventoryFunction")
    assert function.code_uri == REPOSITORY / "inventory_function"
    assert function.runtime == "python3.13"
    assert function.architecture == "arm64"
    assert function.services == frozenset({"dynamodb", "s3", "secretsmanager"})


def test_a_policy_that_does_not_spell_its_actions_out_may_need_any_service(tmp_path: Path) -> None:
    template = tmp_path / "template.yaml"
    template.write_text(
        """
        Parameters: {}
        Resources:
          Function:
            Properties:
              CodeUri: function/
              Runtime: python3.13
              Architectures: [arm64]
              Policies:
                - DynamoDBReadPolicy: {TableName: !Ref Table}
        """
    )
    assert read_function(template, "Function").services is None


def test_a_function_that_the_template_does_not_have_is_a_key_error() -> None:
    with pytest.raises(KeyError):
        read_function(TEMPLATE, "NoFunction")
