"""In which order resources are made, and what becomes of the rest when one cannot be."""

from __future__ import annotations

import threading
from collections.abc import Callable
from pathlib import Path

import pytest

from emulator.aws import provisioning
from emulator.aws.clients import Clients
from emulator.aws.provisioning import Provisioner
from emulator.aws.resource_type import Properties, ResourceType
from emulator.aws.schema import Kind, PropertyError
from emulator.credentials import Endpoint, RootCredentials
from sam_template import Template, TemplateError

Create = Callable[[Clients, str, Properties], str]
WAIT_SECONDS = 60
THREE = """
Resources:
  Last: {Type: 'Test::Any::Thing', Properties: {Name: !Sub '${First}-${Second}'}}
  First: {Type: 'Test::Any::Thing', Properties: {Name: first}}
  Second: {Type: 'Test::Any::Thing', Properties: {Name: second}}
"""


def provisioner(monkeypatch: pytest.MonkeyPatch, folder: Path, create: Create) -> Provisioner:
    thing = ResourceType(
        "Test::Any::Thing", {"Name": Kind.TEXT}, create=create, read=lambda *_: {}, name_property="Name"
    )
    monkeypatch.setattr(provisioning, "find", lambda _: thing)
    template = folder / "template.yaml"
    template.write_text(THREE)
    clients = Clients(Endpoint("http://127.0.0.1:9", RootCredentials.random()), "us-east-1")
    return Provisioner(Template.load(template, {}), clients, "local", {})


def test_resources_that_need_nothing_of_each_other_are_made_side_by_side(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    both = threading.Barrier(2, timeout=WAIT_SECONDS)

    def create(_: Clients, name: str, __: Properties) -> str:
        if name in ("first", "second"):
            both.wait()
        return name

    made = provisioner(monkeypatch, tmp_path, create)
    made.create()
    assert made.created["Last"].ref == "first-second"
    assert list(made.created)[-1] == "Last"
    assert list(made.outcomes) == list(made.created)


def test_nothing_is_made_after_one_that_cannot_be_made(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    begun = []

    def create(_: Clients, name: str, __: Properties) -> str:
        begun.append(name)
        if name == "second":
            raise PropertyError("Name is no name")
        return name

    with pytest.raises(TemplateError, match=r"^template.yaml, line 5: Second \(Test::Any::Thing\): Name is no name.$"):
        provisioner(monkeypatch, tmp_path, create).create()
    assert "first-second" not in begun
