"""The runbook has a row for each alarm, and the documents name parameters and resources that exist."""

from __future__ import annotations

import re
from typing import Any, Final

import pytest
import yaml

from sam_template.repository import REPOSITORY, TEMPLATE

RUNBOOK: Final = REPOSITORY / "docs" / "RUNBOOK.md"
SCALE: Final = REPOSITORY / "docs" / "scale.md"
METRICS: Final = {
    "AnthropicLatency",
    "ClaudeFailures",
    "ElasticsearchLatency",
    "ErrorPortAllocation",
    "TokensOut",
    "TransactionConflict",
}


class Loader(yaml.CSafeLoader):
    """Reads CloudFormation's short forms as None: only names are needed here."""


Loader.add_multi_constructor("!", lambda *_: None)


@pytest.fixture(scope="module")
def template() -> Any:
    return yaml.load(TEMPLATE.read_text(encoding="utf-8"), Loader=Loader)


def section(title: str) -> str:
    text = RUNBOOK.read_text(encoding="utf-8")
    found = re.search(rf"^## {title}\n(.*?)(?=^## |\Z)", text, re.MULTILINE | re.DOTALL)
    assert found, f"docs/RUNBOOK.md has no section {title}"
    return found[1]


def names(text: str) -> set[str]:
    """Return what `text` sets as code and writes as the template writes names: HeadAndHead."""
    return set(re.findall(r"`([A-Z][a-z0-9]+(?:[A-Z][A-Za-z0-9]*)+)`", text))


def test_each_alarm_has_one_row_and_each_row_an_alarm(template: Any) -> None:
    rows = re.findall(r"^\| `(\w+)` \|", section("Alarms"), re.MULTILINE)
    alarms = [name for name, each in template["Resources"].items() if each["Type"] == "AWS::CloudWatch::Alarm"]

    assert sorted(rows) == sorted(alarms)


def test_alarms_have_commands_and_no_empty_cell() -> None:
    rows = [line for line in section("Alarms").splitlines() if line.startswith("| `")]

    for row in rows:
        cells = [cell.strip() for cell in row.strip("|").split(" | ")]
        assert len(cells) == 4, row
        assert all(cells), row


@pytest.mark.parametrize("resource", sorted(set(re.findall(r"\b(\w+Logs)\b", section("Alarms")))))
def test_commands_read_log_groups_that_exist(template: Any, resource: str) -> None:
    assert template["Resources"][resource]["Type"] == "AWS::Logs::LogGroup"


@pytest.mark.parametrize("document", ["scale", "Alarms", "Rotate a secret", "Raise a limit"])
def test_names_exist_in_the_template(template: Any, document: str) -> None:
    text = SCALE.read_text(encoding="utf-8") if document == "scale" else section(document)
    known = {*template["Parameters"], *template["Resources"], *template["Outputs"], *METRICS}

    assert names(text) <= known


def test_links_between_the_pages_lead_somewhere() -> None:
    pages = {path.name: path.read_text(encoding="utf-8") for path in (REPOSITORY / "docs").glob("*.md")}
    for name in ("cost.md", "scale.md", "RUNBOOK.md"):
        for target, anchor in re.findall(r"\]\(([\w.]*\.md)?#([\w-]+)\)", pages[name]):
            headings = re.findall(r"^#+ (.+)$", pages[target or name], re.MULTILINE)
            anchors = {re.sub(r"[^\w -]", "", heading.lower()).replace(" ", "-") for heading in headings}
            assert anchor in anchors, f"{name}: {target}#{anchor}"
