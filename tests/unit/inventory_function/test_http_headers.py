from __future__ import annotations

import pytest
from app.http_headers import MAXIMUM_TAGS, EntityTag, TagList, parse
from hypothesis import given
from hypothesis import strategies as st

TAGS = st.builds(
    EntityTag,
    st.text(st.characters(min_codepoint=0x23, max_codepoint=0x7E), max_size=20),
    st.booleans(),
)


@given(st.lists(TAGS, min_size=1, max_size=MAXIMUM_TAGS), st.sampled_from([",", ", ", " ,\t", ", , "]))
def test_a_list_is_read(tags: list[EntityTag], separator: str) -> None:
    assert parse(separator.join(map(str, tags))) == TagList(any=False, tags=tuple(tags))


@given(st.text(max_size=60))
def test_any_text_is_a_list_or_a_refusal(header: str) -> None:
    try:
        parsed = parse(header)
    except ValueError:
        return
    assert parsed.any or parsed.tags


def test_the_star() -> None:
    assert parse(" * ") == TagList(any=True)


@pytest.mark.parametrize("header", ["", "abc", '"a', '"a" "b"', '"a",*', "*,*", 'w/"a"', ",".join(['"a"'] * 11)])
def test_refusals(header: str) -> None:
    with pytest.raises(ValueError):
        parse(header)


def test_weak_comparison() -> None:
    assert parse('W/"1"').matches_weakly(EntityTag("1"))
    assert parse("*").matches_weakly(EntityTag("1"))
    assert not parse('"2"').matches_weakly(EntityTag("1"))
