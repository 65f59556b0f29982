"""Claude, by the Messages API: one POST (Anthropic API reference, "Messages" and "Errors").

Without the official SDK: its import takes seconds, and what it does here is this module (docs/decisions has the
figures).

Claude thinks before it speaks unless it is told not to, and what it thought must come back unchanged with the rest of
its message within a turn (Claude Platform documentation, "Migrating to Claude Sonnet 5.5", Thinking runs by default;
"Thinking", Preserving thinking blocks). Its thinking is opaque here: kept as received, never read, shown or logged.
"""

from __future__ import annotations

import secrets as random
import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from lambda_http import json_text
from lambda_http.json_secret import JsonSecret, SecretError
from shopping_bot import request_metrics
from shopping_bot.backends import BackingServiceError, http
from shopping_bot.backends.completion import Completion
from shopping_bot.backends.http import Response
from shopping_bot.deadline import Deadline
from shopping_bot.observability import logger

BACKING_SERVICE = "anthropic"
KEY = "ANTHROPIC_API_KEY"
API_VERSION = "2026-10-21"
# Thinking counts as well ("Thinking", How thinking works), so this is several times what the longest answer needs.
MAXIMUM_TOKENS = 4096
# The default is high, and then the first word may take longer than API Gateway waits ("Effort", Effort levels).
EFFORT = "low"
# They answer 400 "This model does not support the effort parameter." ("Effort", supported models).
_MODELS_WITHOUT_EFFORT = ("claude-haiku-4-5", "claude-sonnet-4-5")
MAXIMUM_ATTEMPTS = 4
CALL_TIMEOUT_SECONDS = 20.0
# Less than this is not worth a call: no model answers sooner.
SHORTEST_CALL_SECONDS = 0.5
_FIRST_PAUSE_SECONDS = 0.5
_LONGEST_PAUSE_SECONDS = 8.0
_REFUSALS = {402: "billing", 403: "permission", 404: "model", 413: "size"}
_CACHED = {"cache_control": {"type": "ephemeral"}}


class ClaudeBusyError(Exception):
    """Claude did not answer in time, however often it was asked; `retry_after_seconds` is when to come back."""

    def __init__(self, retry_after_seconds: int) -> None:
        super().__init__("Claude is busy")
        self.retry_after_seconds = retry_after_seconds


class ClaudeRefusalError(Exception):
    """Claude refuses the request as it is; asking again would not help.

    `reason` is billing, permission, model, size or request: the account has no credit or is at its limit, the key may
    not use the model, there is no such model, the request is too large, or something else is wrong with it.
    """

    def __init__(self, reason: str) -> None:
        super().__init__(f"Claude refuses the request ({reason})")
        self.reason = reason


class Claude:
    """The model `model` behind `base_url`."""

    def __init__(
        self, *, base_url: str, model: str, secrets: JsonSecret, sleep: Callable[[float], None] = time.sleep
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
        content = json_text.dump(self._body(system, tools, messages)).encode()
        try:
            return self._ask(content, deadline)
        except SecretError as error:
            logger.error("Claude cannot be asked", key=error.key, reason=error.reason)
            raise

    def reach(self, timeout_seconds: float) -> None:
        """Return when Claude answers and takes the key. Costs no tokens.

        Raises BackingServiceError and SecretError.
        """
        key = self._secrets.require_for_header(KEY)
        url = f"{self._base_url}/v1/models?limit=1"
        response = http.request_json(
            "GET", url, backing_service=BACKING_SERVICE, headers=_headers(key), timeout_seconds=timeout_seconds
        )
        if response.status == 401:
            raise SecretError(KEY, "is refused")
        if response.status >= 400 and response.status != 429:
            why = _refusal(response) or _error_type(response)
            raise BackingServiceError(BACKING_SERVICE, f"status {response.status} ({why})")

    def _body(
        self, system: str, tools: Sequence[Mapping[str, Any]], messages: Sequence[Mapping[str, Any]]
    ) -> dict[str, Any]:
        return {
            "model": self._model,
            "max_tokens": MAXIMUM_TOKENS,
            **({} if self._model.startswith(_MODELS_WITHOUT_EFFORT) else {"output_config": {"effort": EFFORT}}),
            "system": [{"type": "text", "text": system, **_CACHED}],
            # The cache covers everything up to the mark, in the order tools, system, messages.
            "tools": [*tools[:-1], {**tools[-1], **_CACHED}] if tools else [],
            "messages": list(messages),
        }

    def _ask(self, content: bytes, deadline: Deadline) -> Completion:
        pause = _FIRST_PAUSE_SECONDS
        for attempt in range(1, MAXIMUM_ATTEMPTS + 1):
            response = self._post(content, deadline)
            if response is not None and response.status == 200:
                completion = Completion.from_message(response.body)
                if completion is not None:
                    _count(response.body.get("usage"))
                    return completion
                logger.warning("Claude's answer cannot be read")
            elif response is not None and (reason := _refusal(response)):
                logger.error("Claude refuses the request", reason=reason, **_failure(response))
                raise ClaudeRefusalError(reason)
            asked = _retry_after(response)
            # Full jitter, by SystemRandom: environments restored from one SnapStart snapshot share the plain state.
            wait = pause * random.randbelow(1000) / 1000 if asked is None else asked
            if attempt == MAXIMUM_ATTEMPTS or not deadline.has(wait + SHORTEST_CALL_SECONDS):
                logger.error("Claude cannot be asked", attempts=attempt, **_failure(response))
                raise ClaudeBusyError(max(1, round(asked or pause)))
            self._sleep(wait)
            pause = min(2 * pause, _LONGEST_PAUSE_SECONDS)
        raise AssertionError("unreachable")

    def _post(self, content: bytes, deadline: Deadline) -> Response | None:
        """Return the answer, None when there is none. Raises SecretError when no key is accepted."""
        key = self._secrets.require_for_header(KEY)
        response = self._send(content, key, deadline)
        # 403 is a key without a permission, which another key may have.
        if response is not None and response.status in {401, 403} and self._secrets.after_refusal(KEY, key):
            response = self._send(content, self._secrets.require_for_header(KEY), deadline)
        if response is not None and response.status == 401:
            raise SecretError(KEY, "is refused")
        return response

    def _send(self, content: bytes, key: str, deadline: Deadline) -> Response | None:
        try:
            return http.request_json(
                "POST",
                f"{self._base_url}/v1/messages",
                backing_service=BACKING_SERVICE,
                body=content,
                headers=_headers(key),
                timeout_seconds=deadline.timeout(CALL_TIMEOUT_SECONDS),
            )
        except BackingServiceError as error:
            logger.warning("Claude does not answer", reason=error.reason)
            return None


def _headers(key: str) -> dict[str, str]:
    return {"x-api-key": key, "anthropic-version": API_VERSION}


def _count(usage: Any) -> None:
    if not isinstance(usage, dict):
        return
    tokens = request_metrics.current().tokens
    for name in ("input_tokens", "cache_creation_input_tokens", "cache_read_input_tokens", "output_tokens"):
        if isinstance(usage.get(name), int):
            tokens[name] += usage[name]


def _failure(response: Response | None) -> dict[str, Any]:
    """Return what the log tells of a response that is no answer: never its text, which may quote a customer."""
    if response is None:
        return {"reason": "there is no answer"}
    if response.status == 200:
        return {"status": 200, "reason": "the answer cannot be read"}
    return {"status": response.status, "error_type": _error_type(response)}


def _refusal(response: Response) -> str | None:
    """Return why asking again would be refused again, see ClaudeRefusalError; None when it would not.

    Source: Claude Platform documentation, "Errors" and "Rate limits" (Spend limits): the account's credit and the
    limits that its owner sets are told by the message of a 400, the cap of its tier by the code of a 429.
    """
    error = _error(response)
    message, details = str(error.get("message", "")).lower(), error.get("details")
    if isinstance(details, dict) and details.get("error_code") == "enforced_spend_limit_reached":
        return "billing"
    if response.status >= 500 or response.status in {408, 409, 429}:
        return None
    if response.status in _REFUSALS:
        return _REFUSALS[response.status]
    return "billing" if any(words in message for words in ("credit balance", "usage limits")) else "request"


def _error_type(response: Response) -> str:
    kind = _error(response).get("type")
    return kind[:60] if isinstance(kind, str) else "unknown"


def _error(response: Response) -> Mapping[str, Any]:
    error = response.body.get("error") if isinstance(response.body, dict) else None
    return error if isinstance(error, dict) else {}


def _retry_after(response: Response | None) -> float | None:
    text = response.headers.get("retry-after", "") if response else ""
    try:
        seconds = float(text)
    except ValueError:
        return None
    return seconds if 0 <= seconds < 3600 else None
