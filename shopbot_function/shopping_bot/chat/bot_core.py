"""The bot core: a loop over Claude's tools that always ends with an answer.

It ends after MAXIMUM_ROUNDS calls of Claude or at the deadline, then with what was found so far. A product that no
search of the conversation returned is never shown, whatever the model says.

Within a turn the request to Claude only grows at its end, its own messages included as it sent them: its thinking is
bound to what stood before it (Claude Platform documentation, "Prefix checks on thinking blocks", What must stay the
same, and why).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Any

from lambda_http.json_secret import SecretError
from shopping_bot import request_metrics
from shopping_bot.backends.claude import SHORTEST_CALL_SECONDS, Claude, ClaudeBusyError, ClaudeRefusalError
from shopping_bot.backends.completion import Completion
from shopping_bot.backends.inventory import Inventory
from shopping_bot.chat import tools
from shopping_bot.chat.answer import Answer, AnswerMaker
from shopping_bot.chat.history import Past
from shopping_bot.chat.known_products import KnownProducts
from shopping_bot.chat.toolbox import Toolbox
from shopping_bot.deadline import Deadline
from shopping_bot.observability import logger
from shopping_bot.search.product_search import ProductSearch

MAXIMUM_ROUNDS = 4


@cache
def prompt() -> str:
    """Return the system prompt, prompt.md."""
    return Path(__file__).with_name("prompt.md").read_text(encoding="utf-8")


class BotCore:
    """Answers customers with `claude`, `search` and `inventory`."""

    def __init__(self, claude: Claude, search: ProductSearch, inventory: Inventory) -> None:
        self._claude = claude
        self._search = search
        self._inventory = inventory

    def answer(self, past: Past, deadline: Deadline) -> Answer:
        """Return the answer to the customer's last message in `past`.

        Raises ClaudeBusyError, ClaudeRefusalError and SecretError when Claude cannot be asked at all.
        """
        known = KnownProducts(past.products, self._inventory, deadline)
        toolbox = Toolbox(self._search, self._inventory, known, deadline)
        said: list[dict[str, Any]] = []
        call, text = self._converse(past, said, toolbox, known, deadline)
        maker = AnswerMaker(known, past.customer_texts, is_search_down=toolbox.is_search_down)
        if call is not None:
            given = maker.from_call(call)
        else:
            given = maker.from_found() if text is None else maker.from_text(text)
        logger.debug("Answer made", response_type=given.response_type)
        return replace(given, messages=said, products=known.found, functions=tuple(toolbox.functions))

    def _converse(
        self, past: Past, said: list[dict[str, Any]], toolbox: Toolbox, known: KnownProducts, deadline: Deadline
    ) -> tuple[Mapping[str, Any] | None, str | None]:
        """Ask Claude until it ends the turn, appending its messages and the tools' to `said`.

        Returns the call that ends the turn, or else the text that does; both are None when Claude came to no end.
        """
        for round_number in range(MAXIMUM_ROUNDS):
            if round_number and not deadline.has(SHORTEST_CALL_SECONDS):
                break
            try:
                if round_number == 0:
                    past, completion = self._begin(past, deadline)
                else:
                    completion = self._complete([*past.messages, *said], deadline)
            except (ClaudeBusyError, ClaudeRefusalError, SecretError):
                if not known.found:
                    raise
                request_metrics.current().degraded.add("anthropic")
                break
            if not completion.tool_uses:
                return None, completion.text or (None if completion.is_unfinished else "")
            results, call = toolbox.run(completion)
            said.append({"role": "assistant", "content": completion.content})
            said.append({"role": "user", "content": results})
            if call is not None:
                return call, None
        return None, None

    def _begin(self, past: Past, deadline: Deadline) -> tuple[Past, Completion]:
        """Return Claude's first message and the past that it read.

        It is asked again without the past when something in it is not to Claude's liking: that must not end the
        conversation for good.
        """
        try:
            completion = self._complete(past.messages, deadline)
            if not completion.is_refusal or past.is_first:
                return past, completion
        except ClaudeRefusalError as error:
            if past.is_first or error.reason not in {"request", "size"}:
                raise
        alone = past.without_messages()
        return alone, self._complete(alone.messages, deadline)

    def _complete(self, messages: Sequence[Mapping[str, Any]], deadline: Deadline) -> Completion:
        try:
            return self._claude.complete(
                system=prompt(), tools=tools.definitions(), messages=messages, deadline=deadline
            )
        except (ClaudeBusyError, ClaudeRefusalError, SecretError) as error:
            reason = "busy" if isinstance(error, ClaudeBusyError) else "key"
            if isinstance(error, ClaudeRefusalError):
                reason = error.reason
            request_metrics.current().failed_completions[reason] += 1
            raise
