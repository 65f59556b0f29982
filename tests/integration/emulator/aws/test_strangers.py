"""Another user of the machine reaches the port, and gets nothing: only this run's root is the root."""

from __future__ import annotations

import http.client
import json
from collections.abc import Callable
from typing import Any

import boto3
import pytest
from botocore.config import Config
from botocore.exceptions import ClientError

from emulator.aws.clients import Clients
from emulator.aws.ministack import HEALTH_PATH, RESET_PATH, MiniStack
from emulator.credentials import ADMIN_HEADER, Endpoint, RootCredentials
from sam_template import ACCOUNT_ID

SECRET = "the-real-key"
CALL = {
    "X-Amz-Target": "secretsmanager.GetSecretValue",
    "Content-Type": "application/x-amz-json-1.1",
}
SIGNED_AS = (
    "AWS4-HMAC-SHA256 Credential={}/20260101/us-east-1/secretsmanager/aws4_request, SignedHeaders=host, Signature=0"
)


@pytest.fixture(scope="module", autouse=True)
def secret(root: Clients) -> str:
    root.secretsmanager.create_secret(Name="strangers", SecretString=SECRET)
    return SECRET


def ask(ministack: MiniStack, method: str, path: str, body: str = "", headers: dict[str, str] | None = None) -> Any:
    connection = http.client.HTTPConnection(ministack.endpoint_url.removeprefix("http://"), timeout=60)
    connection.request(method, path, body, headers or {})
    answer = connection.getresponse()
    content = answer.read()
    connection.close()
    return answer.status, content


def credentials(root: RootCredentials) -> list[RootCredentials]:
    return [
        RootCredentials("test", "test"),
        RootCredentials(ACCOUNT_ID, "test"),
        RootCredentials(ACCOUNT_ID, root.secret_access_key),
        RootCredentials("123456789012", "test"),
        RootCredentials(root.access_key_id, "test"),
        RootCredentials("test", root.secret_access_key),
        RootCredentials.random(),
    ]


CALLS: dict[str, Callable[[Clients], object]] = {
    "secretsmanager": lambda clients: clients.secretsmanager.get_secret_value(SecretId="strangers"),
    "s3": lambda clients: clients.s3.list_buckets(),
    "sts": lambda clients: clients.sts.assume_role(
        RoleArn=f"arn:aws:iam::{ACCOUNT_ID}:role/some", RoleSessionName="some"
    ),
    "dynamodb": lambda clients: clients.dynamodb.list_tables(),
}


@pytest.mark.parametrize("guess", range(7))
@pytest.mark.parametrize("service", CALLS)
def test_no_guessed_credentials_are_the_roots(guess: int, service: str, ministack: MiniStack) -> None:
    guessed = credentials(ministack.endpoint.root)[guess]
    with pytest.raises(ClientError) as refused:
        CALLS[service](Clients(Endpoint(ministack.endpoint_url, guessed), "us-east-1"))
    assert refused.value.response["ResponseMetadata"]["HTTPStatusCode"] in (400, 403)
    assert refused.value.response["Error"]["Code"] in (
        *("UnrecognizedClientException", "InvalidClientTokenId", "InvalidAccessKeyId"),
        *("SignatureDoesNotMatch", "InvalidSignatureException"),
    )


@pytest.mark.parametrize("key", ["", "test", ACCOUNT_ID, "the root's"])
def test_what_is_not_signed_or_signed_wrongly_reads_no_secret(key: str, ministack: MiniStack) -> None:
    key = ministack.endpoint.root.access_key_id if key == "the root's" else key
    for headers in (CALL, CALL | {"Authorization": SIGNED_AS.format(key)}):
        status, content = ask(ministack, "POST", "/", json.dumps({"SecretId": "strangers"}), headers)
        assert status in (400, 403)
        assert SECRET.encode() not in content


def test_a_presigned_address_needs_the_roots_secret(root: Clients, ministack: MiniStack) -> None:
    root.s3.create_bucket(Bucket="strangers")
    root.s3.put_object(Bucket="strangers", Key="file", Body=b"mine")
    statuses = []
    for given in (ministack.endpoint.root, RootCredentials(ministack.endpoint.root.access_key_id, "guessed")):
        client = boto3.client(
            "s3",
            "us-east-1",
            endpoint_url=ministack.endpoint_url,
            aws_access_key_id=given.access_key_id,
            aws_secret_access_key=given.secret_access_key,
            config=Config(signature_version="s3v4"),
        )
        address = client.generate_presigned_url("get_object", {"Bucket": "strangers", "Key": "file"})
        client.close()
        statuses.append(ask(ministack, "GET", address.removeprefix(ministack.endpoint_url))[0])
    assert statuses == [200, 403]


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("POST", RESET_PATH),
        ("POST", "/_ministack/config"),
        ("GET", "/_ministack/ses/messages"),
        ("GET", "/_ministack/sqs/messages"),
        ("GET", "/_ministack/anything"),
    ],
)
def test_ministacks_own_pages_are_for_the_emulator(method: str, path: str, ministack: MiniStack, root: Clients) -> None:
    for headers in ({}, {ADMIN_HEADER: ""}, {ADMIN_HEADER: "guess"}, {"Origin": "http://evil.example"}):
        assert ask(ministack, method, path, "{}", headers)[0] == 403
    assert root.secretsmanager.get_secret_value(SecretId="strangers")["SecretString"] == SECRET


def test_the_page_that_says_how_it_is_is_for_all(ministack: MiniStack) -> None:
    assert ask(ministack, "GET", HEALTH_PATH)[0] == 200
