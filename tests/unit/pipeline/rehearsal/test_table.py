"""The table in the docs says what the template declares now."""

from __future__ import annotations

import pytest

from emulator.aws.clients import Clients
from emulator.credentials import Endpoint, RootCredentials
from pipeline.rehearsal import table
from pipeline.rehearsal.cli import PAGE
from pipeline.rehearsal.comparison import Made, Row, unused
from pipeline.rehearsal.declaration import Declaration, canonical
from pipeline.rehearsal.errors import RehearsalError
from pipeline.rehearsal.gaps import GAPS
from pipeline.rehearsal.settings import read_settings
from sam_template.repository import REPOSITORY, SAMCONFIG, TEMPLATE


@pytest.fixture(scope="module")
def declaration() -> Declaration:
    return Declaration(TEMPLATE, read_settings(SAMCONFIG))


@pytest.fixture(scope="module")
def rows(declaration: Declaration) -> list[Row]:
    return [
        Row(resource.logical_id, resource.type_name, name, Made.YES)
        for resource in declaration.resources
        for name in resource.properties
    ]


def test_the_page_in_the_docs_is_not_stale(declaration: Declaration, rows: list[Row]) -> None:
    now = table.declared_part(table.markdown(declaration, rows, GAPS))
    committed = table.declared_part(PAGE.read_text(encoding="utf-8"))
    assert committed == now, 'run `make rehearse ARGS="--write docs/rehearsal.md"` and commit the page'


def test_a_changed_value_makes_the_page_stale(declaration: Declaration, rows: list[Row]) -> None:
    page = table.markdown(declaration, rows, GAPS)
    assert table.declared_part(page) != table.declared_part(page.replace("`PAY_PER_REQUEST`", "`PROVISIONED`"))


def test_every_listed_gap_is_declared(declaration: Declaration) -> None:
    assert not unused(GAPS, [(resource.type_name, resource.properties) for resource in declaration.resources])


def test_what_is_not_made_is_listed_with_its_reason(declaration: Declaration) -> None:
    reasons = {off.type_name: off.reason for off in declaration.switched_off}
    assert reasons["AWS::CodeDeploy::DeploymentGroup"] == (
        "not emulated: the type is unknown, so GradualDeployment is false"
    )
    assert reasons["AWS::Lambda::Function"] == "GradualDeployment is false"
    assert "HasRedisSecurityGroup does not hold" in reasons["AWS::EC2::SecurityGroupIngress"]


def test_references_are_shown_by_name(declaration: Declaration) -> None:
    function = next(one for one in declaration.resources if one.logical_id == "InventoryFunction")
    assert function.properties["Environment"]["Variables"]["TABLE_NAME"] == "ShopInventory"
    assert function.properties["Environment"]["Variables"]["AWS_ENDPOINT_URL"] == "<AwsEndpointUrl>"
    assert function.properties["Role"] == "InventoryFunctionRole.Arn"


def test_references_are_filled_in_with_what_exists(declaration: Declaration) -> None:
    nobody = Clients(Endpoint("http://127.0.0.1:9", RootCredentials.random()), "us-east-1")
    names = {resource.logical_id: f"the-{resource.logical_id}" for resource in declaration.resources}
    (statement,) = declaration.values("DataBucketPolicy", names, {}, nobody)["PolicyDocument"]["Statement"]
    assert statement["Resource"] == ["arn:aws:s3:::the-DataBucket", "arn:aws:s3:::the-DataBucket/*"]
    group = declaration.values("ShopbotSecurityGroup", names, {"RedisPort": "7000"}, nobody)
    assert group["SecurityGroupEgress"][0]["FromPort"] == "7000"


def test_each_route_is_a_row(declaration: Declaration) -> None:
    api = next(one for one in declaration.resources if one.logical_id == "ShopApi")
    assert "InventoryFunction" in api.properties["Body.paths.GET /inventory/{sku}"]
    assert "ShopbotFunction" in api.properties["Body.paths.$default"]


def test_a_version_has_one_name_whatever_its_code() -> None:
    assert canonical("InventoryFunctionVersiona1c08fc9d1") == "InventoryFunctionVersion"
    assert canonical("DataBucket") == "DataBucket"


def test_a_template_that_cannot_be_read_is_one_sentence() -> None:
    with pytest.raises(RehearsalError, match="cannot be read"):
        Declaration(REPOSITORY / "no-such-template.yaml", read_settings(SAMCONFIG))


def test_the_screen_names_what_was_not_made() -> None:
    rows = [Row("Items", "T", "A", Made.YES), Row("Items", "T", "B", Made.NOT_EMULATED, "B.c")]
    assert table.screen(rows).splitlines()[1].strip() == "not emulated: B (B.c)"
    assert table.summary(rows) == "1 of 2 declared properties of 1 resources made, 1 not emulated"
