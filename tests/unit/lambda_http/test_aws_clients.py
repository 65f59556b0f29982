"""Clients are made once, with time limits, and from the environment."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any
from urllib.parse import urlsplit

import pytest
from botocore.session import Session

from lambda_http import aws_clients


@pytest.fixture(autouse=True)
def environment(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "test")
    monkeypatch.setenv("AWS_DEFAULT_REGION", "eu-west-1")
    monkeypatch.delenv("AWS_REGION", raising=False)
    monkeypatch.delenv("AWS_ENDPOINT_URL", raising=False)
    aws_clients.forget()
    yield
    aws_clients.forget()


def test_a_client_is_made_once_for_all_threads() -> None:
    with ThreadPoolExecutor(4) as pool:
        made = set(pool.map(lambda _: aws_clients.dynamodb(), range(8)))

    assert len(made) == 1
    assert aws_clients.dynamodb(max_attempts=2) not in made


def test_a_client_is_made_anew_from_the_environment_after_forgetting(monkeypatch: pytest.MonkeyPatch) -> None:
    before = aws_clients.secretsmanager()
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:9")
    aws_clients.forget()

    assert aws_clients.secretsmanager() is not before
    assert aws_clients.secretsmanager().meta.endpoint_url == "http://127.0.0.1:9"


def test_every_call_ends() -> None:
    clients = ((aws_clients.dynamodb(), 1), (aws_clients.s3(), 1), (aws_clients.secretsmanager(), 2))
    for client, attempts in clients:
        config: Any = client.meta.config
        assert config.connect_timeout == aws_clients.CONNECT_TIMEOUT_SECONDS
        assert config.read_timeout == aws_clients.READ_TIMEOUT_SECONDS
        assert config.retries == {"mode": "standard", "total_max_attempts": attempts}


def test_a_call_names_the_shop_and_not_the_machine() -> None:
    def stop(request: Any, **_: Any) -> None:
        raise InterruptedError(request.headers["User-Agent"].decode())

    client = aws_clients.dynamodb()
    client.meta.events.register("before-send", stop)
    with pytest.raises(InterruptedError, match=r"^shop( PT/.*)?$"):
        client.list_tables()


@pytest.mark.parametrize(
    ("region", "host"),
    [
        ("us-east-1", "data.s3.us-east-1.amazonaws.com"),
        ("eu-west-1", "data.s3.eu-west-1.amazonaws.com"),
        # Opened since March 2019
        ("ap-south-2", "data.s3.ap-south-2.amazonaws.com"),
        ("il-central-1", "data.s3.il-central-1.amazonaws.com"),
        ("mx-central-1", "data.s3.mx-central-1.amazonaws.com"),
        # Other partitions
        ("cn-north-1", "data.s3.cn-north-1.amazonaws.com.cn"),
        ("us-gov-west-1", "data.s3.us-gov-west-1.amazonaws.com"),
        ("eusc-de-east-1", "data.s3.eusc-de-east-1.amazonaws.eu"),
    ],
)
def test_a_presigned_link_names_the_host_of_its_region(monkeypatch: pytest.MonkeyPatch, region: str, host: str) -> None:
    monkeypatch.setenv("AWS_DEFAULT_REGION", region)

    link = urlsplit(presigned("data"))

    assert (link.scheme, link.netloc, link.path) == ("https", host, "/a%20b.bin")
    assert f"%2F{region}%2Fs3%2Faws4_request" in link.query


def test_a_region_of_every_partition_has_a_regional_host(monkeypatch: pytest.MonkeyPatch) -> None:
    session = Session()
    regions = [session.get_available_regions("s3", partition) for partition in session.get_available_partitions()]
    for region, *_ in filter(None, regions):
        monkeypatch.setenv("AWS_DEFAULT_REGION", region)
        aws_clients.forget()
        assert urlsplit(presigned("data")).netloc.startswith(f"data.s3.{region}."), region
    assert len(regions) > 3


def test_a_bucket_that_is_no_host_name_stays_in_the_path(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_DEFAULT_REGION", "ap-south-2")

    assert presigned("my.data").startswith("https://s3.ap-south-2.amazonaws.com/my.data/a%20b.bin?")


@pytest.mark.parametrize("endpoint", ["http://127.0.0.1:4566", "http://localhost:4566", "https://s3.example"])
@pytest.mark.parametrize("variable", ["AWS_ENDPOINT_URL", "AWS_ENDPOINT_URL_S3"])
def test_a_link_against_another_endpoint_keeps_the_bucket_in_the_path(
    monkeypatch: pytest.MonkeyPatch, endpoint: str, variable: str
) -> None:
    monkeypatch.setenv(variable, endpoint)

    assert presigned("data").startswith(f"{endpoint}/data/a%20b.bin?")


def presigned(bucket: str) -> str:
    return aws_clients.s3().generate_presigned_url("get_object", Params={"Bucket": bucket, "Key": "a b.bin"})
