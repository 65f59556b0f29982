"""The bill of materials of a function lists what its package contains: the locked versions with their hashes."""

from __future__ import annotations

import json
import re
import subprocess
from pathlib import Path

import pytest

from sam_template.repository import TEMPLATE
from tools.declared_function import read_function, read_functions
from tools.sbom import SbomError, project, write

LOCKED = re.compile(r"^([a-z0-9-]+)==([^ ;]+)", re.MULTILINE)


def locked(code: Path) -> list[tuple[str, str]]:
    """Return the names and versions that a function's requirements.txt names."""
    requirements = code / "requirements.txt"
    return LOCKED.findall(requirements.read_text()) if requirements.exists() else []


def test_it_lists_the_locked_versions_with_their_hashes(tmp_path: Path) -> None:
    function = read_function(TEMPLATE, "InventoryFunction")
    document = json.loads(write(function, tmp_path).read_text())
    assert (document["bomFormat"], document["specVersion"]) == ("CycloneDX", "1.5")
    assert document["metadata"]["component"]["name"] == "InventoryFunction".lower()
    lock = (function.code_uri / "requirements.txt").read_text()
    assert {(each["name"], each["version"]) for each in document["components"]} == set(LOCKED.findall(lock))
    for component in document["components"]:
        hashes = {one["content"] for each in component["externalReferences"] for one in each["hashes"]}
        assert any(f"sha256:{digest}" in lock for digest in hashes), f"{component['name']} is not what is locked"


def test_it_is_of_the_runtime_and_the_machine_that_the_template_names() -> None:
    (environment,) = re.findall(
        r"^environments = .*$", project(read_function(TEMPLATE, "ShopbotFunction")), re.MULTILINE
    )
    assert "'aarch64'" in environment
    assert ">= '3.13'" in environment
    assert "< '3.14'" in environment


def test_a_function_without_requirements_has_a_list_that_is_empty(tmp_path: Path) -> None:
    bare = next(one for one in read_functions(TEMPLATE) if not locked(one.code_uri))
    assert json.loads(write(bare, tmp_path).read_text()).get("components", []) == []


def test_an_index_that_does_not_answer_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    failed = subprocess.CompletedProcess([], 2, "", "error: no such index")
    monkeypatch.setattr(subprocess, "run", lambda *_, **__: failed)
    with pytest.raises(SbomError, match=r"UV_DEFAULT_INDEX\.\nerror: no such index"):
        write(read_function(TEMPLATE, "InventoryFunction"), tmp_path)
