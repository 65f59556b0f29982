"""The inventory behind MiniStack's own HTTP API and its own Lambda, which runs it without a container."""

from __future__ import annotations

import asyncio
import contextlib
import io
import zipfile
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import boto3
from botocore.exceptions import BotoCoreError, ClientError

from benchmarks.plan import BenchmarkError
from benchmarks.processes import BUILD, FUNCTION, declared_function
from emulator.aws.ministack import MiniStack, MiniStackError
from emulator.credentials import Endpoint
from emulator.project.paths import RunningEmulator
from sam_template import ACCOUNT_ID
from sam_template.repository import INSTALLED, REGION

_TABLE_VARIABLE = "TABLE_NAME"
_NOT_SET_IN_LAMBDA = ("PATH", "PYTHONPATH", "AWS_REGION", "AWS_DEFAULT_REGION", "AWS_LAMBDA_FUNCTION_NAME")


@dataclass(frozen=True)
class ServedPaths:
    """An API on a port; what it serves is below `prefix`."""

    port: int
    prefix: str


@contextlib.asynccontextmanager
async def ministack_api(
    folder: Path, running: RunningEmulator, variables: Mapping[str, str]
) -> AsyncIterator[ServedPaths]:
    """Run a MiniStack with the inventory for the length of the block, its table a copy of that of `running`.

    `variables` are the function's. Raises `BenchmarkError`.
    """
    ministack = MiniStack(INSTALLED, log=folder / "ministack.log", enforce_iam=False)
    try:
        await ministack.launch()
        await ministack.start()
        yield await asyncio.to_thread(_deploy, ministack.endpoint, running.endpoint, variables)
    except (MiniStackError, BotoCoreError, ClientError) as error:
        raise BenchmarkError(f"MiniStack's own API could not be measured: {error}") from error
    finally:
        await ministack.stop()


def _deploy(own: Endpoint, other: Endpoint, variables: Mapping[str, str]) -> ServedPaths:
    table = variables[_TABLE_VARIABLE]
    source, target = _client("dynamodb", other), _client("dynamodb", own)
    target.create_table(
        TableName=table,
        KeySchema=[{"AttributeName": "sku", "KeyType": "HASH"}],
        AttributeDefinitions=[{"AttributeName": "sku", "AttributeType": "S"}],
        BillingMode="PAY_PER_REQUEST",
    )
    for item in source.scan(TableName=table)["Items"]:
        target.put_item(TableName=table, Item=item)
    function = declared_function()
    kept = {name: value for name, value in variables.items() if name not in _NOT_SET_IN_LAMBDA}
    credentials = {"AWS_ACCESS_KEY_ID": own.root.access_key_id, "AWS_SECRET_ACCESS_KEY": own.root.secret_access_key}
    arn = _client("lambda", own).create_function(
        FunctionName=FUNCTION,
        Runtime=function.runtime,
        Handler="app.lambda_handler.lambda_handler",
        Role=f"arn:aws:iam::{ACCOUNT_ID}:role/any",
        Code={"ZipFile": _zipped(BUILD / FUNCTION)},
        Timeout=15,
        MemorySize=512,
        Environment={"Variables": {**kept, **credentials, "AWS_ENDPOINT_URL": own.url}},
    )["FunctionArn"]
    apis = _client("apigatewayv2", own)
    api = apis.create_api(Name="inventory", ProtocolType="HTTP")["ApiId"]
    integration = apis.create_integration(
        ApiId=api, IntegrationType="AWS_PROXY", IntegrationUri=arn, PayloadFormatVersion="2.0"
    )["IntegrationId"]
    apis.create_route(ApiId=api, RouteKey="$default", Target=f"integrations/{integration}")
    apis.create_stage(ApiId=api, StageName="$default", AutoDeploy=True)
    return ServedPaths(int(own.url.rpartition(":")[2]), f"/_aws/execute-api/{api}/$default")


def _client(service: str, endpoint: Endpoint) -> Any:
    return boto3.Session().client(
        service,  # type: ignore[call-overload]
        region_name=REGION,
        endpoint_url=endpoint.url,
        aws_access_key_id=endpoint.root.access_key_id,
        aws_secret_access_key=endpoint.root.secret_access_key,
    )


def _zipped(folder: Path) -> bytes:
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as package:
        for file in folder.rglob("*"):
            if file.is_file():
                package.write(file, file.relative_to(folder))
    return content.getvalue()
