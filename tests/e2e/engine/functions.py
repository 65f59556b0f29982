"""Handlers of the engine's tests: copied into a template of their own, run by the real `sam`."""

import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

RECORDS = os.environ.get("RECORDS", "")
print("module imported")
if RECORDS:
    with Path(RECORDS, "inits").open("a") as inits:
        inits.write(f"{os.getpid()}\n")


def _answer(**body: Any) -> dict[str, Any]:
    return {"statusCode": 200, "headers": {"content-type": "application/json"}, "body": json.dumps(body)}


def echo(event: Any, context: Any) -> Any:
    return _answer(event=event, id=context.aws_request_id, arn=context.invoked_function_arn, version="one")


def raw(event: Any, context: Any) -> Any:
    return event


def environment(event: Any, context: Any) -> Any:
    return _answer(
        variables=dict(os.environ),
        path=sys.path,
        cwd=str(Path.cwd()),
        temp=tempfile.gettempdir(),
        session=os.getsid(0) == os.getpid(),
        remaining=context.get_remaining_time_in_millis(),
    )


def second(event: Any, context: Any) -> Any:
    began = time.time()
    time.sleep(1)
    return _answer(began=began, ended=time.time(), pid=os.getpid())


def talk(event: Any, context: Any) -> Any:
    print("one\ntwo")
    sys.stdout.write("no newline")
    sys.stdout.flush()
    os.write(2, b"\xff broken bytes\n")
    print("é" * 20_000)
    print("last word")
    return _answer()


def fail(event: Any, context: Any) -> Any:
    raise ValueError("out of tea")


def never(event: Any, context: Any) -> Any:
    Path(RECORDS, "never").touch()
    time.sleep(60)


def leave(event: Any, context: Any) -> Any:
    os._exit(3)


def grow(event: Any, context: Any) -> Any:
    hoard: list[bytearray] = []
    while True:
        hoard.append(bytearray(16 * 1024 * 1024))
        time.sleep(0.01)


def large(event: Any, context: Any) -> Any:
    return {"statusCode": 200, "body": "x" * int(event["queryStringParameters"]["size"])}


def spawn(event: Any, context: Any) -> Any:
    child = subprocess.Popen(["sleep", "300"], process_group=0)
    Path(RECORDS, "children").write_text(f"{child.pid} {os.getpid()}")
    return _answer()


def sdk(event: Any, context: Any) -> Any:
    imported = "boto3" in sys.modules
    import boto3

    client = boto3.client("s3")
    buckets = [each["Name"] for each in client.list_buckets()["Buckets"]]
    return _answer(imported=imported, where=boto3.__file__, endpoint=client.meta.endpoint_url, buckets=buckets)


def picture(event: Any, context: Any) -> Any:
    return b"\xff\xd8\xff\xe0 a picture"
