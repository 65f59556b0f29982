"""What is declared is compared with what was made, and nothing is passed over in silence."""

from __future__ import annotations

from typing import Any

import pytest

from pipeline.rehearsal.comparison import (
    NOT_KNOWN,
    Gap,
    Made,
    compare,
    differences,
    require_all_explained,
    require_no_gap_closed,
)
from pipeline.rehearsal.errors import RehearsalError

TABLE = "AWS::DynamoDB::Table"


def made(declared: dict[str, Any], reported: dict[str, Any] | None, *gaps: Gap) -> dict[str, Made]:
    return {row.name: row.made for row in compare("Items", TABLE, declared, reported, gaps)}


@pytest.mark.parametrize(
    ("declared", "reported"),
    [
        ("30", 30),
        (True, "true"),
        ({"A": 1}, {"A": 1, "B": "a default of the service"}),
        (["b", "a"], ["a", "b"]),
        ("s3:*", ["s3:*"]),
        ({"Statement": [{"Effect": "Deny"}]}, '{"Statement": {"Effect": "Deny"}}'),
        (
            [{"Key": "Stage", "Value": "x"}],
            [{"Key": "aws:cloudformation:stack-name", "Value": "s"}, {"Key": "Stage", "Value": "x"}],
        ),
        ([], None),
        (f"arn:aws:x:::{NOT_KNOWN}/*", "arn:aws:x:::anything/*"),
    ],
)
def test_the_same_said_otherwise_is_no_difference(declared: Any, reported: Any) -> None:
    assert not list(differences(declared, reported))


@pytest.mark.parametrize(
    ("declared", "reported", "path"),
    [
        ({"MemorySize": 512}, {"MemorySize": 128}, "MemorySize"),
        ({"A": {"B": True}}, {"A": {}}, "A.B"),
        ({"Rules": [{"Id": "x", "Days": 30}]}, {"Rules": [{"Id": "x"}]}, "Rules[0].Days"),
        ({"Action": ["a"]}, {"Action": ["a", "b"]}, "Action"),
        ({"Tags": [{"Key": "Stage", "Value": "x"}]}, {"Tags": []}, "Tags[0]"),
        ({"Dimensions": [{"Name": "n"}]}, {"Dimensions": [{"Name": "n"}, {"Name": "m"}]}, "Dimensions"),
        ({"Arn": f"arn:{NOT_KNOWN}/*"}, {"Arn": "arn:thing"}, "Arn"),
        ({"Arn": NOT_KNOWN}, {}, "Arn"),
        ({"Sha": "1234567890123456"}, {"Sha": "1234567890123457"}, "Sha"),
    ],
)
def test_a_difference_is_found_where_it_is(declared: Any, reported: Any, path: str) -> None:
    assert [one.path for one in differences(declared, reported)] == [path]


def test_what_is_made_as_declared_is_said_so() -> None:
    assert made({"BillingMode": "PAY_PER_REQUEST"}, {"BillingMode": "PAY_PER_REQUEST"}) == {"BillingMode": Made.YES}


def test_what_differs_is_said_with_both_values() -> None:
    (row,) = compare("Items", TABLE, {"BillingMode": "PAY_PER_REQUEST"}, {"BillingMode": "PROVISIONED"}, ())
    assert row.made is Made.DIFFERS
    assert row.remark == "BillingMode: declared PAY_PER_REQUEST, made PROVISIONED"


def test_a_property_that_nothing_reads_is_said_to_be_made_and_not_read() -> None:
    (row,) = compare("Items", TABLE, {"TableClass": "STANDARD"}, {"BillingMode": "x"}, ())
    assert row.made is Made.NOT_READ
    assert row.remark == "nothing in emulator/aws/resources/ reads it"


def test_so_is_one_of_a_type_that_has_no_file() -> None:
    (row,) = compare("Queue", "AWS::Nothing::AtAll", {"Name": True}, None, ())
    assert row.made is Made.NOT_READ
    assert "reads AWS::Nothing::AtAll" in row.remark


def test_a_known_gap_is_not_emulated() -> None:
    gap = Gap(TABLE, "Recovery", "left out")
    assert made({"Recovery": {"Enabled": True}}, {"Recovery": None}, gap) == {"Recovery": Made.NOT_EMULATED}


def test_a_gap_covers_its_own_part_of_a_property_only() -> None:
    gap = Gap(TABLE, "Rules.Days", "left out")
    declared = {"Rules": [{"Id": "x", "Days": 30}]}
    assert made(declared, {"Rules": [{"Id": "x"}]}, gap) == {"Rules": Made.NOT_EMULATED}
    assert made(declared, {"Rules": [{}]}, gap) == {"Rules": Made.DIFFERS}


def test_a_gap_covers_everything_below_it() -> None:
    gap = Gap(TABLE, "Body.paths", "left out")
    declared = {"Body.paths.GET /": "uri", "Body.paths.GET /a.b": "uri"}
    assert set(made(declared, dict.fromkeys(declared), gap).values()) == {Made.NOT_EMULATED}


def test_a_gap_that_is_made_wherever_it_is_declared_has_to_leave_the_list() -> None:
    gap = Gap(TABLE, "Encryption", "left out")
    on, off = {"Encryption": {"Enabled": True}}, {"Encryption": {"Enabled": False}}
    as_by_default = compare("Items", TABLE, off, off, [gap])
    with pytest.raises(RehearsalError, match=r"made now: take them off.*\n  AWS::DynamoDB::Table Encryption"):
        require_no_gap_closed(as_by_default)
    require_no_gap_closed([*as_by_default, *compare("Others", TABLE, on, off, [gap])])


def test_a_gap_that_nothing_declares_may_stay() -> None:
    require_no_gap_closed(compare("Items", TABLE, {"Name": "x"}, {"Name": "x"}, [Gap(TABLE, "Encryption", "")]))


def test_a_gap_of_another_type_explains_nothing() -> None:
    assert made({"Tags": ["a"]}, {"Tags": None}, Gap("AWS::S3::Bucket", "Tags", "")) == {"Tags": Made.DIFFERS}


def test_a_rehearsal_ends_at_what_is_not_explained() -> None:
    rows = compare("Items", TABLE, {"A": 1, "B": 2, "C": 3}, {"A": 1, "B": 5}, ())
    with pytest.raises(RehearsalError) as error:
        require_all_explained(rows)
    assert "Items B: B: declared 2, made 5" in str(error.value)
    assert "Items C" not in str(error.value)
    require_all_explained(rows[:1])
