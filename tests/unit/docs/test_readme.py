from __future__ import annotations

import re

from sam_template.repository import REPOSITORY

README = (REPOSITORY / "README.md").read_text()


def test_the_rehearsal_that_the_readme_shows_has_the_steps_of_one() -> None:
    steps = re.findall(r'step\("([a-z ]+)"\)', (REPOSITORY / "pipeline" / "rehearsal" / "rehearsal.py").read_text())
    assert re.findall(r"^([a-z ]+?) +[\d.]+ s  .*$", README, re.MULTILINE) == steps


def test_every_task_that_a_page_names_exists() -> None:
    makefile = (REPOSITORY / "Makefile").read_text()
    tasks = {task for line in re.findall(r"^([a-z][a-z -]*):.*## ", makefile, re.MULTILINE) for task in line.split()}
    for page in [*REPOSITORY.glob("*.md"), *(REPOSITORY / "docs").rglob("*.md")]:
        named = set(re.findall(r"`(?:ENGINE=docker |ENFORCE_IAM=off )?make ([a-z]+)", page.read_text()))
        assert named <= tasks, page


def test_every_link_leads_to_a_file() -> None:
    for page in [*REPOSITORY.glob("*.md"), REPOSITORY / "benchmarks/README.md", *(REPOSITORY / "docs").rglob("*.md")]:
        for target in re.findall(r"\]\(([^)#\s]+)", page.read_text()):
            assert "://" in target or (page.parent / target).exists(), f"{page.name}: {target}"
