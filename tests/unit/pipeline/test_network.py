"""What AWS would refuse about subnets is said before anything is deployed."""

from __future__ import annotations

from typing import Any

import pytest

from pipeline.network import require_subnets
from pipeline.stages import DeploymentError, Stage


class Ec2:
    """EC2 with subnets in the given zones."""

    def __init__(self, *zones: str) -> None:
        self._zones = zones

    def describe_subnets(self, *, SubnetIds: list[str]) -> Any:  # noqa: N803 (boto3's name)
        return {"Subnets": [{"AvailabilityZone": zone} for _, zone in zip(SubnetIds, self._zones, strict=True)]}


def stage(endpoint: str = "true", subnets: str = "subnet-1,subnet-2") -> Stage:
    return Stage("prod", "shop-prod", "us-east-1", {"VpcSubnetIds": subnets, "VpcSecretsEndpoint": endpoint})


def test_two_subnets_in_one_zone_break_the_endpoint() -> None:
    with pytest.raises(DeploymentError, match="Two of the subnets in VpcSubnetIds lie in us-east-1a"):
        require_subnets(stage(), Ec2("us-east-1a", "us-east-1a"))


def test_a_subnet_in_each_zone_is_right() -> None:
    require_subnets(stage(), Ec2("us-east-1a", "us-east-1b"))


@pytest.mark.parametrize(("endpoint", "subnets"), [("false", "subnet-1,subnet-2"), ("true", "subnet-1"), ("true", "")])
def test_nothing_is_asked_without_an_endpoint_or_a_second_subnet(endpoint: str, subnets: str) -> None:
    require_subnets(stage(endpoint, subnets), ec2=None)
