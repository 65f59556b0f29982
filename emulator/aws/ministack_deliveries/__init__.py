"""How MiniStack hands events to functions: as AWS does. Loaded by `ministack_launcher.py`; imports nothing of the rest.

1. A topic, a bucket and a rule need a statement in the function's policy; a schedule and a state machine need a role
   that may invoke it. MiniStack asks for neither.
2. What topics, buckets, rules, schedules and Invoke with the type Event send is an asynchronous invocation. For the
   emulator's functions it is posted to the emulator, which retries and knows destinations; MiniStack does both in part.
   Any other invocation is posted as well: no process for the forwarder, and an error keeps its type.
3. A mapping is refused when the function's role may not read its source or write to its destination.
4. Schedules are looked at every second and not every ten.
5. Streams of DynamoDB and Kinesis are read here (`streams.py`, `stream_batches.py`): MiniStack keeps the settings of
   their mappings and follows few of them.

What a policy denies is told the emulator in the header `emulator-denied-delivery`, for it to say so.

Source: AWS Lambda Developer Guide, "Granting Lambda function access to AWS services", "Invoking a Lambda function
asynchronously" and "Event source mappings"; the words of refusals are those of the services.
"""

from __future__ import annotations

import sys
from typing import Any

from .forwarding import DENIED_DELIVERY_HEADER

__all__ = ["DENIED_DELIVERY_HEADER", "install"]


def install() -> None:
    """Change the services, each when it is imported."""
    from .after_import import AfterImport
    from .sources import change_events, change_s3, change_scheduler, change_sns, change_step_functions

    changes = {
        "lambda_svc": _change_lambda,
        "sns": change_sns,
        "s3": change_s3,
        "eventbridge": change_events,
        "scheduler": change_scheduler,
        "stepfunctions": change_step_functions,
    }
    named = {f"ministack.services.{name}": change for name, change in changes.items()}
    sys.meta_path.insert(0, AfterImport(named))


def _change_lambda(lambda_svc: Any) -> None:
    from .invocations import change_lambda
    from .streams import change_pollers

    change_lambda(lambda_svc)
    change_pollers(lambda_svc)
