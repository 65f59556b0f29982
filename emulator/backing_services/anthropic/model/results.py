"""What to do once tools have answered: show, ask again, mend a refused call, or say that something does not work."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from typing import Final

from emulator.backing_services.anthropic.model import choosing, wording
from emulator.backing_services.anthropic.model.dialogue import Call, Dialogue
from emulator.backing_services.anthropic.model.planning import Plan
from emulator.backing_services.anthropic.model.records import Record, by_id, records, relaxed
from emulator.backing_services.anthropic.model.toolset import ASK, RECOMMEND, SEARCH, STOCK, Toolset
from emulator.backing_services.anthropic.model.understanding import Kind
from emulator.backing_services.anthropic.model.wish import Wish
from emulator.backing_services.anthropic.reply import Reply, Text

_DOWN: Final = re.compile(r"not work|unavailable|unreachable|timed? ?out|try again|\bdown\b", re.IGNORECASE)
_MAXIMUM_MENDS: Final = 1
_ORDERS: Final = (
    (re.compile(r"\b(?:cheapest|lowest price|cheap|cheaper)\b", re.IGNORECASE), Kind.CHEAPEST),
    (re.compile(r"\b(?:best|top)[- ]?(?:rated)?\b", re.IGNORECASE), Kind.BEST),
)


def next_step(dialogue: Dialogue, plan: Plan, tools: Toolset) -> Reply:
    """Return what follows on the results of the last round of calls."""
    calls = dialogue.current.last_round
    ended = [call for call in calls if call.name in (ASK, RECOMMEND) and not call.is_error]
    if ended:
        return [Text(wording.SHOWN if ended[-1].name == RECOMMEND else wording.ASKED)]
    searches = [call for call in calls if call.name == SEARCH]
    if any(not call.is_error for call in searches):
        return _present(dialogue, plan, tools, [call for call in searches if not call.is_error])
    if any(call.is_error for call in calls):
        return _mend(dialogue, plan, tools, next(call for call in calls if call.is_error))
    stocks = [call for call in calls if call.name == STOCK]
    if stocks:
        return _tell_stock(dialogue, plan, stocks)
    return [Text(wording.SHOWN)]


def _present(dialogue: Dialogue, plan: Plan, tools: Toolset, searches: Sequence[Call]) -> Reply:
    kind = plan.understanding.kind
    wish = plan.wish() or tools.wish(searches[0].input)
    found = list(by_id(record for call in searches for record in call.products).values())
    given_up = list(dict.fromkeys(name for call in searches for name in relaxed(call.result)))
    order = next((order for pattern, order in _ORDERS if pattern.search(dialogue.current.text)), None)
    if kind in (Kind.CHEAPER, Kind.DEARER) and plan.shown:
        # What was shown before is compared with: a limit that the search gave up would bring the same products again.
        chosen = choosing.choose(found, wish, Kind.CHEAPEST if kind is Kind.CHEAPER else order, ())
        given_up = [name for name in given_up if name not in ("price_min", "price_max")]
        if not chosen:
            return _no_other(plan, kind)
    else:
        left_out = _left_out(dialogue, plan, kind)
        left = [record for record in found if record.id not in left_out]
        chosen = (
            _mixed([call.products for call in searches], wish, order, given_up)
            if len(searches) > 1
            else (choosing.choose(left, wish, order, given_up))
        )
    if not chosen:
        return plan.ask_instead(wish)
    numbers = dialogue.customer_numbers()
    if kind is Kind.STOCK:
        summary = wording.stock(chosen, dialogue.known)
    elif len(searches) > 1:
        things = wording.listed([tools.wish(call.input).query for call in searches])
        summary = f"Here is something of each: {things}. {wording.out_of_stock(chosen)}".strip()
    else:
        summary = wording.found(chosen, wish, kind, order, given_up, numbers)
    return plan.show(chosen, summary, wish)


def _left_out(dialogue: Dialogue, plan: Plan, kind: Kind) -> set[str]:
    if kind is Kind.MORE:
        return dialogue.seen()
    if kind is Kind.SIMILAR:
        places = choosing.referred(plan.shown, plan.understanding.references, plan.understanding.wish.query)
        return {record.id for record in places[:1] or plan.shown[:1]}
    return set()


def _mixed(lists: Sequence[list[Record]], wish: Wish, order: Kind | None, given_up: Sequence[str]) -> list[Record]:
    """Return the best of each search in turn."""
    number = max(1, choosing.USUAL_NUMBER // len(lists) + 1)
    each = [choosing.choose(found, wish, order, given_up)[:number] for found in lists]
    return list(by_id(record for chosen in each for record in chosen).values())[: choosing.GREATEST_NUMBER]


def _no_other(plan: Plan, kind: Kind) -> Reply:
    if kind is Kind.CHEAPER:
        record = choosing.cheapest(plan.shown)
        if record is not None:
            return plan.show([record], f"I found nothing cheaper: {record.name} is the cheapest of them.")
    return plan.show(plan.shown, "I found nothing above these.")


def _tell_stock(dialogue: Dialogue, plan: Plan, stocks: Sequence[Call]) -> Reply:
    entries = [entry for call in stocks for entry in records(call.result)]
    known = dialogue.known
    told = wording.stock(entries, known)
    chosen = [known[entry.id] for entry in entries if entry.id in known]
    return plan.show(chosen, told) if chosen else [Text(told)]


def _mend(dialogue: Dialogue, plan: Plan, tools: Toolset, refused: Call) -> Reply:
    """Return a better call where the refusal says what was wrong with it, else an apology."""
    reason = refused.result if isinstance(refused.result, str) else json.dumps(refused.result)
    mends = sum(call.is_error and call.name == refused.name for call in dialogue.current.calls)
    if mends <= _MAXIMUM_MENDS and not _DOWN.search(reason):
        if refused.name == SEARCH:
            wish = tools.wish(refused.input)
            return [tools.search(Wish(query=wish.query, dietary=wish.dietary, price_max=wish.price_max))]
        if refused.name == RECOMMEND:
            known = dialogue.known
            ids = [one for one in known if one in json.dumps(refused.input) and one not in reason]
            if ids:
                return plan.show([known[one] for one in ids], wording.SHOWN)
    apologies = {SEARCH: wording.SEARCH_DOWN, STOCK: wording.STOCK_DOWN}
    return [Text(apologies.get(refused.name, wording.TROUBLE))]
