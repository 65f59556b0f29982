"""The chat page in a headless Chromium through both API servers: the page, the assistant and the inventory."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from decimal import Decimal
from typing import Any

import httpx
import pytest

from tests.e2e.browser import Browser, Page

Catalog = list[dict[str, Any]]

SEARCH = "vegan chips under 100 rupees"
# A first answer starts an execution environment and goes through every backing service.
ANSWER_SECONDS = 30
CARDS = """[...[...document.querySelectorAll('#log .bot')].at(-1).querySelectorAll('.product')].map((card) =>
  ['h2', '.price', '.stock'].map((part) => card.querySelector(part).textContent))"""


@pytest.fixture
def chat(browser: Browser, client: httpx.Client, reset: Callable[[], None]) -> Iterator[Page]:
    reset()
    page = browser.page(360, 740)
    page.goto(f"{client.base_url}/chat/ui")
    page.wait_until("!document.querySelector('#welcome').hidden")
    yield page
    assert page.complaints == []
    page.close()
    reset()


def wait_for_answers(page: Page, count: int) -> None:
    page.wait_until(f"document.querySelectorAll('#log .bot').length === {count}", ANSWER_SECONDS)
    assert page.count("#log .error") == 0, page.text("#log .error")


def ask(page: Page, message: str) -> None:
    answers = page.count("#log .bot")
    page.type(message)
    page.press("Enter")
    wait_for_answers(page, answers + 1)


def cards(page: Page) -> dict[str, tuple[str, str]]:
    """Return price and stock, as the newest answer shows them, by the product's name."""
    return {name: (price, stock) for name, price, stock in page.evaluate(CARDS)}


def stock_in_words(quantity: int) -> str:
    return "Out of stock" if quantity == 0 else f"Only {quantity} left" if quantity <= 5 else "In stock"


def test_the_page_admits_no_script_but_its_own(client: httpx.Client) -> None:
    answer = client.get("/chat/ui")

    assert answer.status_code == 200
    assert answer.headers["content-type"] == "text/html; charset=utf-8"
    policy = answer.headers["content-security-policy"]
    assert "default-src 'none'" in policy
    assert "unsafe" not in policy
    assert policy.count("'sha256-") == 2


def test_a_question_is_answered_with_products_of_the_catalogue_and_live_stock(
    chat: Page, client: httpx.Client, catalog: Catalog
) -> None:
    chat.click("#welcome .choice", "Vegan chips under 100 rupees")
    wait_for_answers(chat, 1)

    products = {product["name"]: product for product in catalog}
    shown = cards(chat)
    assert shown
    assert shown.keys() <= products.keys()
    for name, (price, stock) in shown.items():
        assert "vegan" in products[name]["dietary_terms"]
        assert Decimal(price.removeprefix("₹")) == Decimal(products[name]["price"]) <= 100
        assert stock == stock_in_words(client.get(f"/inventory/{products[name]['sku']}").json()["qty"])


def test_an_option_leads_from_a_vague_wish_to_products(chat: Page) -> None:
    ask(chat, "show me something")
    group = "#log .message:last-child .choices[aria-label=Options] .choice"
    assert chat.count(group) > 1
    chosen = str(chat.evaluate(f"document.querySelector({json.dumps(group)}).textContent"))
    chat.click(group, chosen)
    wait_for_answers(chat, 2)

    assert chat.text("#log .user .text") == chosen
    assert cards(chat)


def test_stock_falls_in_the_next_answer_after_an_adjustment(chat: Page, client: httpx.Client, catalog: Catalog) -> None:
    ask(chat, SEARCH)
    name = next(name for name, (_, stock) in cards(chat).items() if stock == "In stock")
    sku = next(product["sku"] for product in catalog if product["name"] == name)
    quantity = client.get(f"/inventory/{sku}").json()["qty"]

    client.post(f"/inventory/{sku}/adjustments", json={"delta": 2 - quantity}).raise_for_status()
    ask(chat, SEARCH)
    assert cards(chat)[name][1] == "Only 2 left"

    client.post(f"/inventory/{sku}/adjustments", json={"delta": -2}).raise_for_status()
    ask(chat, SEARCH)
    # An assistant may also leave out what cannot be had.
    assert cards(chat).get(name, ("", "Out of stock"))[1] == "Out of stock"


def test_the_conversation_outlives_a_reload_until_a_new_one_is_begun(chat: Page) -> None:
    ask(chat, SEARCH)
    before = cards(chat)
    chat.reload()
    chat.wait_until("document.querySelectorAll('#log .message').length === 2", ANSWER_SECONDS)
    assert cards(chat) == before
    ask(chat, "cheaper ones")

    chat.click("#anew")
    chat.wait_until("!document.querySelector('#welcome').hidden && !document.querySelector('#log').childElementCount")
    chat.reload()
    chat.wait_until("!document.querySelector('#welcome').hidden")
    assert chat.count("#log .message") == 0
