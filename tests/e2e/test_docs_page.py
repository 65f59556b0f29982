"""The page at /docs in a headless Chromium, under its content security policy and without any other host."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Iterator

import pytest
import uvicorn
from app.main import app

from emulator.processes.ports import free_port
from tests.e2e.browser import Browser


@pytest.fixture
def url() -> Iterator[str]:
    """The application under uvicorn; the page needs no backing service."""
    server = uvicorn.Server(uvicorn.Config(app, port=free_port(), log_level="error"))
    thread = threading.Thread(target=lambda: asyncio.run(server.serve()))
    thread.start()
    yield f"http://127.0.0.1:{server.config.port}"
    server.should_exit = True
    thread.join()


def test_the_page_shows_every_operation_and_opens_one(browser: Browser, url: str) -> None:
    page = browser.page()
    page.goto(f"{url}/docs")
    page.wait_until("document.querySelectorAll('.opblock').length === 8")
    page.evaluate("document.querySelector('.opblock-summary-control').click()")
    page.wait_until("document.querySelector('.opblock.is-open .try-out')")
    hosts = page.evaluate("[...new Set(performance.getEntriesByType('resource').map((e) => new URL(e.name).host))]")
    assert hosts == [url.removeprefix("http://")]
    assert page.complaints == []
    page.close()
