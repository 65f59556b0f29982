"""Queue, topic, table, stream, bucket, rule and schedules: each event has its effect, and failures go where they must.

The project has a template.yml, a samconfig.yaml with parameters and a region, Globals, sources in folders of their own,
one of them with requirements, and functions that share one.
"""

from __future__ import annotations

import json
from collections.abc import Callable

import httpx
import pytest

from tests.e2e.projects.conftest import RUNTIME, StartedProject


@pytest.fixture(scope="module")
def orders(launch_project: Callable[..., StartedProject]) -> StartedProject:
    project = launch_project("orders", "--parameter-overrides", f"Runtime={RUNTIME} Greeting=hello")
    project.wait_until_ready()
    return project


def _has(project: StartedProject, *effects: str) -> bool:
    return set(effects) <= {item["id"]["S"] for item in project.items("Effects")}


def _messages(project: StartedProject, queue: str) -> list[str]:
    received = project.client("sqs").receive_message(QueueUrl=project.resource(queue), VisibilityTimeout=0)
    return [message["Body"] for message in received.get("Messages", ())]


def test_an_order_over_http_reaches_the_consumers_of_the_queue_and_of_the_table(orders: StartedProject) -> None:
    answer = httpx.post(f"{orders.url}/orders", json={"id": "o1"}, timeout=60)
    # The greeting is that of the command line, samconfig.yaml has another; the host is what requirements.txt installed.
    assert answer.json() == {"greeting": "hello", "host": "xn--bcher-kva.example"}
    orders.wait_until(lambda: _has(orders, "queue o1", "table o1"))


def test_the_region_is_that_of_samconfig(orders: StartedProject) -> None:
    assert orders.resource("News").startswith("arn:aws:sns:eu-central-1:")


def test_a_message_that_its_consumer_cannot_take_reaches_the_dead_letter_queue(orders: StartedProject) -> None:
    sqs, queue = orders.client("sqs"), orders.resource("OrderQueue")
    sqs.send_message_batch(
        QueueUrl=queue, Entries=[{"Id": body, "MessageBody": body} for body in ("poison", "beside_poison")]
    )
    orders.wait_until(lambda: _messages(orders, "FailedOrders") == ["poison"])
    orders.wait_until(lambda: _has(orders, "queue beside_poison"))


def test_a_message_of_a_topic_reaches_its_consumer_or_the_destination_for_failures(orders: StartedProject) -> None:
    sns = orders.client("sns")
    for message in ("sale", "poison"):
        sns.publish(TopicArn=orders.resource("News"), Message=message)
    orders.wait_until(lambda: _has(orders, "topic sale"))
    orders.wait_until(lambda: _messages(orders, "FailedNews"))
    failed = json.loads(_messages(orders, "FailedNews")[0])
    assert failed["responsePayload"]["errorMessage"] == "topic brought poison"
    assert failed["requestPayload"]["Records"][0]["Sns"]["Message"] == "poison"


def test_a_record_of_a_stream_reaches_its_consumer(orders: StartedProject) -> None:
    orders.client("kinesis").put_record(StreamName=orders.resource("Clicks"), Data=b"click", PartitionKey="1")
    orders.wait_until(lambda: _has(orders, "stream click"))


def test_an_object_in_a_bucket_reaches_its_consumer_where_the_filter_lets_it(orders: StartedProject) -> None:
    for key in ("out/b.txt", "in/a.txt"):
        orders.client("s3").put_object(Bucket=orders.resource("Uploads"), Key=key, Body=b"")
    orders.wait_until(lambda: _has(orders, "bucket in/a.txt"))
    assert not _has(orders, "bucket out/b.txt")


def test_an_event_of_a_rule_reaches_its_consumer(orders: StartedProject) -> None:
    kinds = ("Lost", "Shipped")
    entries = [{"Source": "orders", "DetailType": kind, "Detail": json.dumps({"order": kind})} for kind in kinds]
    orders.client("events").put_events(Entries=entries)
    orders.wait_until(lambda: _has(orders, "rule Shipped"))
    assert not _has(orders, "rule Lost")


def test_schedules_fire(orders: StartedProject) -> None:
    orders.wait_until(lambda: _has(orders, "schedule scheduler", "schedule rule"))


def test_ctrl_c_leaves_nothing(orders: StartedProject) -> None:
    orders.interrupt_and_find_nothing()
