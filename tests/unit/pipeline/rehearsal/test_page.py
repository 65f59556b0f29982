"""The page in the docs: a row for each property, the other sets of parameters, and what a later rehearsal has lost."""

from __future__ import annotations

from dataclasses import replace

import pytest

from pipeline.rehearsal.comparison import Gap, Made, Row
from pipeline.rehearsal.declaration import Declaration
from pipeline.rehearsal.page import Report, losses, markdown
from pipeline.rehearsal.settings import read_settings
from pipeline.rehearsal.variants import variants
from sam_template.repository import SAMCONFIG, TEMPLATE

SETTINGS = read_settings(SAMCONFIG)


def report(name: str, parameters: dict[str, str] | None = None) -> Report:
    settings = replace(SETTINGS, parameters=parameters) if parameters is not None else SETTINGS
    declaration = Declaration(TEMPLATE, settings)
    rows = [
        Row(resource.logical_id, resource.type_name, name, Made.YES)
        for resource in declaration.resources
        for name in resource.properties
    ]
    return Report(name, f"{name}'s own", declaration, rows)


@pytest.fixture(scope="module")
def first() -> Report:
    return report("rehearsal")


@pytest.fixture(scope="module")
def page(first: Report) -> str:
    return markdown(first, [])


def changed(rows: list[Row] | tuple[Row, ...], resource: str, name: str, made: Made) -> list[Row]:
    return [replace(row, made=made) if (row.resource, row.name) == (resource, name) else row for row in rows]


def test_each_property_is_a_row(page: str) -> None:
    assert "| ShopInventory | AWS::DynamoDB::Table | BillingMode | `PAY_PER_REQUEST` | yes |" in page.splitlines()


def test_nothing_is_lost_while_everything_is_made(page: str, first: Report) -> None:
    assert losses(page, first.rows) == []


def test_what_was_made_and_is_not_any_more_is_lost(page: str, first: Report) -> None:
    now = changed(tuple(first.rows), "ShopInventory", "BillingMode", Made.NOT_EMULATED)
    assert [(row.resource, row.name) for row in losses(page, now)] == [("ShopInventory", "BillingMode")]


def test_an_addition_is_no_loss(page: str, first: Report) -> None:
    more = [*first.rows, Row("Queue", "AWS::SQS::Queue", "QueueName", Made.NOT_READ)]
    assert losses(page, more) == []


def test_what_the_template_declares_no_more_is_no_loss(page: str) -> None:
    assert losses(page, []) == []


def test_another_set_of_parameters_shows_what_it_declares_otherwise(first: Report) -> None:
    prod = next(variant for variant in variants(SETTINGS, TEMPLATE) if variant.name == "prod")
    lines = markdown(first, [report("prod", dict(prod.parameters))]).splitlines()
    assert "| prod | ShopInventory | DeletionProtectionEnabled | `true` | yes |" in lines
    assert not [line for line in lines if line.startswith("| prod | ShopInventory | KeySchema")]


def test_a_gap_is_listed_when_something_falls_into_it(first: Report) -> None:
    gap = Gap("AWS::S3::Bucket", "Tags", "left out")
    assert "| AWS::S3::Bucket | `Tags` | left out |" not in markdown(first, [])
    rows = [replace(first.rows[0], made=Made.NOT_EMULATED, explained=(gap,)), *first.rows[1:]]
    assert "| AWS::S3::Bucket | `Tags` | left out |" in markdown(replace(first, rows=rows), [])


def test_the_sets_follow_the_template() -> None:
    named = {variant.name: variant.parameters for variant in variants(SETTINGS, TEMPLATE)}
    assert named["prod"]["Stage"] == "prod"
    assert named["minimal"] == {"Stage": "staging"}
    assert named["secret"]["ExistingSecretArn"].startswith("arn:aws:secretsmanager:")
