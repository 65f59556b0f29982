"""What to do with a customer's message: talk, ask, search, look up stock, or show what is known already."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Final

from emulator.backing_services.anthropic.model import choosing, wording
from emulator.backing_services.anthropic.model.dialogue import Dialogue, Turn
from emulator.backing_services.anthropic.model.records import Record, main_words
from emulator.backing_services.anthropic.model.toolset import ASK, RECOMMEND, SEARCH, STOCK, Toolset
from emulator.backing_services.anthropic.model.understanding import Kind, Understanding, understand
from emulator.backing_services.anthropic.model.vocabulary import UMBRELLAS, singular
from emulator.backing_services.anthropic.model.wish import Wish
from emulator.backing_services.anthropic.reply import Reply, Text

_SUPPORT_MARK: Final = re.compile(r"\[support\]", re.IGNORECASE)
_AND: Final = re.compile(r"\s*(?:,|&|\band\b|\bplus\b)\s*")
_ALSO: Final = re.compile(r"^(?:and|what about|how about|or|any)\b", re.IGNORECASE)
_KINDS_OF_THINGS: Final = {
    singular(word) for names in UMBRELLAS.values() for name in names for word in name.split("-")
} | {"cookie", "rice", "dal", "atta", "oil", "ghee", "honey", "shampoo", "toothpaste", "ketchup", "oat", "bhujia"}


class Plan:
    """The first step of a turn."""

    def __init__(self, dialogue: Dialogue, tools: Toolset, system: str) -> None:
        self._dialogue = dialogue
        self._tools = tools
        self._system = system
        self._categories = tools.members(SEARCH, "category")
        self._numbers = dialogue.customer_numbers()
        self.shown = dialogue.shown()
        self.understanding = self._understand(dialogue.current.text)
        if self.understanding.kind in (Kind.CHEAPER, Kind.DEARER) and not self._compares():
            self.understanding = replace(self.understanding, kind=Kind.PRODUCT)

    def first_step(self) -> Reply:
        """Return what to say or call on a message of the customer."""
        kind = self.understanding.kind
        if kind in wording.TALK:
            return [Text(wording.TALK[kind])]
        if kind is Kind.SUPPORT:
            mark = _SUPPORT_MARK.search(self._system)
            return [Text(f"{mark[0]} {wording.SUPPORT}" if mark else wording.SUPPORT)]
        steps: Mapping[Kind, Callable[[], Reply]] = {
            Kind.STOCK: self._stock,
            Kind.DETAILS: self._details,
            Kind.COMPARE: self._compare,
            Kind.CHEAPEST: lambda: self._pick(choosing.cheapest, "the cheapest of them"),
            Kind.BEST: lambda: self._pick(choosing.best, "the one that I would take: it is rated best"),
        }
        if self.shown and kind in steps:
            return steps[kind]()
        return self._search_or_ask()

    def wish(self) -> Wish | None:
        """Return what the customer wants searched by now; None when only a question can tell."""
        said, before = self.understanding.wish, self._wish_before()
        kind = self.understanding.kind
        if kind is Kind.SIMILAR and self.shown:
            return self._like(self._referred()[:1] or self.shown[:1], before)
        if before is not None and self.shown and kind in (Kind.CHEAPER, Kind.DEARER, Kind.MORE):
            return self._more_of(before, said, kind)
        if kind is Kind.VAGUE and not said.dietary and not said.brands:
            return None
        if before is not None and self._continues(said):
            return before.changed_by(said)
        if before is not None and self.understanding.is_change and said.query:
            if self._dialogue.current.text.lower().startswith("with "):
                return before.changed_by(replace(said, query=f"{before.query} {said.query}".strip()))
            if _ALSO.match(self._dialogue.current.text):
                return before.changed_by(said)
        is_named = said.query or said.category or said.dietary or said.brands or said.avoid
        return said if is_named else None

    def show(self, chosen: Sequence[Record], summary: str, wish: Wish | None = None) -> Reply:
        """Return the reply that shows products."""
        if RECOMMEND not in self._tools:
            return [Text(f"{summary}\n{wording.plain_list(chosen)}")]
        replies = choosing.quick_replies(chosen, wish or Wish())
        ids = [record.id for record in chosen]
        return [self._tools.call(RECOMMEND, ids=ids, summary=summary, quick_replies=replies)]

    def ask(self, question: str, options: Sequence[Mapping[str, str]]) -> Reply:
        """Return the reply that asks the customer."""
        if ASK not in self._tools:
            return [Text(f"{question} For example: {wording.listed([option['label'] for option in options], 'or')}.")]
        return [self._tools.call(ASK, question=question, options=list(options))]

    def ask_what_kind(self) -> Reply:
        """Return the reply that asks what the customer is looking for."""
        return self.ask(wording.WHICH, choosing.category_options(self.understanding.umbrella, self._categories))

    def ask_instead(self, wish: Wish) -> Reply:
        """Return the reply to a search that found nothing, or nothing new."""
        if self.understanding.kind is Kind.MORE and self.shown:
            return self.ask(wording.no_more(wish, self._numbers), choosing.category_options(None, self._categories))
        return self.ask(wording.nothing(wish, self._numbers), choosing.retry_options(wish, self._categories))

    def _understand(self, text: str) -> Understanding:
        brands = {record.brand for record in self._dialogue.known.values() if record.brand}
        return understand(
            text, categories=self._categories, brands=self._tools.members(SEARCH, "brands") or sorted(brands)
        )

    def _search_or_ask(self) -> Reply:
        wish = self.wish()
        if wish is None:
            return self.ask_what_kind()
        if SEARCH not in self._tools:
            return [Text(wording.NO_SEARCH)]
        return [self._tools.search(one) for one in self._side_by_side(wish)]

    def _side_by_side(self, wish: Wish) -> list[Wish]:
        """Return a wish for each thing when the customer named several: "chips and biscuits"."""
        words = wish.query.split()
        if words and wish.has_filters() and all(word in UMBRELLAS for word in words):
            return [replace(wish, query=name.replace("-", " "), category=None) for name in UMBRELLAS[words[0]][:4]]
        parts = [self._understand(part).wish for part in _AND.split(self._dialogue.current.text.lower())]
        queries = list(dict.fromkeys(part.query for part in parts if part.query))
        if len(queries) < 2 or not all(singular(query.split()[-1]) in _KINDS_OF_THINGS for query in queries):
            return [wish]
        return [replace(wish, query=query, category=None) for query in queries[:4]]

    def _continues(self, said: Wish) -> bool:
        """Tell whether a message only adds to what was said before."""
        if said.query or said.category:
            # The answer to a question that came before any search.
            last = self._dialogue.earlier[-1]
            return bool(last.of(ASK)) and not last.of(SEARCH)
        return said.has_filters() and not self.understanding.is_fresh

    def _compares(self) -> bool:
        """Tell whether "cheaper" means: than what was shown."""
        before = self._wish_before()
        query = self.understanding.wish.query
        return (
            bool(self.shown) and before is not None and (not query or set(query.split()) <= set(before.query.split()))
        )

    def _wish_before(self) -> Wish | None:
        before: Wish | None = None
        for turn in self._dialogue.earlier:
            searches = [call for call in turn.calls if call.name == SEARCH]
            if searches:
                before = replace(self._tools.wish(searches[-1].input), size=None)
                continue
            meant = self._turn_wish(turn)
            if meant.kind in (Kind.PRODUCT, Kind.VAGUE) and (meant.wish.query or meant.wish.has_filters()):
                said = meant.wish if meant.kind is Kind.PRODUCT else replace(meant.wish, query="")
                continues = before and not said.query and not meant.is_fresh
                before = before.changed_by(said) if before and continues else said
        return before

    def _turn_wish(self, turn: Turn) -> Understanding:
        return self._understand(turn.text)

    def _more_of(self, before: Wish, said: Wish, kind: Kind) -> Wish:
        wish = before.changed_by(said)
        if kind is Kind.CHEAPER:
            return replace(wish, price_max=choosing.below(self.shown) or wish.price_max, price_min=None)
        if kind is Kind.DEARER:
            return replace(wish, price_min=choosing.above(self.shown) or wish.price_min, price_max=None)
        return replace(wish, size=min(len(self._dialogue.seen()) + choosing.USUAL_NUMBER, 20))

    def _like(self, references: Sequence[Record], before: Wish | None) -> Wish:
        record = references[0]
        dietary = before.dietary if before else ()
        query = record.category.replace("-", " ") or main_words(record.name)
        category = record.category if self._tools.accepts(SEARCH, "category") and record.category else None
        return Wish(query=query, category=category, dietary=dietary, avoid=before.avoid if before else ())

    def _referred(self) -> list[Record]:
        return choosing.referred(self.shown, self.understanding.references, self.understanding.wish.query)

    def _stock(self) -> Reply:
        asked = self._referred()
        if not asked and self.understanding.wish.query:
            return self._search_or_ask()
        asked = asked or self.shown
        if STOCK not in self._tools:
            return [Text(wording.stock(asked, self._dialogue.known))]
        return [self._tools.call(STOCK, ids=[record.id for record in asked])]

    def _details(self) -> Reply:
        asked = self._referred()
        if not asked and self.understanding.wish.query:
            return self._search_or_ask()
        record = (asked or self.shown)[0]
        return self.show([record], wording.details(record))

    def _compare(self) -> Reply:
        asked = self._referred() or self.shown
        return self.show(asked, wording.comparison(asked))

    def _pick(self, best: Callable[[Sequence[Record]], Record | None], why: str) -> Reply:
        record = best(self.shown)
        return self.show([record], f"{record.name} is {why}.") if record else self.ask_what_kind()
