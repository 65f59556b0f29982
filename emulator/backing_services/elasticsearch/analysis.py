"""The built-in analyzers, made of tantivy's tokenizers and filters.

Source: Elasticsearch 8.19 reference, "Built-in analyzer reference". The words are Lucene's `_english_` stop words; the
stemmer is Snowball's English one, where Lucene's `english` analyzer has Porter's first: plurals end the same.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import cache
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:  # large, and imported with the first search
    from tantivy import TextAnalyzer, TextAnalyzerBuilder

_STOP_WORDS: Final = "a,an,and,are,as,at,be,but,by,for,if,in,into,is,it,no,not,of,on,or,such,that,the,their,then,there"
_MORE_STOP_WORDS: Final = "these,they,this,to,was,will,with"
ENGLISH_STOP_WORDS: Final = [*_STOP_WORDS.split(","), *_MORE_STOP_WORDS.split(",")]
# Words as Unicode's text segmentation has them, as near as a regular expression gets: letters and digits, with a dot
# or comma inside a number and an apostrophe inside a word.
_WORD: Final = r"\d+(?:[.,]\d+)+|[\p{L}\p{M}\p{N}_]+(?:['\u2019][\p{L}\p{M}\p{N}_]+)*"


def _standard() -> TextAnalyzerBuilder:
    from tantivy import Filter, TextAnalyzerBuilder, Tokenizer

    return TextAnalyzerBuilder(Tokenizer.regex(_WORD)).filter(Filter.lowercase())


def _english() -> TextAnalyzerBuilder:
    from tantivy import Filter

    return _standard().filter(Filter.custom_stopword(ENGLISH_STOP_WORDS)).filter(Filter.stemmer("english"))


def _keyword() -> TextAnalyzerBuilder:
    from tantivy import TextAnalyzerBuilder, Tokenizer

    return TextAnalyzerBuilder(Tokenizer.raw())


_BUILDERS: Final[Mapping[str, Callable[[], TextAnalyzerBuilder]]] = {
    "standard": _standard,
    "english": _english,
    "keyword": _keyword,
}
NAMES: Final = frozenset(_BUILDERS)


@cache
def analyzer(name: str) -> TextAnalyzer:
    """Return the analyzer called `name`, one of NAMES."""
    built: TextAnalyzer = _BUILDERS[name]().build()
    return built
