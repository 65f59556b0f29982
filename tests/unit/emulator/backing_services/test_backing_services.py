from __future__ import annotations

import asyncio

import pytest

from emulator.backing_services import backing_services
from emulator.errors import EmulatorError
from emulator.ports import free_port


def test_an_index_that_cannot_be_filled_is_the_sentence_of_the_command_that_fills_it() -> None:
    port = free_port()
    with pytest.raises(EmulatorError, match=f"^No Elasticsearch answers at http://127.0.0.1:{port} .* check ES_URL.$"):
        asyncio.run(backing_services._fill_index(f"http://127.0.0.1:{port}"))
