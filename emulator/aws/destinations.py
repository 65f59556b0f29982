"""Where asynchronous invocations end: queues, topics, buses, other functions.

Source: AWS Lambda Developer Guide, "Capturing records of Lambda asynchronous invocations".
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, Final, NamedTuple

from emulator.aws.clients import Clients

_LATEST: Final = "$LATEST"
_RESULT: Final = "Lambda Function Invocation Result - "


class Settings(NamedTuple):
    """What becomes of a function's asynchronous invocations: ARNs of targets, "" for none; ages are in seconds."""

    retries: int = 2
    longest_age: float = 21600
    on_success: str = ""
    on_failure: str = ""
    dead_letters: str = ""

    @classmethod
    def of(cls, invoke_config: Mapping[str, Any], dead_letters: str) -> Settings:
        """Return what GetFunctionEventInvokeConfig and the function's DeadLetterConfig say."""
        destinations = invoke_config.get("DestinationConfig", {})
        return cls(
            retries=invoke_config.get("MaximumRetryAttempts", cls().retries),
            longest_age=invoke_config.get("MaximumEventAgeInSeconds", cls().longest_age),
            on_success=destinations.get("OnSuccess", {}).get("Destination", ""),
            on_failure=destinations.get("OnFailure", {}).get("Destination", ""),
            dead_letters=dead_letters,
        )


class Message(NamedTuple):
    """What goes to a target: `attributes` are those of a message of a dead-letter queue."""

    target: str
    body: str
    is_success: bool
    source: str
    attributes: Mapping[str, Any]


def settings_of(clients: Clients, name: str, qualifier: str) -> Settings:
    """Return what the endpoint says of the asynchronous invocations of a function, or of its version or alias."""
    functions = clients.named("lambda")
    try:
        invoke_config = functions.get_function_event_invoke_config(FunctionName=name, Qualifier=qualifier or _LATEST)
    except functions.exceptions.ResourceNotFoundException:
        invoke_config = {}
    configuration = functions.get_function_configuration(FunctionName=name)
    return Settings.of(invoke_config, configuration.get("DeadLetterConfig", {}).get("TargetArn", ""))


def send(clients: Clients, message: Message) -> None:
    """Send `message` to its target as the `clients`' principal. Raises what botocore raises."""
    _, _, service, _, account, resource = message.target.split(":", 5)
    match service:
        case "sqs":  # by its URL: a role that may send need not be one that may ask for the URL
            clients.named("sqs").send_message(
                QueueUrl=f"{clients.endpoint_url}/{account}/{resource}",
                MessageBody=message.body,
                MessageAttributes=dict(message.attributes),
            )
        case "sns":
            clients.named("sns").publish(
                TopicArn=message.target, Message=message.body, MessageAttributes=dict(message.attributes)
            )
        case "lambda":
            clients.named("lambda").invoke(
                FunctionName=message.target, InvocationType="Event", Payload=message.body.encode()
            )
        case "events":
            clients.named("events").put_events(Entries=[_entry(message)])
        case _:
            raise OSError(f"a destination of {service} is not emulated")


def _entry(message: Message) -> dict[str, Any]:
    return {
        "Source": "lambda",
        "DetailType": _RESULT + ("Success" if message.is_success else "Failure"),
        "Detail": json.dumps(json.loads(message.body)),
        "EventBusName": message.target,
        "Resources": [message.target, message.source],
    }
