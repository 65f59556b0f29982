"""What AWS would refuse about a stage's network, said before anything is deployed."""

from __future__ import annotations

from collections import Counter
from typing import Any

from pipeline.stages import DeploymentError, Stage


def require_subnets(stage: Stage, ec2: Any) -> None:
    """Raise DeploymentError when two subnets of `stage` lie in one zone: an interface endpoint takes one in each.

    Source: Amazon VPC, AWS PrivateLink guide, "Access an AWS service using an interface VPC endpoint", Subnets and
    Availability Zones.
    """
    subnets = [each for each in stage.parameters.get("VpcSubnetIds", "").split(",") if each]
    if stage.parameters.get("VpcSecretsEndpoint") != "true" or len(subnets) < 2:
        return
    described = ec2.describe_subnets(SubnetIds=subnets)["Subnets"]
    zones = Counter(subnet["AvailabilityZone"] for subnet in described)
    shared = sorted(zone for zone, count in zones.items() if count > 1)
    if shared:
        raise DeploymentError(
            f"Two of the subnets in VpcSubnetIds lie in {shared[0]}, and the endpoint of Secrets Manager takes one in "
            "each zone: name one for each zone, or set VpcSecretsEndpoint to false."
        )
