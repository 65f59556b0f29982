"""A headless Chromium for tests, spoken to in the Chrome DevTools Protocol over a pipe.

The protocol is "Chrome DevTools Protocol" (chromedevtools.github.io), the transport `--remote-debugging-pipe`: Chromium
reads messages from descriptor 3 and writes them to 4, each a JSON object and a NUL. There is no port to find or to
share, and the browser ends when its pipe does. Everything here blocks, so a test may run an event loop of its own.
"""

from __future__ import annotations

import base64
import fcntl
import json
import os
import selectors
import shutil
import signal
import sys
import tempfile
import time
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any, Self

NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
INSTALL = "brew install --cask chromium" if sys.platform == "darwin" else "apt-get install chromium"
MISSING = f"No Chromium on PATH: `{INSTALL}` installs it, or name one in CHROMIUM=/path/to/it."
OPTIONS = (
    *("--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--disable-dev-shm-usage", "--hide-scrollbars"),
    *("--no-first-run", "--no-default-browser-check", "--disable-background-networking", "--disable-sync"),
    *("--disable-component-update", "--disable-extensions", "--disable-default-apps", "--mute-audio"),
    *("--remote-debugging-pipe", "--lang=en-IN", "about:blank"),
)
ANSWER_SECONDS = 30.0
WAIT_SECONDS = 10.0
SHIFT = 8
KEYS = {
    "Enter": {"key": "Enter", "code": "Enter", "windowsVirtualKeyCode": 13, "text": "\r"},
    "Escape": {"key": "Escape", "code": "Escape", "windowsVirtualKeyCode": 27},
    "Space": {"key": " ", "code": "Space", "windowsVirtualKeyCode": 32, "text": " "},
    "Tab": {"key": "Tab", "code": "Tab", "windowsVirtualKeyCode": 9},
}


class BrowserError(Exception):
    """Chromium is missing, ended, or refused a command; or a page did not become what a test waits for."""


def installed_browser() -> str | None:
    """Return the Chromium that CHROMIUM names or that is on PATH, or None."""
    return os.environ.get("CHROMIUM") or next(filter(None, map(shutil.which, NAMES)), None)


class Browser:
    """One Chromium process; each page of it has storage of its own."""

    def __init__(self) -> None:
        """Start the browser. Raises BrowserError when there is none."""
        executable = installed_browser()
        if executable is None:
            raise BrowserError(MISSING)
        self._profile = tempfile.TemporaryDirectory(prefix="chromium-", ignore_cleanup_errors=True)
        self._pid, self._output, self._input = _spawn([executable, f"--user-data-dir={self._profile.name}", *OPTIONS])
        self._readable = selectors.DefaultSelector()
        self._readable.register(self._input, selectors.EVENT_READ)
        self._buffer = b""
        self._last_id = 0
        self._pages: dict[str, Page] = {}

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error: object) -> None:
        self.close()

    def close(self) -> None:
        """End the browser and everything that it started."""
        self._readable.close()
        os.close(self._output)
        os.close(self._input)
        with suppress(ProcessLookupError):
            os.killpg(self._pid, signal.SIGKILL)
        with suppress(ChildProcessError):
            os.waitpid(self._pid, 0)
        self._profile.cleanup()

    def page(self, width: int = 1280, height: int = 800, *, dark: bool = False, scale: float = 1) -> Page:
        """Open an empty page, `width` by `height` CSS pixels, with storage of its own and reduced motion."""
        context = self.command("Target.createBrowserContext")["browserContextId"]
        target = self.command("Target.createTarget", url="about:blank", browserContextId=context)["targetId"]
        session = self.command("Target.attachToTarget", targetId=target, flatten=True)["sessionId"]
        page = self._pages[session] = Page(self, session, context)
        for domain in ("Page", "Runtime", "Log", "Network"):
            page.command(f"{domain}.enable")
        page.command("Emulation.setFocusEmulationEnabled", enabled=True)
        page.resize(width, height, scale=scale)
        page.prefer(dark=dark)
        return page

    def command(self, method: str, session: str | None = None, **parameters: Any) -> dict[str, Any]:
        """Send one command and return its result. Raises BrowserError."""
        self._last_id += 1
        message = {"id": self._last_id, "method": method, "params": parameters}
        _write(self._output, json.dumps(message | ({"sessionId": session} if session else {})).encode() + b"\0")
        deadline = time.monotonic() + ANSWER_SECONDS
        while (answer := self._receive(deadline)).get("id") != self._last_id:
            self._note(answer)
        if "error" in answer:
            raise BrowserError(f"{method}: {answer['error']['message']}")
        result: dict[str, Any] = answer["result"]
        return result

    def forget(self, session: str, context: str) -> None:
        """Close a page and drop its storage."""
        self._pages.pop(session, None)
        self.command("Target.disposeBrowserContext", browserContextId=context)

    def _receive(self, deadline: float) -> dict[str, Any]:
        while b"\0" not in self._buffer:
            if not self._readable.select(max(0.0, deadline - time.monotonic())):
                raise BrowserError(f"Chromium did not answer within {ANSWER_SECONDS:.0f} s.")
            received = os.read(self._input, 1 << 16)
            if not received:
                raise BrowserError("Chromium ended.")
            self._buffer += received
        line, _, self._buffer = self._buffer.partition(b"\0")
        message: dict[str, Any] = json.loads(line)
        return message

    def _note(self, event: dict[str, Any]) -> None:
        page = self._pages.get(event.get("sessionId", ""))
        if page is not None:
            page.note(event["method"], event["params"])


@dataclass
class Page:
    """One tab; `complaints` are its script errors and what the console calls an error (a broken policy too)."""

    browser: Browser
    session: str
    context: str
    complaints: list[str] = field(default_factory=list)

    def command(self, method: str, **parameters: Any) -> dict[str, Any]:
        """Send a command to this tab and return its result. Raises BrowserError."""
        return self.browser.command(method, self.session, **parameters)

    def note(self, method: str, event: dict[str, Any]) -> None:
        """Keep what went wrong in the page."""
        if method == "Runtime.exceptionThrown":
            details = event["exceptionDetails"]
            self.complaints.append(details.get("exception", {}).get("description") or details["text"])
        elif method == "Log.entryAdded" and event["entry"]["level"] == "error":
            self.complaints.append(f"{event['entry']['text']} {event['entry'].get('url', '')}".strip())

    def close(self) -> None:
        """Close the tab."""
        self.browser.forget(self.session, self.context)

    def resize(self, width: int, height: int, *, scale: float = 1) -> None:
        """Make the window `width` by `height` CSS pixels, each `scale` device pixels wide."""
        size = {"width": width, "height": height, "deviceScaleFactor": scale, "mobile": False}
        self.command("Emulation.setDeviceMetricsOverride", **size)

    def prefer(self, *, dark: bool = False, reduced_motion: bool = True) -> None:
        """Set what the person prefers."""
        features = {
            "prefers-color-scheme": "dark" if dark else "light",
            "prefers-reduced-motion": "reduce" if reduced_motion else "no-preference",
        }
        wanted = [{"name": name, "value": value} for name, value in features.items()]
        self.command("Emulation.setEmulatedMedia", features=wanted)

    def goto(self, url: str) -> None:
        """Load `url` and wait until its scripts have run once."""
        failure = self.command("Page.navigate", url=url).get("errorText")
        if failure:
            raise BrowserError(f"{url}: {failure}")
        self.wait_until(f"location.href === {json.dumps(url)} && document.readyState === 'complete'")

    def reload(self) -> None:
        """Load the same page again."""
        self.evaluate("window.beforeReload = true")
        self.command("Page.reload")
        self.wait_until("!window.beforeReload && document.readyState === 'complete'")

    def evaluate(self, expression: str) -> Any:
        """Return the value of a JavaScript expression, a promise's when it is one. Raises BrowserError."""
        answer = self.command("Runtime.evaluate", expression=expression, returnByValue=True, awaitPromise=True)
        if "exceptionDetails" in answer:
            raise BrowserError(f"{expression}: {answer['exceptionDetails']['exception'].get('description')}")
        return answer["result"].get("value")

    def wait_until(self, expression: str, seconds: float = WAIT_SECONDS) -> None:
        """Wait until a JavaScript expression is true; one that throws is not yet. Raises BrowserError."""
        deadline = time.monotonic() + seconds
        while not self._is_true(expression):
            if time.monotonic() > deadline:
                text = self.evaluate("document.body?.innerText")
                raise BrowserError(f"Not within {seconds} s: {expression}\n{self.complaints}\n{text}")
            time.sleep(0.02)

    def _is_true(self, expression: str) -> bool:
        with suppress(BrowserError):
            return bool(self.evaluate(f"Boolean({expression})"))
        return False

    def text(self, selector: str) -> str:
        """Return the text of the last element that `selector` finds."""
        return str(self.evaluate(f"[...document.querySelectorAll({json.dumps(selector)})].at(-1)?.textContent ?? ''"))

    def count(self, selector: str) -> int:
        """Return how many elements `selector` finds."""
        return int(self.evaluate(f"document.querySelectorAll({json.dumps(selector)}).length"))

    def click(self, selector: str, label: str = "") -> None:
        """Press the mouse on the first element that `selector` finds and whose text is `label` (any, when empty)."""
        wanted = f"[...document.querySelectorAll({json.dumps(selector)})]"
        wanted += f".find((e) => !{json.dumps(label)} || e.textContent.trim() === {json.dumps(label)})"
        self.wait_until(wanted)
        x, y = self.evaluate(
            f"((e) => {{ e.scrollIntoView({{block: 'nearest', behavior: 'instant'}});"
            f" const {{x, y, width, height}} = e.getBoundingClientRect();"
            f" return [x + width / 2, y + height / 2]; }})({wanted})"
        )
        for kind in ("mousePressed", "mouseReleased"):
            self.command("Input.dispatchMouseEvent", type=kind, x=x, y=y, button="left", clickCount=1)

    def type(self, text: str) -> None:
        """Insert `text` where the focus is."""
        self.command("Input.insertText", text=text)

    def press(self, key: str) -> None:
        """Press and release a key of KEYS, with Shift when it is led by `Shift+`."""
        name = key.removeprefix("Shift+")
        event: dict[str, Any] = {**KEYS[name], "modifiers": SHIFT if name != key else 0}
        self.command("Input.dispatchKeyEvent", type="keyDown" if "text" in event else "rawKeyDown", **event)
        self.command("Input.dispatchKeyEvent", type="keyUp", **{**event, "text": ""})

    def screenshot(self, *, format: str = "png", quality: int | None = None) -> bytes:  # noqa: A002
        """Return a picture of the window."""
        options = {"format": format} | ({} if quality is None else {"quality": quality})
        return base64.b64decode(self.command("Page.captureScreenshot", **options)["data"])


def _spawn(command: list[str]) -> tuple[int, int, int]:
    """Start Chromium in a process group of its own; return its pid, where to write to it and where to read from it."""
    its_input, our_output = _pipe()
    our_input, its_output = _pipe()
    actions: list[tuple[Any, ...]] = [
        *((os.POSIX_SPAWN_OPEN, descriptor, os.devnull, os.O_RDWR, 0) for descriptor in range(3)),
        (os.POSIX_SPAWN_DUP2, its_input, 3),
        (os.POSIX_SPAWN_DUP2, its_output, 4),
    ]
    try:
        pid = os.posix_spawn(command[0], command, os.environ, file_actions=actions, setpgroup=0)
    finally:
        os.close(its_input)
        os.close(its_output)
    return pid, our_output, our_input


def _pipe() -> tuple[int, int]:
    """Return a pipe whose descriptors are out of the way of 3 and 4."""
    low = os.pipe()
    reading, writing = (fcntl.fcntl(descriptor, fcntl.F_DUPFD_CLOEXEC, 10) for descriptor in low)
    for descriptor in low:
        os.close(descriptor)
    return reading, writing


def _write(descriptor: int, message: bytes) -> None:
    while message:
        message = message[os.write(descriptor, message) :]
