"""Dockerfiles as the Dockerfile reference describes them."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from emulator.engine.image_build.dockerfile import DockerfileError, expand, parse, words

EXAMPLE = r"""
# A comment, and a directive that changes nothing
FROM public.ecr.aws/lambda/python:3.13 AS build

run pip install \
    # a comment inside
    one \

    two
COPY --from=build --chown=1:1 a b /c/
CMD ["app.handler"]
"""


def test_instructions_have_their_lines_flags_and_values() -> None:
    first, run, copy, command = parse(EXAMPLE)
    assert (first.name, first.line, first.value) == ("FROM", 3, "public.ecr.aws/lambda/python:3.13 AS build")
    assert (run.name, run.line, run.value) == ("RUN", 5, "pip install one two")
    assert (copy.flags, copy.value) == ({"from": "build", "chown": "1:1"}, "a b /c/")
    assert str(copy) == "COPY --from=build --chown=1:1 a b /c/"
    assert (command.line, command.listed()) == (11, ["app.handler"])


def test_what_is_no_list_is_the_shell_form() -> None:
    assert parse("CMD app.handler")[0].listed() is None
    assert parse("RUN [ -f x ]")[0].listed() is None
    with pytest.raises(DockerfileError, match="CMD in line 1"):
        parse('CMD ["a", 1]')[0].listed()


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("", "empty"),
        ("# only a comment", "empty"),
        ("# escape=`\nFROM x", "escape character"),
        ("FROM x\nRUN <<EOF\necho\nEOF", "RUN in line 2 of the Dockerfile has a here-document"),
    ],
)
def test_what_cannot_be_read_is_a_sentence(text: str, sentence: str) -> None:
    with pytest.raises(DockerfileError, match=sentence):
        parse(text)


@pytest.mark.parametrize(
    ("text", "expanded"),
    [
        ("$A/x", "1/x"),
        ("${A}x", "1x"),
        ("${NONE}", ""),
        ("${NONE:-other}", "other"),
        ("${A:-other}", "1"),
        ("${A:+other}", "other"),
        ("${NONE:+other}", ""),
    ],
)
def test_variables_are_expanded(text: str, expanded: str) -> None:
    assert expand(text, {"A": "1"}) == expanded


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("a  b", ["a", "b"]),
        ('A="x y" B=z', ["A=x y", "B=z"]),
        ("'$A' \"$A\"", ["$A", "1"]),
        (r"\$A a\ b", ["$A", "a b"]),
        ('""', [""]),
        ("", []),
    ],
)
def test_words_are_split_at_blanks_outside_of_quotes(text: str, found: list[str]) -> None:
    assert words(text, {"A": "1"}) == found


def test_a_quote_that_is_not_closed_is_an_error() -> None:
    with pytest.raises(ValueError, match="not closed"):
        words('a "b', {})


@given(st.text())
def test_any_text_is_read_or_refused_in_a_sentence(text: str) -> None:
    try:
        for instruction in parse(text):
            instruction.listed()
    except DockerfileError as error:
        assert str(error).endswith(".")  # noqa: PT017
