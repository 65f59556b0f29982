"""What MiniStack starts without, and that nothing it answers is another for it."""

from __future__ import annotations

import gzip
import importlib.util
import json
import ssl
import subprocess
import sys
import urllib.request
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import botocore
import botocore.session
import pytest

from emulator.aws import ministack_imports
from emulator.aws.ministack_imports import DescribedService, HttpsOnDemand, described, quick_service_model

DATA = Path(botocore.__file__).with_name("data")


@pytest.mark.parametrize("service", ["dynamodb", "ec2", "iam", "lambda", "s3", "sesv2", "sqs"])
def test_the_metadata_of_a_service_is_botocores(service: str) -> None:
    assert described(service) == botocore.session.get_session().get_service_model(service).metadata


def test_every_service_has_its_metadata_at_the_beginning_of_its_model() -> None:
    services = [folder.name for folder in DATA.iterdir() if list(folder.glob("*/service-2.json.gz"))]
    assert len(services) > 100
    assert [service for service in services if "protocol" not in (described(service) or {})] == []


@pytest.mark.parametrize("service", ["account-of-nobody", "", "..", "../data/s3"])
def test_what_is_no_service_has_none(service: str) -> None:
    if service.endswith("s3"):  # a name, never a path
        assert described(service) == described("s3")
    else:
        assert described(service) is None


@pytest.mark.parametrize("text", ["", "{", '{"metadata": ', '{"metadata": []}', '{"version": "2.0"}'])
def test_a_model_that_cannot_be_understood_is_left_to_botocore(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, text: str
) -> None:
    folder = tmp_path / "data" / "bees" / "2026-01-01"
    folder.mkdir(parents=True)
    (folder / "service-2.json.gz").write_bytes(gzip.compress(text.encode()))
    place = SimpleNamespace(submodule_search_locations=[str(tmp_path)])
    monkeypatch.setattr(importlib.util, "find_spec", lambda _: place)
    assert described("bees") is None
    whole = object()
    model = quick_service_model(SimpleNamespace(_service_model=lambda _: whole, _BOTOCORE_NAME={}))
    assert model("bees") is whole


def test_the_rest_of_a_model_is_read_when_it_is_asked_for() -> None:
    read: list[str] = []

    def whole(service: str) -> Any:
        read.append(service)
        return SimpleNamespace(operation_names=["StartExecution"])

    model = quick_service_model(SimpleNamespace(_service_model=whole, _BOTOCORE_NAME={"states": "stepfunctions"}))
    states = model("states")
    assert isinstance(states, DescribedService)
    assert (states.metadata["protocol"], read) == ("json", [])
    assert (states.operation_names, read) == (["StartExecution"], ["states"])
    assert model("states") is states


def test_a_client_of_https_reads_certificates_with_its_first_request(monkeypatch: pytest.MonkeyPatch) -> None:
    made: list[object] = []

    def make() -> object:
        made.append(object())
        return made[-1]

    monkeypatch.setattr(ssl, "create_default_context", make)
    handler = HttpsOnDemand()
    assert made == []
    assert handler._context is handler._context is made[0]
    mine = object()
    assert HttpsOnDemand(context=mine)._context is mine
    assert len(made) == 1


def test_an_opener_uses_it() -> None:
    program = f"""
import sys, urllib.request
sys.path.append({str(Path(ministack_imports.__file__).parent)!r})
import ministack_imports
ministack_imports.leave_out_other_servers()
ministack_imports.read_certificates_on_demand()
from hypercorn.protocol.h11 import H11Protocol
opener = urllib.request.build_opener()
print(H11Protocol.__name__, [type(one).__name__ for one in opener.handle_open["https"]])
import hypercorn.asyncio
"""
    done = subprocess.run([sys.executable, "-P", "-c", program], capture_output=True, text=True, check=False)
    assert done.stdout == "H11Protocol ['HttpsOnDemand']\n"
    assert "ModuleNotFoundError: No module named 'hypercorn.asyncio'" in done.stderr
    assert not issubclass(urllib.request.HTTPSHandler, HttpsOnDemand)  # this process has its own


def test_metadata_longer_than_what_is_read_is_left_to_botocore(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = tmp_path / "data" / "bees" / "2026-01-01"
    folder.mkdir(parents=True)
    long = json.dumps({"metadata": {"protocol": "json", "documentation": "x" * 5000}})
    (folder / "service-2.json.gz").write_bytes(gzip.compress(long.encode()))
    place = SimpleNamespace(submodule_search_locations=[str(tmp_path)])
    monkeypatch.setattr(importlib.util, "find_spec", lambda _: place)
    assert described("bees") is None
