"""Take docs/images/chat.png: the chat page on a phone, the top of an answer in light and its end in dark.

`python -m tests.e2e.chat_page_screenshot` takes it with canned answers; a URL after it names a shop that runs, such as
http://127.0.0.1:3000.
"""

from __future__ import annotations

import base64
import sys

from sam_template.repository import REPOSITORY
from tests.e2e.browser import Browser
from tests.e2e.chat_page_server import ChatPageServer

PICTURE = REPOSITORY / "docs/images/chat.png"
WIDTH, HEIGHT, GAP, SCALE = 360, 700, 15, 1.2
ANSWER_SECONDS = 30
FRAME = """<style>
  body {{ display: flex; gap: {gap}px; margin: {gap}px; }}
  img {{ width: {width}px; height: {height}px; border-radius: 28px; outline: 1px solid #8886; }}
</style>"""


def phone(browser: Browser, url: str, *, dark: bool) -> bytes:
    """Return a picture of the page after a question that found something: its top when light, its end when dark."""
    page = browser.page(WIDTH, HEIGHT, dark=dark, scale=SCALE)
    page.goto(f"{url}/chat/ui")
    page.wait_until("!document.querySelector('#welcome').hidden")
    page.click("#welcome .choice", "Vegan chips under 100 rupees")
    page.wait_until("document.querySelector('.product')", ANSWER_SECONDS)
    if dark:
        page.evaluate("document.querySelector('main').scrollTop = 1e6")
    picture = page.screenshot()
    page.close()
    return picture


def side_by_side(browser: Browser, pictures: list[bytes]) -> bytes:
    """Return one picture of all, on a transparent ground."""
    page = browser.page(len(pictures) * (WIDTH + GAP) + GAP, HEIGHT + 2 * GAP, scale=SCALE)
    sources = (f"data:image/png;base64,{base64.b64encode(picture).decode()}" for picture in pictures)
    html = FRAME.format(gap=GAP, width=WIDTH, height=HEIGHT) + "".join(f'<img src="{source}">' for source in sources)
    frame = page.command("Page.getFrameTree")["frameTree"]["frame"]["id"]
    page.command("Page.setDocumentContent", frameId=frame, html=html)
    page.command("Emulation.setDefaultBackgroundColorOverride", color={"r": 0, "g": 0, "b": 0, "a": 0})
    page.wait_until("[...document.images].every((image) => image.complete)")
    return page.screenshot()


def main(url: str | None) -> None:
    """Write the picture."""
    with Browser() as browser, ChatPageServer() as stub:
        phones = [phone(browser, url or stub.url, dark=dark) for dark in (False, True)]
        PICTURE.parent.mkdir(parents=True, exist_ok=True)
        PICTURE.write_bytes(side_by_side(browser, phones))
    print(f"{PICTURE.relative_to(REPOSITORY)}: {PICTURE.stat().st_size // 1000} kB")


if __name__ == "__main__":
    main(sys.argv[1] if len(sys.argv) > 1 else None)
