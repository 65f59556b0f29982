"""Parameter overrides mean what they mean to SAM CLI: each case is read by SAM's own parser, too."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from samcli.cli.types import CfnParameterOverridesType  # type: ignore[import-untyped]

from sam_template import TemplateError
from sam_template.parameter_overrides import arguments, parse


def as_sam_reads(values: Any) -> Any:
    return CfnParameterOverridesType().convert(values, None, None)


@pytest.mark.parametrize(
    "values",
    [
        "Stage=prod",
        "Stage=prod Size=3",
        "ParameterKey=Stage,ParameterValue=prod ParameterKey=Size,ParameterValue=3",
        "Stage=\"two words\" Size='3 4'",
        r"Stage=two\ words",
        r'Name="say \"hi\"" Url=https://example.com/?a=b',
        'Empty="" Size=3',
        ("Stage=prod", "Size=3", "Stage=dev"),
        ["Stage=prod", ["Size=3"]],
        {"Stage": "prod", "Size": 3, "On": True, "Nothing": None, "List": ["a", " b ", None, "c"]},
        [{"Stage": "prod"}, "Stage=dev"],
        "",
        None,
    ],
)
def test_both_forms_lists_and_mappings_are_read_as_sam_reads_them(values: Any, tmp_path: Path) -> None:
    assert parse(values, tmp_path) == as_sam_reads(values)


def test_a_file_is_read_as_sam_reads_it_and_may_include_another(tmp_path: Path) -> None:
    (tmp_path / "deep").mkdir()
    (tmp_path / "deep/size.yml").write_text("Size: 3\n")
    (tmp_path / "all.yaml").write_text("Stage: prod\n$include: file://deep/size.yml\n")
    (tmp_path / "some.toml").write_text('Stage = "dev"\n')
    for name in ("all.yaml", "some.toml"):
        values = [f"file://{tmp_path / name}", "Other=1"]
        assert parse(values, tmp_path) == as_sam_reads(values)
    assert parse("file://all.yaml", tmp_path) == {"Stage": "prod", "Size": "3"}


@pytest.mark.parametrize(
    ("values", "sentence"),
    [
        ("Stage", "'Stage' cannot be read: write Name=value"),
        ("Stage=two words", "loses 'words', as SAM reads it: quote a value with spaces"),
        ("ParameterKey=Stage,ParameterValue=two words", "loses 'words'"),
        ("ParameterKey=Stage,ParameterValue=prod Size=3", "loses 'Size=3'"),
        ('Stage=say"hi"', "loses '\"hi\"'"),
        ([3], "3 is no text"),
        ("file://none.yaml", "none.yaml cannot be read"),
        ("file://circle.yaml", "include themselves"),
        ("file://broken.yaml", "is not YAML"),
        ("file://other.json", "is of no kind that SAM reads"),
    ],
)
def test_what_sam_does_not_take_is_a_sentence(values: Any, sentence: str, tmp_path: Path) -> None:
    (tmp_path / "circle.yaml").write_text("$include: file://circle.yaml\n")
    (tmp_path / "broken.yaml").write_text("{")
    with pytest.raises(TemplateError) as refused:
        parse(values, tmp_path)
    assert sentence in str(refused.value)
    assert "\n" not in str(refused.value)


@given(st.dictionaries(st.from_regex(r"[A-Za-z0-9]+", fullmatch=True), st.text("ab \"'=,", max_size=8), max_size=3))
def test_what_is_written_for_sam_reads_back(parameters: dict[str, str]) -> None:
    for name, value in parameters.items():
        (written,) = arguments({name: value})
        assert as_sam_reads((written,)) == parse([written], Path()) == {name: value}
