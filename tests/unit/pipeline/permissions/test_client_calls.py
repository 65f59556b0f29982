"""Which calls of AWS clients are found by reading sources."""

from __future__ import annotations

import textwrap
from pathlib import Path

import pytest

from pipeline.permissions.client_calls import ClientCall, UnreadableCallError, read, read_package
from pipeline.permissions.iam_actions import client_methods

CLIENTS = """
    from botocore.session import Session

    _clients = {}

    def dynamodb():
        client: object = _client("dynamodb")
        return client

    def s3():
        return _client("s3")

    def forget():
        for client in _clients.values():
            client.close()

    def _client(service):
        client = _clients.get(service)
        if client is None:
            client = _clients[service] = _make(service)
        return client

    def _make(service):
        return Session().create_client(service, config=None)
"""


def calls(*modules: str, **named: str) -> list[ClientCall]:
    texts = {f"m{number}.py": textwrap.dedent(text) for number, text in enumerate(modules)}
    texts |= {f"{name}.py": textwrap.dedent(text) for name, text in named.items()}
    return read(texts, client_methods)


def found(*modules: str, **named: str) -> set[tuple[str, str]]:
    return {(call.service, call.method) for call in calls(*modules, **named)}


FOLLOWED = {
    "directly": """
        boto3.client("dynamodb").scan(TableName="t")
    """,
    "by a variable of the module": """
        client = boto3.client(service_name="dynamodb")
        def f():
            return client.scan(TableName="t")
    """,
    "by with": """
        def f(session):
            with session.create_client("dynamodb") as client:
                client.scan(TableName="t")
    """,
    "by a choice": """
        def f(session, is_other):
            (None if is_other else session.create_client("dynamodb")).scan(TableName="t")
    """,
    "without a call": """
        def f(session):
            return attempt(session.create_client("dynamodb").scan, TableName="t")
    """,
    "by an assignment in an expression": """
        def f(session):
            return (known or (known := session.create_client("dynamodb"))).scan(TableName="t")
    """,
    "by arguments": """
        def f(session):
            g(session.create_client("dynamodb"))
        def g(table):
            h(1, table=table)
        def h(number, table):
            return lambda: table.scan(TableName="t")
    """,
    "by an attribute": """
        class Stock:
            def __init__(self, client):
                self._client = client
            def read(self):
                return self._client.scan(TableName="t")
        def f(session):
            return Stock(session.create_client("dynamodb")).read()
    """,
}


@pytest.mark.parametrize("source", FOLLOWED.values(), ids=FOLLOWED.keys())
def test_a_client_is_followed(source: str) -> None:
    assert found(source) == {("dynamodb", "scan")}


def test_clients_that_are_made_and_kept_by_a_module_are_followed() -> None:
    source = """
        import clients
        def f():
            return attempt(lambda: clients.dynamodb().put_item(Item={}), repeatable=True)
        def g():
            return clients.s3().get_object(Key="k")
    """
    assert found(source, clients=CLIENTS) == {("dynamodb", "put_item"), ("s3", "get_object")}


def test_functions_of_the_same_name_are_kept_apart() -> None:
    other = """
        def _client(name):
            return _make(name)
        def _make(name):
            return {}[name]
        def f():
            return _client("no service").scan()
    """
    with pytest.raises(UnreadableCallError, match=r"other.py, line 7: it cannot be read whose scan this is"):
        found("import clients\nclients.dynamodb().scan()", clients=CLIENTS, other=other)


def test_a_call_has_a_place() -> None:
    (call,) = calls('import boto3\n\nboto3.client("s3").head_object(Key="k")\n')
    assert call == ClientCall("s3", "head_object", "m0.py, line 3")


@pytest.mark.parametrize(
    ("use", "method"),
    [
        ('client.generate_presigned_url("get_object", Params={})', "get_object"),
        ('client.get_paginator("list_objects_v2")', "list_objects_v2"),
    ],
)
def test_a_method_may_be_named(use: str, method: str) -> None:
    assert found(f'import boto3\nclient = boto3.client("s3")\n{use}') == {("s3", method)}


def test_the_writes_of_a_transaction_are_read() -> None:
    (call,) = calls(
        """
        import boto3
        boto3.client("dynamodb").transact_write_items(TransactItems=[{"Update": u}, {"ConditionCheck": c}])
        """
    )
    assert call.members == {"Update", "ConditionCheck"}


def test_what_is_no_call_of_aws_is_passed_over() -> None:
    source = """
        import boto3
        client = boto3.client("s3")
        def f(redis):
            redis.scan()  # S3 has no scan
            client.close()
            raise client.exceptions.NoSuchKey
    """
    assert found(source) == set()


@pytest.mark.parametrize(
    ("use", "sentence"),
    [
        ("client.generate_presigned_url(name)", "m0.py, line 3: generate_presigned_url must name its operation"),
        ("client.get_waiter('object_exists')", "m0.py, line 3: get_waiter of a client of s3 is no operation"),
        ("client.upload_file('f')", "m0.py, line 3: upload_file of a client of s3 is no operation"),
        ("{}['x'].get_object(Key='k')", "m0.py, line 3: it cannot be read whose get_object this is"),
    ],
)
def test_what_cannot_be_read_is_named(use: str, sentence: str) -> None:
    with pytest.raises(UnreadableCallError, match=sentence):
        found(f'import boto3\nclient = boto3.client("s3")\n{use}\nclient.head_object(Key="k")')


def test_a_service_that_does_not_exist_is_named() -> None:
    with pytest.raises(UnreadableCallError, match="scan of a client of dynamo is no operation"):
        found('import boto3\nboto3.client("dynamo").scan()')


def test_a_folder_is_read_with_what_lies_in_it(tmp_path: Path) -> None:
    (tmp_path / "app").mkdir()
    (tmp_path / "app" / "store.py").write_text('import boto3\nboto3.client("s3").list_buckets()\n')
    (tmp_path / "notes.txt").write_text("no Python")
    (call,) = read_package(tmp_path, client_methods)
    assert call.place == "app/store.py, line 2"
