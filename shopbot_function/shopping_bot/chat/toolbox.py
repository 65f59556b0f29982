"""Running the tools of one turn: the calls of one message side by side, then the one that ends the turn."""

from __future__ import annotations

import contextvars
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from lambda_http.json_secret import SecretError
from shopping_bot import request_metrics
from shopping_bot.backends import BackingServiceError
from shopping_bot.backends.completion import Completion
from shopping_bot.backends.inventory import Inventory
from shopping_bot.chat import tools
from shopping_bot.chat.known_products import KnownProducts
from shopping_bot.chat.tools import SEARCH_PRODUCTS, Outcome, Turn
from shopping_bot.deadline import Deadline
from shopping_bot.observability import log_failure, logger
from shopping_bot.search.product_search import InvalidSearchError, ProductSearch

MAXIMUM_CALLS = 8  # of one message


class Toolbox:
    """The tools of one turn. What searches return is put into `known`.

    `functions` are the tools that ran, in order; `is_search_down` tells whether every search of the last message
    failed because a backing service did.
    """

    def __init__(self, search: ProductSearch, inventory: Inventory, known: KnownProducts, deadline: Deadline) -> None:
        self._turn = Turn(search, inventory, known, deadline)
        self.functions: list[str] = []
        self.is_search_down = False

    def run(self, completion: Completion) -> tuple[list[dict[str, Any]], Mapping[str, Any] | None]:
        """Run what Claude calls; return one tool_result block for each call, and the call that ends the turn.

        The second is None while the turn goes on. Every tool_use needs its tool_result in the next message, or the
        API refuses the conversation.
        """
        calls = completion.tool_uses
        outcomes = self._refused(completion)
        for index, call in enumerate(calls):
            if index not in outcomes:
                self.functions.append(call["name"])
                request_metrics.current().tool_calls[call["name"]] += 1
        self._look_up(calls, outcomes)
        ending: Mapping[str, Any] | None = None
        for index, call in enumerate(calls):
            if index not in outcomes:
                outcomes[index] = self._run(call) if ending is None else tools.failure("the turn has ended")
                if not outcomes[index].is_error:
                    ending = call
        return [outcomes[index].block(call) for index, call in enumerate(calls)], ending

    def _refused(self, completion: Completion) -> dict[int, Outcome]:
        """Return the outcomes of the calls that cannot run, by their place."""
        refused = {}
        for index, call in enumerate(completion.tool_uses):
            mistakes = tools.mistakes(call["name"], call["input"])
            if index >= MAXIMUM_CALLS:
                mistakes = [f"at most {MAXIMUM_CALLS} tools may be called at once"]
            if completion.is_last_call_cut and index == len(completion.tool_uses) - 1:
                mistakes = ["the call was cut short; call again, with less"]
            if mistakes:
                refused[index] = tools.failure("; ".join(mistakes))
        return refused

    def _look_up(self, calls: Sequence[Mapping[str, Any]], outcomes: dict[int, Outcome]) -> None:
        """Add the outcomes of the calls that look something up."""
        pending = [
            index
            for index, call in enumerate(calls)
            if index not in outcomes and not tools.TOOLS[call["name"]].ends_turn
        ]
        found = _side_by_side([self._job(calls[index]) for index in pending])
        for index, outcome in zip(pending, found, strict=True):
            outcomes[index] = outcome
            self._turn.known.put(outcome.products)
        searches = [outcomes[index] for index in pending if calls[index]["name"] == SEARCH_PRODUCTS]
        if searches:
            self.is_search_down = all(outcome.down is not None for outcome in searches)

    def _job(self, call: Mapping[str, Any]) -> Callable[[], Outcome]:
        name, backing_service = call["name"], tools.TOOLS[call["name"]].backing_service

        def run() -> Outcome:
            try:
                return self._run(call)
            except InvalidSearchError as error:
                return tools.failure(str(error))
            except SecretError as error:
                logger.error("A tool has no key", tool=name, key=error.key)
            except BackingServiceError as error:
                logger.warning("A tool's backing service is down", tool=name, reason=error.reason)
            except Exception as error:
                # A defect in one tool must not end a conversation that goes on without it.
                log_failure("A tool failed", error, tool=name)
                return tools.failure(f"{name} failed; go on without it.")
            if backing_service:
                request_metrics.current().degraded.add(backing_service)
            return tools.failure(f"{name} does not work right now; tell the customer so.", down=backing_service)

        return run

    def _run(self, call: Mapping[str, Any]) -> Outcome:
        return tools.TOOLS[call["name"]].run(self._turn, call["input"])


def _side_by_side(jobs: Sequence[Callable[[], Outcome]]) -> list[Outcome]:
    """Return the outcomes of `jobs`, run at the same time, each seeing the request's metrics."""
    if len(jobs) < 2:
        return [job() for job in jobs]
    from concurrent.futures import ThreadPoolExecutor

    with ThreadPoolExecutor(len(jobs), thread_name_prefix="tool") as pool:
        futures = [pool.submit(contextvars.copy_context().run, job) for job in jobs]
        return [future.result() for future in futures]
