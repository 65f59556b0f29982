"""What the template declares for a rehearsal: by name for a reader, with what exists for the comparison."""

from __future__ import annotations

from dataclasses import replace

import pytest

from emulator.aws.clients import Clients
from emulator.credentials import Endpoint, RootCredentials
from pipeline.rehearsal.declaration import Declaration, canonical
from pipeline.rehearsal.errors import RehearsalError
from pipeline.rehearsal.settings import read_settings
from sam_template.repository import REPOSITORY, SAMCONFIG, TEMPLATE


@pytest.fixture(scope="module")
def declaration() -> Declaration:
    return Declaration(TEMPLATE, read_settings(SAMCONFIG))


def test_what_the_parameters_leave_out_is_listed_with_its_reason() -> None:
    minimal = Declaration(TEMPLATE, replace(read_settings(SAMCONFIG), parameters={"Stage": "staging"}))
    reasons = {off.type_name: off.reason for off in minimal.switched_off}
    assert reasons["AWS::CodeDeploy::DeploymentGroup"] == "GradualDeployment is false"
    assert reasons["AWS::EC2::SecurityGroupIngress"] == "HasRedisSecurityGroup does not hold"


def test_every_type_is_told_with_the_attributes_that_are_asked_for(declaration: Declaration) -> None:
    assert "Arn" in declaration.types["AWS::S3::Bucket"]
    assert declaration.types["AWS::CodeDeploy::Application"] == []


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
    assert canonical("Shared64baee642e") == "Shared"
    assert canonical("DataBucket") == "DataBucket"
    assert canonical("Facadefacade") == "Facadefacade"


def test_a_template_that_cannot_be_read_is_one_sentence() -> None:
    with pytest.raises(RehearsalError, match="cannot be read"):
        Declaration(REPOSITORY / "no-such-template.yaml", read_settings(SAMCONFIG))
