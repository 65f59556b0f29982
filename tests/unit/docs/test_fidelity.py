"""The tests that docs/fidelity.md names exist."""

from __future__ import annotations

import re

from sam_template.repository import REPOSITORY

PAGE = (REPOSITORY / "docs" / "fidelity.md").read_text()


def test_every_test_that_the_page_names_exists() -> None:
    files = list((REPOSITORY / "tests").rglob("test_*.py"))
    functions = {name for file in files for name in re.findall(r"def (test_\w+)", file.read_text())}
    named = re.findall(r"`((?:tests/[\w/]+/)?test_\w+(?:\.py|…)?)`", PAGE)
    assert len(named) > 30
    for name in named:
        if name.endswith(".py"):
            assert any(str(file).endswith(f"/{name}") for file in files), name
        else:
            prefix = name.removesuffix("…")
            assert any(
                function == prefix or (name != prefix and function.startswith(prefix)) for function in functions
            ), name
