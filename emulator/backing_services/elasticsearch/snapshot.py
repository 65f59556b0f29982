"""What a search sees: the documents of an index as of its last refresh, with their texts in tantivy."""

from __future__ import annotations

import functools
import math
from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from emulator.backing_services.elasticsearch.analysis import analyzer
from emulator.backing_services.elasticsearch.fuzziness import distance_within
from emulator.backing_services.elasticsearch.mapping import TEXTS, Field, IndexMapping, Value

if TYPE_CHECKING:  # large, and imported with the first search
    import tantivy

Scores = dict[int, float]
"""The rows that match, each with its score."""

_HEAP_BYTES: Final = 15_000_000  # the least that tantivy takes
_ROW: Final = "row"
_DISJUNCTION_TIE: Final = 0.01  # Lucene's BlendedTermQuery
_MAXIMUM_EXPANSIONS: Final = 50


class Document(NamedTuple):
    """One document: its id, its JSON, and the values of its fields."""

    identifier: str
    source: Mapping[str, Any]
    values: Mapping[str, list[Value]]


class Snapshot:
    """Rows are the documents in the order in which they came."""

    def __init__(self, mapping: IndexMapping, documents: Iterable[Document]) -> None:
        self.mapping = mapping
        self.documents: Sequence[Document] = tuple(documents)
        texts = [one for one in mapping.fields.values() if one.type in TEXTS]
        # A name of the mapping may be no name for tantivy.
        self._names = {one.name: f"f{number}" for number, one in enumerate(texts)}
        self._texts = texts

    def prepare(self) -> None:
        """Have what the first search would wait for."""
        _ = self._searcher

    @functools.cached_property
    def _schema(self) -> tantivy.Schema:
        import tantivy

        builder = tantivy.SchemaBuilder()
        for one in self._texts:
            builder.add_text_field(self._names[one.name], tokenizer_name=one.analyzer)
        builder.add_unsigned_field(_ROW, fast=True)
        return builder.build()

    @functools.cached_property
    def _searcher(self) -> tantivy.Searcher:
        """The texts in tantivy."""
        import tantivy

        texts = self._texts
        index = tantivy.Index(self._schema)
        for name in {one.analyzer for one in texts}:
            index.register_tokenizer(name, analyzer(name))
        # One thread makes one segment, so that the frequencies behind BM25 are those of the whole index.
        writer = index.writer(_HEAP_BYTES, 1)
        for row, document in enumerate(self.documents):
            entry = tantivy.Document()
            entry.add_unsigned(_ROW, row)
            for one in texts:
                for value in document.values[one.name]:
                    entry.add_text(self._names[one.name], str(value))
            writer.add_document(entry)
        writer.commit()
        writer.wait_merging_threads()
        index.reload()
        return index.searcher()

    def all_rows(self) -> range:
        """Return every row."""
        return range(len(self.documents))

    def values(self, row: int, name: str) -> list[Value]:
        """Return the values of a field of one document."""
        return self.documents[row].values.get(name, [])

    def terms(self, one: Field, weighted: Iterable[tuple[str, float]]) -> Scores:
        """Return who has at least one of the terms; each scores its BM25 times its weight, and the best counts."""
        from tantivy import Query

        queries = [
            Query.boost_query(Query.term_query(self._schema, self._names[one.name], term, "freq"), weight)
            for term, weight in weighted
        ]
        if not queries:
            return {}
        return self._run(queries[0] if len(queries) == 1 else Query.disjunction_max_query(queries, _DISJUNCTION_TIE))

    def phrase(self, one: Field, positions: Sequence[tuple[int, str]]) -> Scores:
        """Return who has the terms in this order and at these distances."""
        if len(positions) < 2:
            return self.terms(one, [(term, 1.0) for _, term in positions])
        first = positions[0][0]
        words = [(position - first, term) for position, term in positions]
        from tantivy import Query

        return self._run(Query.phrase_query(self._schema, self._names[one.name], list(words)))

    def similar_terms(self, one: Field, term: str, edits: int, prefix_length: int) -> list[tuple[str, float]]:
        """Return the terms of the index within `edits` of `term`, the nearest first, each with its weight.

        As in Lucene's TopTermsBlendedFreqScoringRewrite: a term weighs less for each edit, and all of them count as
        frequent as the most frequent one, since a rare misspelling in a document must not win by its rarity.
        """
        name = self._names[one.name]
        near = []
        for candidate, frequency in self._searcher.terms_with_prefix(name, term[:prefix_length]):
            distance = distance_within(term, candidate, edits)
            if distance is not None:
                near.append((1 - distance / min(len(term), len(candidate)), candidate, frequency))
        near = sorted((entry for entry in near if entry[0] > 0), key=lambda entry: (-entry[0], entry[1]))
        near = near[:_MAXIMUM_EXPANSIONS]
        if not near:
            return []
        common = self._rarity(max(frequency for *_, frequency in near))
        return [(candidate, weight * common / self._rarity(frequency)) for weight, candidate, frequency in near]

    def _rarity(self, frequency: int) -> float:
        """Return BM25's inverse document frequency."""
        return math.log(1 + (len(self.documents) - frequency + 0.5) / (frequency + 0.5))

    def _run(self, query: tantivy.Query) -> Scores:
        hits = self._searcher.search(query, limit=max(1, len(self.documents)), count=False).hits
        rows = self._searcher.fast_field_values(_ROW, [address for _, address in hits])
        return {int(row): float(score) for row, (score, _) in zip(rows, hits, strict=True) if row is not None}
