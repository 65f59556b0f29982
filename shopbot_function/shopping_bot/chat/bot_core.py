"""The bot core: a loop over Claude's tools that always ends with an answer.

It ends after MAXIMUM_ROUNDS calls of Claude or at the deadline, then with what was found so far. A product that no
search of the conversation returned is never shown, whatever the model says.

Within a turn the request to Claude only grows at its end, its own messages included as it sent them: its thinking is
bound to what stood before it (Claude Platform documentation, "Prefix checks on thinking blocks", What must stay the
same, and why).
"""

from __future__ import annotations

import contextvars
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Any

from shopping_bot import request_metrics
from shopping_bot.backends.claude import SHORTEST_CALL_SECONDS, Claude, ClaudeBusyError, ClaudeRefusalError
from shopping_bot.backends.completion import Completion
from shopping_bot.backends.inventory import Inventory
from shopping_bot.backends.secrets import SecretError
from shopping_bot.chat import answer, grounding, history, tools
from shopping_bot.chat.answer import Answer
from shopping_bot.chat.known_products import KnownProducts
from shopping_bot.chat.tools import ASK_USER, ENDING, RECOMMEND, SEARCH_PRODUCTS, Outcome, Search, Toolbox
from shopping_bot.deadline import Deadline
from shopping_bot.observability import log_failure, logger

MAXIMUM_ROUNDS = 4
MAXIMUM_TOOL_USES = 8  # of one message
_SHOWN_WITHOUT_A_CHOICE = 5


@cache
def prompt() -> str:
    """Return the system prompt, prompt.md."""
    return Path(__file__).with_name("prompt.md").read_text(encoding="utf-8")


class BotCore:
    """Answers customers with `claude`, `search` and `stock`."""

    def __init__(self, claude: Claude, search: Search, stock: Inventory) -> None:
        self._claude = claude
        self._toolbox = Toolbox(search, stock)
        self._inventory = stock

    def answer(self, entries: Sequence[history.Entry], text: str, deadline: Deadline) -> Answer:
        """Return the answer to the customer's `text` after `entries`, what was said before.

        Raises ClaudeBusyError, ClaudeRefusalError and SecretError when Claude cannot be asked at all.
        """
        turn = _Turn(self._claude, self._toolbox, KnownProducts(history.products(entries), self._inventory), deadline)
        given = turn.run(entries, text)
        logger.debug("Answer made", response_type=given.response_type)
        return given


class _Turn:
    def __init__(self, claude: Claude, toolbox: Toolbox, known: KnownProducts, deadline: Deadline) -> None:
        self._claude = claude
        self._toolbox = toolbox
        self._known = known
        self._deadline = deadline
        self._said: list[str] = []
        self._messages: list[dict[str, Any]] = []
        self._told = 0  # how many of them are the past and the customer's message
        self._functions: list[str] = []
        self._is_search_down = False

    def run(self, entries: Sequence[history.Entry], text: str) -> Answer:
        self._said = [*history.customer_texts(entries), text]
        self._begin(entries, text)
        for round_number in range(MAXIMUM_ROUNDS):
            if round_number and not self._deadline.has(SHORTEST_CALL_SECONDS):
                break
            try:
                completion = self._complete() if round_number else self._complete_first(entries, text)
            except (ClaudeBusyError, ClaudeRefusalError, SecretError):
                if not self._known.found:
                    raise
                request_metrics.current().degraded.add("anthropic")
                break
            given = self._take(completion)
            if given is not None:
                return self._complete_answer(given)
        return self._complete_answer(self._answer_from_found())

    def _begin(self, entries: Sequence[history.Entry], text: str) -> None:
        self._messages = history.messages(entries, text)
        self._told = len(self._messages)

    def _complete_first(self, entries: Sequence[history.Entry], text: str) -> Completion:
        """Return Claude's first message, without the past when something in it is not to Claude's liking.

        It must not end the conversation for good.
        """
        try:
            completion = self._complete()
            if not (completion.is_refusal and entries):
                return completion
        except ClaudeRefusalError:
            if not entries:
                raise
        self._begin([], text)
        return self._complete()

    def _complete(self) -> Completion:
        try:
            return self._claude.complete(
                system=prompt(), tools=tools.definitions(), messages=self._messages, deadline=self._deadline
            )
        except (ClaudeBusyError, ClaudeRefusalError, SecretError):
            request_metrics.current().failed_completions += 1
            raise

    def _take(self, completion: Completion) -> Answer | None:
        """Do what Claude asks for; return the answer when that ends the turn."""
        uses = completion.tool_uses
        if not uses:
            is_cut = completion.is_unfinished and not completion.text
            return self._answer_from_found() if is_cut else self._talk(completion.text)
        outcomes, given = self._run_tools(uses, is_last_cut=completion.is_last_call_cut)
        # Every tool_use gets its tool_result in the next message, or the API refuses the conversation.
        results = [outcome.block(use) for use, outcome in zip(uses, outcomes, strict=True)]
        self._messages.append({"role": "assistant", "content": completion.content})
        self._messages.append({"role": "user", "content": results})
        return given

    def _run_tools(
        self, uses: Sequence[Mapping[str, Any]], *, is_last_cut: bool
    ) -> tuple[list[Outcome], Answer | None]:
        outcomes: list[Outcome | None] = []
        jobs: dict[int, Callable[[], Outcome]] = {}
        for index, use in enumerate(uses):
            wrong = tools.mistakes(use["name"], use["input"])
            if index >= MAXIMUM_TOOL_USES:
                wrong = [f"at most {MAXIMUM_TOOL_USES} tools may be called at once"]
            if is_last_cut and index == len(uses) - 1:
                wrong = ["the call was cut short; call again, with less"]
            outcomes.append(tools.failure("; ".join(wrong)) if wrong else None)
            if not wrong:
                self._functions.append(use["name"])
                request_metrics.current().tool_calls[use["name"]] += 1
                if use["name"] not in ENDING:
                    jobs[index] = self._job(use)
        for index, outcome in zip(jobs, _side_by_side(list(jobs.values())), strict=True):
            outcomes[index] = outcome
            self._known.put(outcome.products)
        searches = [outcomes[index] for index in jobs if uses[index]["name"] == SEARCH_PRODUCTS]
        if searches:
            self._is_search_down = all(outcome is not None and outcome.down for outcome in searches)
        given: Answer | None = None
        for index, use in enumerate(uses):
            if outcomes[index] is None:
                outcome, ending = self._end(use) if given is None else (tools.failure("the turn has ended"), None)
                outcomes[index], given = outcome, given or ending
        return [outcome for outcome in outcomes if outcome is not None], given

    def _job(self, use: Mapping[str, Any]) -> Callable[[], Outcome]:
        def run() -> Outcome:
            try:
                return self._toolbox.run(use["name"], use["input"], self._deadline)
            except Exception as error:
                # One tool's defect is an error for Claude to work around, not the end of the conversation.
                log_failure("A tool failed", error, tool=use["name"])
                return tools.failure(f"{use['name']} does not work right now; tell the customer so.")

        return run

    def _end(self, use: Mapping[str, Any]) -> tuple[Outcome, Answer | None]:
        given = use["input"]
        if use["name"] == ASK_USER:
            return Outcome({"asked": True}), answer.ask_user(given["question"], given["options"])
        assert use["name"] == RECOMMEND  # noqa: S101  the other tool that ends a turn
        products = self._known.show(given["skus"])
        if not products:
            return tools.failure("no search of this conversation returned any of these SKUs; search first"), None
        summary = given["summary"] if self._is_true(given["summary"], products) else answer.FOUND
        shown = Outcome({"shown": [product["sku"] for product in products]})
        return shown, answer.final_answer(summary, products, given.get("quick_replies", []))

    def _talk(self, text: str) -> Answer:
        named = [sku for sku, product in self._known.found.items() if sku in text or str(product["name"]) in text]
        if named:
            # Claude listed products instead of recommending them: show the shop's own record of each.
            products = self._known.show(named[: tools.MAXIMUM_SHOWN])
            return answer.final_answer(text if self._is_true(text, products) else answer.FOUND, products, [])
        if not text and self._known.found:
            return self._answer_from_found()
        if not self._is_true(text, self._known.products()):
            text = answer.NOTHING_TO_SAY
        if self._is_search_down and "search" not in text.lower():
            text = f"{answer.SEARCH_IS_DOWN} {text}".strip()
        return answer.talk(text)

    def _answer_from_found(self) -> Answer:
        if self._known.found:
            skus = list(self._known.found)[:_SHOWN_WITHOUT_A_CHOICE]
            return answer.final_answer(answer.FOUND, self._known.show(skus), [])
        return answer.talk(answer.SEARCH_IS_DOWN if self._is_search_down else answer.UNFINISHED)

    def _is_true(self, text: str, products: Sequence[Mapping[str, Any]]) -> bool:
        return grounding.quotes_only(text, products, self._said)

    def _complete_answer(self, given: Answer) -> Answer:
        return replace(
            given, messages=self._messages[self._told :], products=self._known.found, functions=tuple(self._functions)
        )


def _side_by_side(jobs: Sequence[Callable[[], Outcome]]) -> list[Outcome]:
    """Return the outcomes of `jobs`, run at the same time, each seeing the request's metrics."""
    if len(jobs) < 2:
        return [job() for job in jobs]
    from concurrent.futures import ThreadPoolExecutor

    with ThreadPoolExecutor(len(jobs), thread_name_prefix="tool") as pool:
        futures = [pool.submit(contextvars.copy_context().run, job) for job in jobs]
        return [future.result() for future in futures]
