"""Intrinsic functions: examples from CloudFormation's reference, and properties."""

from __future__ import annotations

import base64
import contextlib
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sam_template.intrinsics import NO_VALUE, IntrinsicError, Scope, evaluate, evaluate_condition

RESOURCES = {"Table": "stack-Table-1", "Bucket": "stack-bucket-1"}
ATTRIBUTES = {("Table", "Arn"): "arn:aws:dynamodb:table/1"}
CONDITIONS = {
    "Yes": {"Fn::Equals": ["a", "a"]},
    "No": {"Fn::Not": [{"Condition": "Yes"}]},
    "Both": {"Fn::And": [{"Condition": "Yes"}, {"Condition": "No"}]},
    "Either": {"Fn::Or": [{"Condition": "Yes"}, {"Condition": "No"}]},
    "SameNumber": {"Fn::Equals": [{"Ref": "Count"}, 3]},
    "Chicken": {"Condition": "Egg"},
    "Egg": {"Condition": "Chicken"},
    "Odd": {"Fn::Nand": []},
    "Few": {"Fn::And": [{"Condition": "Yes"}]},
}
SCOPE = Scope(
    values={"Stage": "local", "Count": "3", "Origins": ["a", "b"], "AWS::Region": "us-east-1"},
    conditions=CONDITIONS,
    mappings={"Sizes": {"local": {"memory": 512}}},
    ref=lambda name: RESOURCES[name],
    get_att=lambda name, attribute: ATTRIBUTES[name, attribute],
)


def value(node: Any) -> Any:
    return evaluate(node, SCOPE, "here")


@pytest.mark.parametrize(
    ("node", "expected"),
    [
        ({"Ref": "Stage"}, "local"),
        ({"Ref": "Origins"}, ["a", "b"]),
        ({"Ref": "Table"}, "stack-Table-1"),
        ({"Ref": "AWS::Region"}, "us-east-1"),
        ({"Fn::GetAtt": ["Table", "Arn"]}, "arn:aws:dynamodb:table/1"),
        ({"Fn::GetAtt": "Table.Arn"}, "arn:aws:dynamodb:table/1"),
        ({"Fn::Sub": "${Table.Arn}/index/*"}, "arn:aws:dynamodb:table/1/index/*"),
        ({"Fn::Sub": "${AWS::Region}-${Stage}"}, "us-east-1-local"),
        ({"Fn::Sub": "${!Literal} ${Stage}"}, "${Literal} local"),
        ({"Fn::Sub": ["${Name}-${Stage}", {"Name": {"Ref": "Bucket"}}]}, "stack-bucket-1-local"),
        ({"Fn::Sub": ["${Stage}", {"Stage": "shadowed"}]}, "shadowed"),
        ({"Fn::Join": ["/", ["a", {"Ref": "Count"}, True, 2]]}, "a/3/true/2"),
        ({"Fn::Join": [",", {"Ref": "Origins"}]}, "a,b"),
        ({"Fn::Select": ["1", {"Ref": "Origins"}]}, "b"),
        ({"Fn::Select": [{"Ref": "Count"}, [0, 1, 2, "x"]]}, "x"),
        ({"Fn::Split": ["|", "a||b"]}, ["a", "", "b"]),
        ({"Fn::If": ["Yes", "then", {"Ref": "Nowhere"}]}, "then"),
        ({"Fn::If": ["Both", {"Ref": "Nowhere"}, "else"]}, "else"),
        ({"Fn::If": ["Either", 1, 2]}, 1),
        ({"Fn::FindInMap": ["Sizes", {"Ref": "Stage"}, "memory"]}, 512),
        ({"Fn::Base64": "grüß"}, base64.b64encode("grüß".encode()).decode()),
        ({"Ref": "AWS::NoValue"}, NO_VALUE),
        ({"a": {"Ref": "AWS::NoValue"}, "b": [{"Ref": "AWS::NoValue"}, 1]}, {"b": [1]}),
        ({"Condition": {"Bool": {"aws:Via": "false"}}}, {"Condition": {"Bool": {"aws:Via": "false"}}}),
        ({"Ref": "Stage", "Other": 1}, {"Ref": "Stage", "Other": 1}),
    ],
)  # fmt: skip
def test_evaluates_as_the_reference_says(node: Any, expected: Any) -> None:
    assert value(node) == expected


@pytest.mark.parametrize(
    ("node", "named"),
    [
        ({"Ref": "Nowhere"}, "nothing in the template is called Nowhere"),
        ({"Ref": ["x"]}, "Ref takes a name"),
        ({"Fn::GetAtt": ["Table", "Colour"]}, "Table.Colour"),
        ({"Fn::GetAtt": ["Table"]}, "a logical id and an attribute"),
        ({"Fn::Sub": "${Nowhere}"}, "Nowhere"),
        ({"Fn::Sub": "${Origins}"}, "a text is needed, not a list"),
        ({"Fn::Sub": ["${x}"]}, "Fn::Sub takes a list of 2"),
        ({"Fn::Join": [{"Ref": "Stage"}, []]}, "delimiter"),
        ({"Fn::Join": [",", "text"]}, "a list is needed"),
        ({"Fn::Select": [2, {"Ref": "Origins"}]}, "member 2 of a list of 2"),
        ({"Fn::Select": [-1, {"Ref": "Origins"}]}, "member -1"),
        ({"Fn::Split": ["", "abc"]}, "not empty"),
        ({"Fn::If": ["Missing", 1, 2]}, "Conditions has no Missing"),
        ({"Fn::If": ["Odd", 1, 2]}, "a condition is one of"),
        ({"Fn::If": ["Few", 1, 2]}, "2 to 10 conditions"),
        ({"Fn::If": ["Chicken", 1, 2]}, "Chicken → Egg → Chicken"),
        ({"Fn::FindInMap": ["Sizes", "prod", "memory"]}, "Sizes.prod.memory"),
        ({"Fn::ImportValue": "other"}, "Fn::ImportValue"),
        ({"Fn::Equals": [1, 1]}, "only in Conditions"),
        ({"Fn::ForEach": []}, "Fn::ForEach is unknown"),
    ],
)  # fmt: skip
def test_names_what_it_cannot_evaluate(node: Any, named: str) -> None:
    with pytest.raises(IntrinsicError, match=r"^(here|Conditions)\b") as caught:
        value({"Properties": node})
    assert named in str(caught.value)


def test_numbers_and_texts_compare_as_cloudformation_compares_them() -> None:
    assert evaluate_condition("SameNumber", SCOPE)


KEYS = st.text().filter(lambda key: key != "Ref" and not key.startswith("Fn::"))
PLAIN = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(),
    lambda members: st.lists(members) | st.dictionaries(KEYS, members),
)


@given(PLAIN)
def test_plain_data_stays_as_it_is(data: Any) -> None:
    assert value(data) == data


@given(st.lists(st.text(alphabet="abc"), min_size=1))
def test_split_undoes_join(parts: list[str]) -> None:
    assert value({"Fn::Split": [",", {"Fn::Join": [",", parts]}]}) == parts


@given(st.lists(st.integers(), min_size=1), st.data())
def test_select_picks_what_the_list_holds(members: list[int], data: st.DataObject) -> None:
    index = data.draw(st.integers(0, len(members) - 1))
    assert value({"Fn::Select": [index, members]}) == members[index]


@given(st.text(alphabet=st.characters(blacklist_characters="$")))
def test_sub_leaves_text_without_references_alone(text: str) -> None:
    assert value({"Fn::Sub": text}) == text


@given(st.booleans(), st.booleans())
def test_conditions_are_boolean_algebra(left: bool, right: bool) -> None:
    conditions = {
        "L": {"Fn::Equals": [left, True]},
        "R": {"Fn::Equals": [right, True]},
        "And": {"Fn::And": [{"Condition": "L"}, {"Condition": "R"}]},
        "ByDeMorgan": {"Fn::Not": [{"Fn::Or": [{"Fn::Not": [{"Condition": "L"}]}, {"Fn::Not": [{"Condition": "R"}]}]}]},
    }
    scope = Scope({}, conditions)
    assert evaluate_condition("And", scope) == evaluate_condition("ByDeMorgan", scope) == (left and right)


NAMES = ["Ref", "Fn::GetAtt", "Fn::Sub", "Fn::Join", "Fn::Select", "Fn::Split", "Fn::If", "Fn::FindInMap", "Fn::Base64"]
ANYTHING = st.recursive(PLAIN, lambda inner: st.dictionaries(st.sampled_from(NAMES), inner, min_size=1, max_size=1))


@given(ANYTHING)
def test_anything_gives_a_value_or_a_named_error(node: Any) -> None:
    with contextlib.suppress(IntrinsicError):
        value(node)
