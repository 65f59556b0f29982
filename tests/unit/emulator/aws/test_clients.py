"""The emulator's clients: what they are made of."""

import subprocess
import sys

import pytest

from emulator.aws.clients import Clients
from emulator.credentials import Endpoint, RootCredentials

PRELOADED = """
import sys, tempfile
from pathlib import Path
from emulator.aws.clients import preload
with tempfile.TemporaryDirectory() as folder:
    preload(["sts"], Path(folder))
"""
CLIENT = """
from emulator.aws.clients import Clients
from emulator.credentials import Endpoint, RootCredentials
Clients(Endpoint("http://127.0.0.1:9", RootCredentials("A", "B")), "eu-central-1").s3
import sys
"""


def run(code: str, before: str = CLIENT) -> str:
    return subprocess.run([sys.executable, "-c", before + code], capture_output=True, text=True, check=True).stdout


@pytest.mark.parametrize("before", [CLIENT, PRELOADED], ids=["a client", "what clients have in common"])
def test_it_comes_without_what_takes_long_to_import_and_is_not_needed(before: str) -> None:
    slow = "{'awscrt', 'boto3', 'cryptography', 'OpenSSL'}"
    assert run(f"print({slow} & set(sys.modules))", before) == "set()\n"


def test_what_a_client_comes_without_can_still_be_imported() -> None:
    assert run("import awscrt.auth; print(awscrt.auth.__name__)") == "awscrt.auth\n"


def test_those_of_the_emulator_itself_go_past_the_proxy_except_where_the_address_is_in_the_answer() -> None:
    endpoint = Endpoint("http://127.0.0.1:2", RootCredentials("A", "B"), admin_url="http://127.0.0.1:3")
    direct = Clients(endpoint, "eu-central-1", direct=True)
    assert direct.named("sns").meta.endpoint_url == "http://127.0.0.1:3"
    assert direct.named("sqs").meta.endpoint_url == "http://127.0.0.1:2"  # a queue's URL is for functions
    assert Clients(endpoint, "eu-central-1").named("sns").meta.endpoint_url == "http://127.0.0.1:2"
    alone = Endpoint("http://127.0.0.1:2", RootCredentials("A", "B"))
    assert Clients(alone, "eu-central-1", direct=True).named("sns").meta.endpoint_url == "http://127.0.0.1:2"
