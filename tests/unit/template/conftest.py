from __future__ import annotations

import functools
from collections.abc import Callable, Iterator, Mapping
from typing import Any

import pytest

from sam_template import Template, intrinsics
from sam_template.repository import TEMPLATE

PROD = {"Stage": "prod", "GradualDeployment": "true"}
SHOPS_FUNCTIONS = ("InventoryFunction", "ShopbotFunction", "PreTrafficCheckFunction")
"""The functions that the tests of this folder are about; the template may have others."""
VPC = {"VpcId": "vpc-1", "VpcSubnetIds": "subnet-1,subnet-2"}


class Stage:
    """The template's resources with some parameters, intrinsics resolved: a resource is its logical id."""

    def __init__(self, template: Template) -> None:
        self.template = template
        self._scope = template.scope(lambda name: name, lambda name, attribute: f"{name}.{attribute}")

    def of_type(self, type_name: str) -> dict[str, Mapping[str, Any]]:
        return {
            name: self.properties(name)
            for name, resource in self.template.resources.items()
            if resource["Type"] == type_name
        }

    def properties(self, logical_id: str) -> Mapping[str, Any]:
        return self.attribute(logical_id, "Properties")  # type: ignore[no-any-return]

    def attribute(self, logical_id: str, name: str) -> Any:
        """Return a resource's DeletionPolicy, UpdatePolicy or Properties; None when it has none."""
        return intrinsics.evaluate(self.template.resources[logical_id].get(name), self._scope, f"{logical_id}.{name}")


@pytest.fixture(scope="session")
def stage(tmp_path_factory: pytest.TempPathFactory) -> Callable[..., Stage]:
    folder = tmp_path_factory.mktemp("translations")

    @functools.cache
    def make(**parameters: str) -> Stage:
        return Stage(Template.load(TEMPLATE, parameters, cache=folder))

    return make


@pytest.fixture(scope="session")
def prod(stage: Callable[..., Stage]) -> Stage:
    return stage(**PROD)


@pytest.fixture(scope="session")
def everything(stage: Callable[..., Stage]) -> Stage:
    """Every resource that the template can declare."""
    return stage(
        **PROD,
        **VPC,
        VpcRouteTableIds="rtb-1,rtb-2",
        VpcSecretsEndpoint="true",
        RedisSecurityGroupId="sg-1",
        DomainName="api.shop.example",
        HostedZoneId="Z1",
        CloudFront="true",
        OriginCertificateArn="arn:aws:acm:us-east-1:123456789012:certificate/1",
        OriginTruststoreUri="s3://authorities/origin.pem",
        WebAcl="true",
        EdgeLogs="true",
        AlarmEmail="on-call@shop.example",
        OwnKey="true",
        MonthlyBudgetDollars="100",
        SyntheticCheck="true",
    )


def statements(stage: Stage) -> Iterator[tuple[str, Mapping[str, Any]]]:
    """Yield each permission of the stack: where it stands, and the statement."""
    for name, role in stage.of_type("AWS::IAM::Role").items():
        for policy in role.get("Policies", []):
            yield from ((name, statement) for statement in policy["PolicyDocument"]["Statement"])
    for type_name in ("AWS::EC2::VPCEndpoint", "AWS::S3::BucketPolicy"):
        for name, properties in stage.of_type(type_name).items():
            yield from ((name, statement) for statement in properties["PolicyDocument"]["Statement"])
