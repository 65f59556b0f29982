"""Usual additions to this template start, and what of them is not emulated is said."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from emulator.aws.clients import Clients
from emulator.aws.stack import Stack
from sam_template import Template
from tests.additions import ADDITIONS, write_template


@pytest.mark.parametrize("name", ADDITIONS)
def test_it_starts_and_says_what_is_not_emulated(name: str, tmp_path: Path, root: Clients, shop: Stack) -> None:
    expected = ADDITIONS[name].said
    path = write_template(tmp_path, [name])
    stack = Stack(Template.load(path), root.endpoint, name=f"add-{name.replace(' ', '-')}")
    stack.create()
    assert stack.sam_environment()["InventoryFunction"]["TABLE_NAME"]
    said = [note for note in stack.notes() if note not in shop.notes()]
    assert len(said) == bool(expected), said
    assert not expected or re.match(expected, said[0]), said
