"""What a person sees of a running emulator: what runs where."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

Row = tuple[str, str, str]

_IAM: Final[Mapping[str, Row]] = {
    "enforced": ("IAM", "enforced", "by the Policies in template.yaml"),
    "off": ("IAM", "OFF", "every call is allowed; without ENFORCE_IAM=off, template.yaml decides"),
    "left to your endpoint": ("IAM", "yours", "AWS_ENDPOINT_URL decides what is allowed"),
}


def table(rows: Sequence[Row]) -> str:
    """Return `rows` with their columns aligned."""
    widths = [max((len(row[column]) for row in rows), default=0) for column in range(2)]
    return "\n".join(f"  {row[0]:<{widths[0]}}  {row[1]:<{widths[1]}}  {row[2]}".rstrip() for row in rows)


def render(status: Mapping[str, Any]) -> str:
    """Return the view for the answer of the control verb `status`."""
    rows: list[Row] = [
        ("AWS", "yours" if status["iam"] == "left to your endpoint" else "MiniStack", status["endpoint_url"]),
        _IAM[status["iam"]],
        ("engine", "Lambda containers", status["engine"] or "the installed container engine"),
    ]
    rows += [tuple(row) for row in status["backing_services"]]
    rows += [tuple(row) for row in status["apis"]]
    rows += [(logical_id, kind.removeprefix("AWS::"), name) for logical_id, kind, name in status["resources"]]
    notes = ["", *status["notes"]] if status["notes"] else []
    denied_calls = [f"\n{sentence}" for sentence in status["denied_calls"]]
    return "\n".join([table(rows), *notes, *denied_calls])
