"""What properties a resource type may have locally, and of which kind.

A property that no schema has is named in the status view: nothing that the template says is dropped silently.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from enum import Enum
from typing import Any, TypeAlias

from sam_template.intrinsics import IntrinsicError, as_text


class Kind(Enum):
    """The kinds of a single value. DOCUMENT is JSON that AWS itself reads, such as a policy."""

    TEXT = "a text"
    WHOLE = "a whole number"
    FLAG = "true or false"
    DOCUMENT = "a JSON document"


Schema: TypeAlias = Kind | Mapping[str, "Schema"] | list["Schema"]
"""A kind, a mapping of property names, or a list with one member: the schema of each member."""

TAGS: Schema = [{"Key": Kind.TEXT, "Value": Kind.TEXT}]


class PropertyError(Exception):
    """A property that cannot be honoured; the message starts with its path."""


def conform(value: Any, schema: Schema, left_out: list[str], path: str = "") -> Any:
    """Return `value` with its scalars made the kinds that `schema` names ("5" a number, "true" a flag).

    The path of each property that `schema` does not have is added to `left_out`, and the property is not returned.
    Raises PropertyError for a value of another kind.
    """
    if isinstance(schema, Mapping):
        if not isinstance(value, Mapping):
            raise PropertyError(f"{path or 'Properties'} must be a mapping")
        left_out += [_join(path, name) for name in value if name not in schema]
        return {
            name: conform(member, schema[name], left_out, _join(path, name))
            for name, member in value.items()
            if name in schema
        }
    if isinstance(schema, list):
        if not isinstance(value, list):
            raise PropertyError(f"{path} must be a list")
        return [conform(member, schema[0], left_out, f"{path}[{index}]") for index, member in enumerate(value)]
    return _scalar(value, schema, path)


def document_text(document: Any) -> str:
    """Return a JSON document, which a template may write out or as a text, as a text."""
    return document if isinstance(document, str) else json.dumps(document)


def tag_mapping(tags: list[Mapping[str, str]]) -> dict[str, str]:
    """Return CloudFormation's list of tags as the mapping that some services take."""
    return {tag["Key"]: tag["Value"] for tag in tags}


def tag_list(tags: Mapping[str, str]) -> list[dict[str, str]]:
    """Return a mapping of tags as CloudFormation's list."""
    return [{"Key": key, "Value": value} for key, value in tags.items()]


def attribute_texts(properties: Mapping[str, Any], schema: Mapping[str, Schema]) -> dict[str, str]:
    """Return the declared of the properties that `schema` names, each as the text that SNS and SQS take."""
    declared = {name: properties[name] for name in schema if name in properties}
    return {
        name: document_text(value) if schema[name] is Kind.DOCUMENT else as_text(value, name)
        for name, value in declared.items()
    }


def _scalar(value: Any, kind: Kind, path: str) -> Any:
    if kind is Kind.DOCUMENT:
        if isinstance(value, Mapping | str):
            return value
    elif kind is Kind.FLAG:
        if isinstance(value, bool) or value in ("true", "false"):
            return value in (True, "true")
    elif kind is Kind.WHOLE:
        if isinstance(value, int | str) and not isinstance(value, bool) and str(value).lstrip("-").isdecimal():
            return int(value)
    else:
        try:
            return as_text(value, path)
        except IntrinsicError:
            pass
    raise PropertyError(f"{path} must be {kind.value}")


def _join(path: str, name: str) -> str:
    return f"{path}.{name}" if path else name
