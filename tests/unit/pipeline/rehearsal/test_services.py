"""The clients of the emulated account end with the rehearsal."""

from __future__ import annotations

import pytest
from botocore.exceptions import EndpointConnectionError

from emulator.credentials import Endpoint, RootCredentials
from emulator.processes.ports import free_port
from pipeline.rehearsal.services import ClosedError, Services


def test_no_call_is_made_after_the_end() -> None:
    services = Services(Endpoint(f"http://127.0.0.1:{free_port()}", RootCredentials.random()), "us-east-1")
    with pytest.raises(EndpointConnectionError):
        services.s3.list_buckets()
    services.close()
    with pytest.raises(ClosedError):
        services.s3.list_buckets()
    with pytest.raises(ClosedError):
        services.named("lambda").list_functions()
