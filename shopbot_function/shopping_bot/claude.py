"""Claude, by the Messages API: one POST (Anthropic API reference, "Messages" and "Errors").

Without the official SDK: its import takes seconds, and what it does here is this module (docs/decisions has the
figures).
"""

from __future__ import annotations

import secrets as random
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from shopping_bot import http_client, json_text, measurement
from shopping_bot.deadline import Deadline
from shopping_bot.http_client import NeighbourDownError, Response
from shopping_bot.observability import logger
from shopping_bot.secrets import SecretError, Secrets

NEIGHBOUR = "anthropic"
KEY = "ANTHROPIC_API_KEY"
API_VERSION = "2026-10-21"
MAXIMUM_TOKENS = 1024
MAXIMUM_ATTEMPTS = 4
CALL_TIMEOUT_SECONDS = 20.0
# Less than this is not worth a call: no model answers sooner.
SHORTEST_CALL_SECONDS = 0.5
_FIRST_PAUSE_SECONDS = 0.5
_LONGEST_PAUSE_SECONDS = 8.0
_CACHED = {"cache_control": {"type": "ephemeral"}}


class ClaudeBusyError(Exception):
    """Claude did not answer in time, however often it was asked; `retry_after_seconds` is when to come back."""

    def __init__(self, retry_after_seconds: int) -> None:
        super().__init__("Claude is busy")
        self.retry_after_seconds = retry_after_seconds


class ClaudeRefusalError(Exception):
    """Claude refuses the request as it is; asking again would not help."""


@dataclass(frozen=True)
class Completion:
    """One message of Claude: its content blocks (text and tool_use, each well formed) and why it stopped."""

    content: list[dict[str, Any]]
    stop_reason: str

    @property
    def text(self) -> str:
        """The text of all blocks."""
        return "\n".join(block["text"] for block in self.content if block["type"] == "text").strip()

    @property
    def tool_uses(self) -> list[dict[str, Any]]:
        """The tool calls that Claude asks for."""
        return [block for block in self.content if block["type"] == "tool_use"]


class Claude:
    """The model `model` behind `base_url`."""

    def __init__(
        self, *, base_url: str, model: str, secrets: Secrets, sleep: Callable[[float], None] = time.sleep
    ) -> None:
        self._base_url = base_url
        self._model = model
        self._secrets = secrets
        self._sleep = sleep

    def complete(
        self,
        *,
        system: str,
        tools: Sequence[Mapping[str, Any]],
        messages: Sequence[Mapping[str, Any]],
        deadline: Deadline,
    ) -> Completion:
        """Return Claude's next message. `system` and `tools` are cached by the API between calls.

        Raises ClaudeBusyError, ClaudeRefusalError, and SecretError when the key is missing or refused.
        """
        body = {
            "model": self._model,
            "max_tokens": MAXIMUM_TOKENS,
            "system": [{"type": "text", "text": system, **_CACHED}],
            # The cache covers everything up to the mark, in the order tools, system, messages.
            "tools": [*tools[:-1], {**tools[-1], **_CACHED}] if tools else [],
            "messages": list(messages),
        }
        content = json_text.dump(body).encode()
        pause = _FIRST_PAUSE_SECONDS
        for attempts_left in range(MAXIMUM_ATTEMPTS - 1, -1, -1):
            response = self._post(content, deadline)
            if response is not None and response.status == 200:
                completion = _completion(response.body)
                if completion is not None:
                    return completion
                logger.warning("Claude's answer cannot be read")
            elif response is not None and response.status < 500 and response.status not in {408, 409, 429}:
                logger.error("Claude refuses the request", status=response.status, error_type=_error_type(response))
                raise ClaudeRefusalError
            asked = _retry_after(response)
            # Full jitter, by SystemRandom: environments restored from one SnapStart snapshot share the plain state.
            wait = pause * random.randbelow(1000) / 1000 if asked is None else asked
            if not attempts_left or not deadline.has(wait + SHORTEST_CALL_SECONDS):
                raise ClaudeBusyError(max(1, round(asked or pause)))
            self._sleep(wait)
            pause = min(2 * pause, _LONGEST_PAUSE_SECONDS)
        raise AssertionError("unreachable")

    def reach(self, timeout_seconds: float) -> None:
        """Return when Claude answers and takes the key. Costs no tokens.

        Raises NeighbourDownError and SecretError.
        """
        key = self._secrets.require(KEY)
        url = f"{self._base_url}/v1/models?limit=1"
        response = http_client.request_json(
            "GET", url, neighbour=NEIGHBOUR, headers=_headers(key), timeout_seconds=timeout_seconds
        )
        if response.status in {401, 403}:
            raise SecretError(KEY, "is refused")
        if response.status >= 500:
            raise NeighbourDownError(NEIGHBOUR, f"status {response.status}")

    def _post(self, content: bytes, deadline: Deadline) -> Response | None:
        """Return the answer, None when there is none. Raises SecretError when no key is accepted."""
        key = self._secrets.require(KEY)
        response = self._send(content, key, deadline)
        if response is None or response.status not in {401, 403}:
            return response
        another = self._secrets.after_refusal(KEY, key)
        response = self._send(content, another, deadline) if another else response
        if response is not None and response.status in {401, 403}:
            raise SecretError(KEY, "is refused")
        return response

    def _send(self, content: bytes, key: str, deadline: Deadline) -> Response | None:
        try:
            return http_client.request_json(
                "POST",
                f"{self._base_url}/v1/messages",
                neighbour=NEIGHBOUR,
                body=content,
                headers=_headers(key),
                timeout_seconds=deadline.timeout(CALL_TIMEOUT_SECONDS),
            )
        except NeighbourDownError as error:
            logger.warning("Claude does not answer", reason=error.reason)
            return None


def _headers(key: str) -> dict[str, str]:
    return {"x-api-key": key, "anthropic-version": API_VERSION}


def _completion(body: Any) -> Completion | None:
    """Return what can be used of a message; None when it is none."""
    if not isinstance(body, dict) or not isinstance(body.get("content"), list):
        return None
    usage = body.get("usage")
    if isinstance(usage, dict):
        _count(usage)
    blocks = [_block(block) for block in body["content"] if isinstance(block, dict)]
    stop_reason = body.get("stop_reason")
    content = [block for block in blocks if block is not None]
    return Completion(content, stop_reason if isinstance(stop_reason, str) else "end_turn")


def _block(block: Mapping[str, Any]) -> dict[str, Any] | None:
    kind, text = block.get("type"), block.get("text")
    # An empty text block would be refused when it comes back with the conversation.
    if kind == "text" and isinstance(text, str) and text.strip():
        return {"type": "text", "text": _whole(text)}
    identifier, name = block.get("id"), block.get("name")
    if kind == "tool_use" and isinstance(identifier, str) and isinstance(name, str):
        given = block.get("input")
        # Anything but an object would be refused when it comes back; the tool's schema tells Claude what is missing.
        return {
            "type": "tool_use",
            "id": identifier,
            "name": _whole(name),
            "input": _whole(given) if isinstance(given, dict) else {},
        }
    return None


def _whole(value: Any) -> Any:
    """Return `value` with replacement characters for half surrogate pairs, which no UTF-8 can carry."""
    if isinstance(value, str):
        return value.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    if isinstance(value, list):
        return [_whole(item) for item in value]
    if isinstance(value, dict):
        return {_whole(name): _whole(member) for name, member in value.items()}
    return value


def _count(usage: Mapping[str, Any]) -> None:
    tokens = measurement.current().tokens
    for name in ("input_tokens", "cache_creation_input_tokens", "cache_read_input_tokens", "output_tokens"):
        if isinstance(usage.get(name), int):
            tokens[name] += usage[name]


def _error_type(response: Response) -> str:
    error = response.body.get("error") if isinstance(response.body, dict) else None
    kind = error.get("type") if isinstance(error, dict) else None
    return kind[:60] if isinstance(kind, str) else "unknown"


def _retry_after(response: Response | None) -> float | None:
    text = response.headers.get("retry-after", "") if response else ""
    try:
        seconds = float(text)
    except ValueError:
        return None
    return seconds if 0 <= seconds < 3600 else None
