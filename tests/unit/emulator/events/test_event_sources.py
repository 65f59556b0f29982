"""With ENGINE=docker the start says which events no function gets."""

from __future__ import annotations

from pathlib import Path

import pytest

from emulator.events.event_sources import undelivered_events
from sam_template import Template

FUNCTION = """
Transform: AWS::Serverless-2016-10-31
Resources:
  Orders:
    Type: AWS::Serverless::Function
    Properties: {Runtime: python3.13, Handler: h.h, CodeUri: ., AutoPublishAlias: live%s}
"""


@pytest.mark.parametrize(
    ("events", "sources"),
    [
        ("", ""),
        (", Events: {E: {Type: HttpApi}}", ""),
        (", Events: {E: {Type: Schedule, Properties: {Schedule: rate(1 day)}}}", "OrdersEPermission"),
        (", Events: {E: {Type: ScheduleV2, Properties: {ScheduleExpression: rate(1 day)}}}", "OrdersE"),
        (", Events: {E: {Type: SQS, Properties: {Queue: 'arn:aws:sqs:us-east-1:123456789012:q'}}}", "OrdersE"),
    ],
)
def test_events_are_named_and_requests_are_not(events: str, sources: str, tmp_path: Path) -> None:
    path = tmp_path / "template.yaml"
    path.write_text(FUNCTION % events)
    said = undelivered_events(Template.load(path))
    assert [sentence.partition(": ")[0] for sentence in said] == (
        [f"No events reach functions ({sources})"] if sources else []
    )
