"""What invokes the functions of a template besides requests over HTTP."""

from __future__ import annotations

from typing import Final

from sam_template import Template

_SOURCES: Final = frozenset(
    {"AWS::Lambda::EventSourceMapping", "AWS::Scheduler::Schedule", "AWS::StepFunctions::StateMachine"}
)
_PERMISSION: Final = "AWS::Lambda::Permission"
_NOT_EVENTS: Final = frozenset({"apigateway.amazonaws.com", "codedeploy.amazonaws.com"})


def undelivered_events(template: Template) -> list[str]:
    """Return a sentence when the template has events that no function gets, because functions run in containers."""
    sources = [
        name
        for name, resource in template.resources.items()
        if resource["Type"] in _SOURCES
        or (resource["Type"] == _PERMISSION and template.evaluated(name).get("Principal") not in _NOT_EVENTS)
    ]
    if not sources:
        return []
    sentence = (
        f"No events reach functions ({', '.join(sources)}): with ENGINE=docker they run in containers that sam starts "
        "for requests. Leave ENGINE away for events."
    )
    return [sentence]
