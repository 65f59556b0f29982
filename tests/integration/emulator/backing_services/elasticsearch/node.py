"""The fake in a thread, for clients that block."""

from __future__ import annotations

import asyncio
import contextlib
import threading
from collections.abc import Iterator

from emulator.backing_services.elasticsearch import Elasticsearch


@contextlib.contextmanager
def running_node(api_key: str | None = None) -> Iterator[Elasticsearch]:
    node = Elasticsearch(api_key=api_key)
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever, daemon=True)
    thread.start()
    try:
        asyncio.run_coroutine_threadsafe(node.start(), loop).result(10)
        yield node
    finally:
        asyncio.run_coroutine_threadsafe(node.stop(), loop).result(10)
        loop.call_soon_threadsafe(loop.stop)
        thread.join(10)
        loop.close()
