"""The chat page in a headless Chromium, with canned answers behind it: every kind of answer, refusal and preference."""

from __future__ import annotations

import json
import re
import threading
from collections.abc import Iterator
from typing import Any

import pytest
from shopping_bot.routes.pages import policy

from tests.e2e.browser import MISSING, Browser, BrowserError, Page
from tests.e2e.chat_page_server import (
    PAGE,
    SESSION,
    ChatPageServer,
    Reply,
    answer,
    content_security_policy,
    inline_blocks,
    problem,
    products,
)

PHONE = (360, 740)
MARKUP = "<img src=x onerror=\"document.title='owned'\">"
BOT, USER = "#log .bot", "#log .user"

# The least contrast of any text with what is painted behind it (WCAG 2.2, "Contrast (Minimum)": at least 4.5).
POOREST_CONTRAST = """(() => {
  const channels = (color) => color.match(/[\\d.]+/g).map(Number);
  const linear = (c) => (c /= 255) <= 0.04045 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4;
  const luminance = ([r, g, b]) => 0.2126 * linear(r) + 0.7152 * linear(g) + 0.0722 * linear(b);
  const behind = (e) => {
    for (; e; e = e.parentElement) {
      const color = channels(getComputedStyle(e).backgroundColor);
      if (color.length === 3 || color[3] === 1) return color;
    }
    return [255, 255, 255];
  };
  const found = [];
  const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  while (walker.nextNode()) {
    const e = walker.currentNode.parentElement;
    const said = walker.currentNode.data.trim();
    if (!said || !e.checkVisibility() || e.matches('script, .unseen, [aria-disabled=true]')) continue;
    const [a, b] = [channels(getComputedStyle(e).color), behind(e)].map(luminance);
    found.push([(Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05), said]);
  }
  return found.sort((a, b) => a[0] - b[0])[0];
})()"""


@pytest.fixture
def stub() -> Iterator[ChatPageServer]:
    with ChatPageServer() as server:
        yield server


@pytest.fixture(scope="module")
def tab(browser: Browser) -> Page:
    return browser.page()


@pytest.fixture
def chat(tab: Page, stub: ChatPageServer) -> Iterator[Page]:
    """The page, open on a desktop; a script error or a broken content security policy fails the test.

    Each stub listens on a port of its own, so what an earlier test left in storage belongs to another origin.
    """
    tab.complaints.clear()
    open_page(tab, stub)
    yield tab
    assert not [complaint for complaint in tab.complaints if not complaint.startswith("Failed to load resource")]


def open_page(page: Page, stub: ChatPageServer) -> None:
    page.goto(f"{stub.url}/chat/ui")
    page.wait_until("document.querySelector('#log').childElementCount || !document.querySelector('#welcome').hidden")


def opened(browser: Browser, stub: ChatPageServer, width: int = 1280, height: int = 800, *, dark: bool = False) -> Page:
    page = browser.page(width, height, dark=dark)
    open_page(page, stub)
    return page


def ask(page: Page, message: str) -> None:
    """Send `message` from the composer and wait for what comes back."""
    before = page.count(BOT)
    page.type(message)
    page.press("Enter")
    page.wait_until(f"document.querySelectorAll({json.dumps(BOT)}).length === {before + 1}")


def focused(page: Page) -> str:
    return str(page.evaluate("document.activeElement.textContent.trim() || document.activeElement.id"))


def buttons(page: Page) -> list[str]:
    found: list[str] = page.evaluate("[...document.querySelectorAll('#log .choice')].map((e) => e.textContent)")
    return found


# --- what is sent ----------------------------------------------------------------------------------------------------


def test_the_page_is_one_small_answer_that_needs_no_other_and_no_template_engine() -> None:
    page = PAGE.read_text()

    assert len(page.encode()) < 25_000
    assert {tag: len(blocks) for tag, blocks in inline_blocks(page).items()} == {"style": 1, "script": 1}
    assert not re.search(r"\{\{|\{%|\{#", page)
    assert not re.search(r"<[^>]*\s(on\w+|style)=", page)
    assert not re.search(r"(src|href)=(?!\"data:)", page)
    assert set(re.findall(r"https?://[^'\" ]+", page)) == {"http://www.w3.org/2000/svg"}
    assert not re.search(r"innerHTML|outerHTML|insertAdjacentHTML|document\.write|\beval\(", page)


def test_the_policy_of_these_tests_is_the_services_and_admits_the_pages_own_blocks_alone() -> None:
    sent = policy(PAGE.read_bytes())

    assert content_security_policy(PAGE.read_text()) == sent
    assert len(re.findall(r"'sha256-[A-Za-z0-9+/]{43}='", sent)) == 2
    assert "unsafe" not in sent


def test_a_message_goes_out_with_the_browsers_user_and_then_its_session(chat: Page, stub: ChatPageServer) -> None:
    ask(chat, "hi")
    ask(chat, "hi")

    first, second = stub.asked("POST", "/chat")
    assert re.fullmatch(r"web-[0-9a-f]{32}", first["user_id"])
    assert first == {"user_id": first["user_id"], "message": "hi", "channel": "web"}
    assert second == first | {"session_id": SESSION}


def test_it_works_behind_a_stage_path(chat: Page, stub: ChatPageServer) -> None:
    chat.goto(f"{stub.url}/prod/chat/ui")
    ask(chat, "hi")
    chat.reload()
    chat.wait_until(f"document.querySelector({json.dumps(BOT)})")
    chat.click("#anew")
    chat.wait_until("!document.querySelector('#welcome').hidden")
    ask(chat, "hi")

    assert len(stub.asked("POST", "/prod/chat")) == 2
    assert len(stub.asked("GET", f"/prod/chat/{SESSION}")) == len(stub.asked("POST", "/prod/reset")) == 1


def test_an_idea_of_the_empty_page_is_asked_when_clicked(chat: Page, stub: ChatPageServer) -> None:
    chat.click("#welcome .choice", "Vegan chips under 100 rupees")
    chat.wait_until("document.querySelector('.product')")

    assert stub.asked("POST", "/chat")[0]["message"] == "Vegan chips under 100 rupees"
    assert chat.evaluate("document.querySelector('#welcome').hidden")


# --- every kind of answer --------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("message", "says"), [("hi", "What may I find"), ("refund", "support@shop.example")])
def test_talk_is_shown_as_text(chat: Page, message: str, says: str) -> None:
    ask(chat, message)

    assert says in chat.text(f"{BOT} .text")
    assert chat.text(f"{USER} .text") == message


def test_products_are_cards_with_price_and_stock(chat: Page) -> None:
    ask(chat, "vegan chips under 100 rupees")

    assert chat.count(".product") == 4
    first = chat.evaluate("document.querySelector('.product').innerText").split("\n")
    assert list(filter(None, first))[:4] == ["Baked Ragi Chips, Tomato", "₹75", "Neelvan · 100 g · ★ 4.2", "In stock"]
    assert {"vegan", "no palm oil"} <= set(first)
    states: list[str] = chat.evaluate("[...document.querySelectorAll('.stock')].map((e) => e.textContent)")
    assert states == ["In stock", "In stock", "Only 2 left", "Out of stock"]


@pytest.mark.parametrize(
    ("changed", "price", "stock"),
    [
        ({"price": 1450, "stock": 6}, "₹1,450", "In stock"),
        ({"price": "123456.50", "stock": 5}, "₹1,23,456.50", "Only 5 left"),
        ({"price": None, "stock": None, "in_stock": True}, "", "In stock"),
        ({"price": "dear", "stock": 7, "in_stock": False}, "", "Out of stock"),
        ({"price": 0, "stock": None, "in_stock": None}, "₹0", "Stock unknown"),
    ],
)
def test_prices_are_rupees_and_an_unknown_stock_is_not_guessed(
    chat: Page, stub: ChatPageServer, changed: dict[str, Any], price: str, stock: str
) -> None:
    content = {"summary_message": "One:", "products": products("CHIPS-BEET-80G", **changed)}
    stub.replies.append(Reply(answer("final_answer", content)))
    ask(chat, "beetroot")

    assert (chat.text(".price"), chat.text(".stock")) == (price, stock)


def test_quick_replies_are_buttons_that_send_their_value_and_go(chat: Page, stub: ChatPageServer) -> None:
    ask(chat, "vegan chips")
    assert buttons(chat) == ["Cheaper ones", "Only without palm oil"]
    chat.click(".choice", "Cheaper ones")
    chat.wait_until("document.querySelectorAll('#log .bot').length === 2")

    assert stub.asked("POST", "/chat")[1]["message"] == "cheaper ones"
    assert chat.text(f"{USER} .text") == "Cheaper ones"
    assert buttons(chat) == ["Cheaper ones", "Only without palm oil"]  # of the newest answer alone


def test_options_are_a_group_of_buttons(chat: Page, stub: ChatPageServer) -> None:
    ask(chat, "show me something")

    assert chat.text(f"{BOT} .text") == "Gladly! What kind of thing?"
    assert chat.evaluate("document.querySelector('#log .choices').getAttribute('role')") == "group"
    chat.click(".choice", "Breakfast")
    chat.wait_until("document.querySelector('.product')")
    assert stub.asked("POST", "/chat")[1]["message"] == "show me breakfast"


def test_a_final_answer_with_nothing_in_it_is_its_sentence(chat: Page, stub: ChatPageServer) -> None:
    stub.replies.append(Reply(answer("final_answer", {"summary_message": "Nothing fits.", "products": []})))
    ask(chat, "a unicorn")

    assert chat.text(f"{BOT} .text") == "Nothing fits."
    assert chat.count(".products") == len(buttons(chat)) == 0


def test_a_busy_session_is_asked_again_by_itself(chat: Page, stub: ChatPageServer) -> None:
    ask(chat, "busy")
    assert "still answering" in chat.text(f"{BOT} .text")
    assert buttons(chat) == ["Retry in 1 s"]

    stub.replies.append(Reply(answer("casual", {"message": "Done with that."})))
    chat.wait_until("document.querySelector('#log').textContent.includes('Done with that.')")
    assert [request["message"] for request in stub.asked("POST", "/chat")] == ["busy", "busy"]
    assert (chat.count(USER), chat.count(BOT)) == (1, 1)


def test_a_session_that_stays_busy_is_left_to_the_person(chat: Page, stub: ChatPageServer) -> None:
    stub.replies += [
        Reply(answer("processing", {"message": "Still busy."}), 202, {"retry-after": seconds}) for seconds in "1111"
    ]
    ask(chat, "busy")
    chat.wait_until("document.querySelector('#log .choice:enabled')?.textContent === 'Retry'", 10)
    assert len(stub.asked("POST", "/chat")) == 4

    stub.replies.append(Reply(answer("casual", {"message": "At last."})))
    chat.click(".choice", "Retry")
    chat.wait_until("document.querySelector('#log').textContent.includes('At last.')")


def test_what_is_degraded_is_said_until_it_is_not(chat: Page, stub: ChatPageServer) -> None:
    stub.replies.append(
        Reply(answer("casual", {"message": "Hello."}, degraded=["redis", "elasticsearch", "elsewhere"]))
    )
    ask(chat, "hi")
    banner = chat.text("#degraded")
    ask(chat, "hi")

    assert "Memory is unavailable just now" in banner
    assert "search is unavailable" in banner
    assert "Part of the shop is unavailable" in banner
    assert chat.evaluate("document.querySelector('#degraded').hidden")


# --- refusals and failures -------------------------------------------------------------------------------------------


def test_a_refusal_shows_its_sentence_and_a_retry_that_repeats_no_question(chat: Page, stub: ChatPageServer) -> None:
    ask(chat, "down")
    assert "The assistant is busy just now" in chat.text(".error .text")
    assert "Zx9-stub-42" in chat.text(".error small")

    stub.replies.append(Reply(answer("casual", {"message": "Here I am again."})))
    chat.click(".choice", "Retry")
    chat.wait_until("document.querySelector('#log').textContent.includes('Here I am again.')")
    assert (chat.count(USER), chat.count(BOT), chat.count(".error")) == (1, 1, 0)
    assert [request["message"] for request in stub.asked("POST", "/chat")] == ["down", "down"]


def test_a_retry_waits_as_long_as_the_service_says(chat: Page, stub: ChatPageServer) -> None:
    stub.replies.append(problem(429, "Too Many Requests", "Too many at once.", **{"retry-after": "1"}))
    ask(chat, "hi")

    assert buttons(chat) == ["Retry in 1 s"]
    assert chat.evaluate("document.querySelector('#log .choice').disabled")
    chat.wait_until("document.querySelector('#log .choice:enabled')?.textContent === 'Retry'")
    assert len(stub.asked("POST", "/chat")) == 1


def test_a_message_that_is_refused_for_itself_comes_back_to_be_edited(chat: Page, stub: ChatPageServer) -> None:
    stub.replies.append(problem(400, "Bad Request", "The message holds a lone surrogate."))
    ask(chat, "chips?")
    chat.click(".choice", "Edit message")

    assert chat.evaluate("document.activeElement.value") == "chips?"
    assert buttons(chat) == []


def test_a_conversation_that_is_gone_is_followed_by_a_new_one(chat: Page, stub: ChatPageServer) -> None:
    ask(chat, "hi")
    stub.replies.append(problem(404, "Not Found", "There is no such conversation."))
    ask(chat, "hi")
    chat.click(".choice", "Retry")
    chat.wait_until("!document.querySelector('.error') && document.querySelectorAll('#log .bot').length === 2")

    assert [request.get("session_id") for request in stub.asked("POST", "/chat")] == [None, SESSION, None]


@pytest.mark.parametrize(
    ("reply", "says"),
    [
        (Reply({"message": "Internal Server Error"}, 500), "Internal Server Error"),
        (Reply({}, 502), "The shop could not answer."),
        (Reply(answer("error", {"message": "That went wrong."})), "That went wrong."),
        (Reply({"session_id": SESSION}), "The shop could not answer."),
    ],
)
def test_any_other_failure_has_a_sentence(chat: Page, stub: ChatPageServer, reply: Reply, says: str) -> None:
    stub.replies.append(reply)
    ask(chat, "hi")

    assert says in chat.text(".error .text")
    assert buttons(chat) == ["Retry"]


def test_an_unreachable_shop_has_a_sentence(chat: Page) -> None:
    chat.command("Network.setBlockedURLs", urls=["*/chat"])
    ask(chat, "hi")
    assert chat.text(".error .text") == "The shop cannot be reached."

    chat.command("Network.setBlockedURLs", urls=[])
    chat.click(".choice", "Retry")
    chat.wait_until("document.querySelector('#log').textContent.includes('What may I find')")


def test_nothing_that_is_said_becomes_markup(chat: Page, stub: ChatPageServer) -> None:
    planted = products("CHIPS-BEET-80G", name=MARKUP, brand=MARKUP, description=MARKUP, dietary_terms=[MARKUP])
    content = {"summary_message": MARKUP, "products": planted, "quick_replies": [MARKUP]}
    stub.replies.append(Reply(answer("final_answer", content)))
    ask(chat, MARKUP)
    assert chat.evaluate("document.querySelector('#log').innerText").count(MARKUP) == 7

    stub.replies.append(Reply(answer("ask_user", {"question": MARKUP, "options": [{"label": MARKUP, "value": "x"}]})))
    ask(chat, "and")
    stub.replies.append(problem(503, MARKUP, MARKUP))
    ask(chat, "then")
    stub.turns += [{"role": "assistant", "content": MARKUP, "at": MARKUP}]
    chat.reload()
    chat.wait_until("document.querySelectorAll('#log .message').length > 4")

    assert chat.count("img") == 0
    assert chat.evaluate("document.title") == "Shop assistant"


# --- waiting, keyboard, composer -------------------------------------------------------------------------------------


def test_one_message_at_a_time_and_the_wait_is_announced(chat: Page, stub: ChatPageServer) -> None:
    held = threading.Event()
    stub.replies.append(Reply(answer("casual", {"message": "Now."}), held=held))
    chat.type("hi")
    chat.press("Enter")
    chat.wait_until("document.querySelector('#typing').textContent === 'The assistant is answering'")
    chat.type("and another thing")
    chat.press("Enter")

    assert chat.evaluate("document.getAnimations().length") == 0  # less motion is preferred
    assert chat.evaluate("document.querySelector('#send').ariaDisabled") == "true"
    assert chat.evaluate("document.activeElement.value") == "and another thing"
    held.set()
    chat.wait_until("document.querySelector('#typing').textContent === ''")
    assert len(stub.asked("POST", "/chat")) == 1
    assert chat.evaluate("document.querySelector('#send').ariaDisabled") == "false"


def test_a_conversation_needs_nothing_but_a_keyboard(chat: Page, stub: ChatPageServer) -> None:
    assert focused(chat) == "message"
    ask(chat, "show me something")
    assert focused(chat) == "message"

    chat.press("Shift+Tab")
    assert focused(chat) == "Skin care"
    assert chat.evaluate("getComputedStyle(document.activeElement).outlineWidth") == "3px"
    chat.press("Shift+Tab")
    chat.press("Space")
    chat.wait_until("document.querySelector('.product')")
    assert stub.asked("POST", "/chat")[1]["message"] == "show me breakfast"
    assert focused(chat) == "message"

    for _ in range(4):  # two quick replies, the conversation, the header
        chat.press("Shift+Tab")
    assert focused(chat) == "New conversation"
    chat.press("Escape")
    assert focused(chat) == "message"


def test_the_ideas_and_the_conversation_are_reached_with_tab(chat: Page) -> None:
    reached = []
    for _ in range(6):
        chat.press("Shift+Tab")
        reached.append(focused(chat).split("\n")[0])
    chat.press("Escape")
    chat.press("Tab")

    assert reached[:4] == [
        "Show me something",
        "Sugar-free chocolate",
        "Biscuits without palm oil",
        "Vegan chips under 100 rupees",
    ]
    assert reached[4:] == ["What are you looking for?", "New conversation"]
    assert focused(chat) == "Send"


def test_shift_enter_begins_a_line_and_only_space_is_not_sent(chat: Page, stub: ChatPageServer) -> None:
    chat.press("Enter")
    chat.type("   ")
    chat.press("Enter")
    assert stub.asked("POST", "/chat") == []

    chat.type("hi")
    chat.press("Shift+Enter")
    chat.type("there")
    height = chat.evaluate("document.activeElement.offsetHeight")
    ask(chat, "!")
    assert stub.asked("POST", "/chat")[0]["message"] == "hi\nthere!"
    assert chat.evaluate("document.activeElement.offsetHeight") < height


def test_a_message_ends_at_its_limit_and_says_so_before(chat: Page, stub: ChatPageServer) -> None:
    chat.type("a" * 1799)
    assert chat.text("#count") == ""
    chat.type("b" * 500)
    assert chat.text("#count") == "2000 of 2000"

    ask(chat, "")
    assert len(stub.asked("POST", "/chat")[0]["message"]) == 2000
    assert chat.text("#count") == ""


# --- a conversation that lasts ---------------------------------------------------------------------------------------


def test_a_reload_brings_the_conversation_back(chat: Page, stub: ChatPageServer) -> None:
    ask(chat, "show me something")
    ask(chat, "vegan chips")
    chat.reload()
    chat.wait_until("document.querySelector('.product')")

    user = stub.asked("POST", "/chat")[0]["user_id"]
    assert stub.asked("GET", f"/chat/{SESSION}") == [{"user_id": user}]
    assert (chat.count(USER), chat.count(BOT), chat.count(".product")) == (2, 2, 4)
    assert buttons(chat) == ["Cheaper ones", "Only without palm oil"]
    assert chat.evaluate("document.querySelector('#welcome').hidden")
    ask(chat, "hi")
    assert stub.asked("POST", "/chat")[-1]["session_id"] == SESSION


def test_turns_of_any_shape_are_shown(chat: Page, stub: ChatPageServer) -> None:
    ask(chat, "hi")
    shapes: list[Any] = [
        {"role": "user", "content": {"message": "one"}},
        {"role": "assistant", "content": "two", "at": "not a time"},
        {"role": "assistant", "content": {"response_type": "casual", "message": "three"}},
        {"role": "assistant", "content": {"message": "four"}, "at": "2026-11-20T10:05:02Z"},
        {"role": "assistant", "content": None},
        "five",
    ]
    stub.history_reply = Reply({"turns": shapes})
    chat.reload()
    chat.wait_until("document.querySelectorAll('#log .message').length === 5")

    texts: list[str] = chat.evaluate("[...document.querySelectorAll('#log .text')].map((e) => e.textContent)")
    assert texts == ["one", "two", "three", "four", ""]


def test_a_conversation_that_expired_makes_room_for_a_new_one(chat: Page, stub: ChatPageServer) -> None:
    ask(chat, "hi")
    stub.turns.clear()
    chat.reload()
    chat.wait_until("document.querySelector('.note')")

    assert chat.text(".note") == "The earlier conversation has ended."
    assert not chat.evaluate("document.querySelector('#welcome').hidden")
    ask(chat, "hi")
    assert "session_id" not in stub.asked("POST", "/chat")[-1]


def test_a_memory_that_is_down_costs_the_past_and_not_the_session(chat: Page, stub: ChatPageServer) -> None:
    ask(chat, "hi")
    stub.history_reply = problem(503, "Service Unavailable", "Memory is unavailable.")
    chat.reload()
    chat.wait_until("document.querySelector('.note')")

    assert chat.text(".note") == "The earlier messages cannot be shown just now."
    ask(chat, "hi")
    assert stub.asked("POST", "/chat")[-1]["session_id"] == SESSION


def test_a_new_conversation_forgets_the_old_one_here_and_there(chat: Page, stub: ChatPageServer) -> None:
    ask(chat, "vegan chips")
    chat.click("#anew")
    chat.wait_until("!document.querySelector('#welcome').hidden")
    ask(chat, "hi")

    user = stub.asked("POST", "/chat")[0]["user_id"]
    assert stub.asked("POST", "/reset") == [{"user_id": user, "session_id": SESSION}]
    assert stub.asked("POST", "/chat")[-1] == {"user_id": user, "message": "hi", "channel": "web"}
    assert (chat.count(USER), chat.count(".product")) == (1, 0)


def test_a_new_conversation_does_not_wait_for_an_answer_under_way(chat: Page, stub: ChatPageServer) -> None:
    held = threading.Event()
    stub.replies.append(Reply(answer("casual", {"message": "Too late."}), held=held))
    chat.type("hi")
    chat.press("Enter")
    chat.wait_until("document.querySelector('#typing').textContent")
    chat.click("#anew")
    chat.wait_until("!document.querySelector('#welcome').hidden")
    held.set()
    ask(chat, "hi")

    assert "Too late." not in chat.text("#log")


def test_a_browser_that_forbids_storage_still_talks(browser: Browser, stub: ChatPageServer) -> None:
    page = browser.page()
    forbidden = "Object.defineProperty(window, '{}', {{ get() {{ throw new DOMException('no', 'SecurityError') }} }});"
    page.command(
        "Page.addScriptToEvaluateOnNewDocument",
        source=forbidden.format("localStorage") + forbidden.format("sessionStorage"),
    )
    page.goto(f"{stub.url}/chat/ui")
    page.wait_until("!document.querySelector('#welcome').hidden")
    ask(page, "hi")
    ask(page, "hi")

    first, second = stub.asked("POST", "/chat")
    assert second == first | {"session_id": SESSION}
    assert page.complaints == []
    page.close()


# --- how it looks ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("width", [320, 360, 768, 1280])
def test_nothing_is_wider_than_the_window(browser: Browser, stub: ChatPageServer, width: int) -> None:
    long = "x" * 400
    wide = products("CHIPS-BEET-80G", name=long, brand=long, description=long, dietary_terms=[long], price=99999999)
    content = {"summary_message": long, "products": wide, "quick_replies": [long]}
    stub.replies.append(Reply(answer("final_answer", content)))
    page = opened(browser, stub, width)
    ask(page, long)

    for selector in ("html", "main", "#log", ".product", ".choices"):
        element = f"document.querySelector({json.dumps(selector)})"
        assert page.evaluate(f"{element}.scrollWidth - {element}.clientWidth") <= 0, selector
    page.close()


def test_a_question_stays_in_sight_above_a_tall_answer(browser: Browser, stub: ChatPageServer) -> None:
    page = opened(browser, stub, *PHONE)
    ask(page, "hi")
    ask(page, "vegan chips")

    top = f"[...document.querySelectorAll({json.dumps(USER)})].at(-1).getBoundingClientRect().top"
    header = "document.querySelector('header').getBoundingClientRect().bottom"
    assert 0 < page.evaluate(f"{top} - {header}") < 40
    page.close()


def test_the_end_stays_in_sight_above_a_composer_that_grows(browser: Browser, stub: ChatPageServer) -> None:
    page = opened(browser, stub, *PHONE)
    stub.replies.append(Reply(answer("casual", {"message": "Hello.\n" * 30})))
    ask(page, "hi")
    ask(page, "hi")
    page.type("chips\n" * 8)

    hidden = "((e) => e.scrollHeight - e.scrollTop - e.clientHeight)(document.querySelector('main'))"
    page.wait_until(f"{hidden} < 1")
    page.close()


@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
def test_everything_is_legible_in_both_schemes(browser: Browser, stub: ChatPageServer, dark: bool) -> None:
    page = opened(browser, stub, *PHONE, dark=dark)
    background = page.evaluate("getComputedStyle(document.body).backgroundColor.match(/\\d+/g).map(Number)")
    poorest = [page.evaluate(POOREST_CONTRAST)]
    stub.replies.append(Reply(answer("final_answer", {}, degraded=["redis"])))
    for message in ("refund", "", "show me something", "down", "vegan chips"):
        ask(page, message or "anything")
        poorest.append(page.evaluate(POOREST_CONTRAST))

    assert (max(background) < 60) is dark
    assert min(poorest)[0] >= 4.5, min(poorest)
    page.close()


# --- the browser of these tests --------------------------------------------------------------------------------------


def test_a_missing_browser_is_one_sentence(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("CHROMIUM", raising=False)
    monkeypatch.setenv("PATH", "/nowhere")

    with pytest.raises(BrowserError, match=re.escape(MISSING)):
        Browser()
