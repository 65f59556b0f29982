"""`template.yaml` as production deploys it: SAM's transform applied, parameters set, conditions decided.

Checks that read the source alone see neither the roles that SAM makes nor what `!If [IsProd, …]` comes to. Options that
samconfig.toml leaves off are on here, so that nothing escapes a check until somebody wants it.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

from pipeline.stages import DeploymentError, read_stage
from sam_template import Template, TemplateError

STAGE: Final = "prod"
OPTIONS: Final[Mapping[str, str]] = {
    "AlarmEmail": "on-call@shop.example",
    "OwnKey": "true",
    "MonthlyBudgetDollars": "100",
    "SyntheticCheck": "true",
    "VpcId": "vpc-0",
    "VpcSubnetIds": "subnet-0,subnet-1",
    "VpcRouteTableIds": "rtb-0",
    "VpcSecretsEndpoint": "true",
    "RedisSecurityGroupId": "sg-0",
    "DomainName": "api.shop.example",
    "HostedZoneId": "Z0",
    "CloudFront": "true",
    "OriginCertificateArn": "arn:aws:acm:us-east-1:000000000000:certificate/0",
    "OriginTruststoreUri": "s3://shop-authorities/origin.pem",
    "WebAcl": "true",
    "EdgeLogs": "true",
}
_EVALUATED: Final = ("Properties", "DeletionPolicy", "UpdateReplacePolicy")


def resolve(path: Path) -> dict[str, Any]:
    """Return the template at `path` as plain CloudFormation without parameters, conditions or intrinsics.

    A resource that another refers to stands as its logical id. Raises TemplateError, or DeploymentError when
    samconfig.toml has no production.
    """
    template = Template.load(path, {**read_stage(STAGE).parameters, **OPTIONS})
    resources = {
        name: {key: template.evaluated(name, key) if key in _EVALUATED else value for key, value in resource.items()}
        for name, resource in template.resources.items()
    }
    for resource in resources.values():
        resource.pop("Condition", None)
    return {"AWSTemplateFormatVersion": "2010-09-09", "Resources": resources}


def as_text(path: Path) -> str:
    """Return what `resolve` makes of the template at `path`, as JSON."""
    return json.dumps(resolve(path), indent=2)


def main() -> int:
    """Write the resolved form of the template argv[1] to the file argv[2]; return the exit status."""
    source, target = map(Path, sys.argv[1:])
    try:
        target.write_text(as_text(source), encoding="utf-8")
    except (TemplateError, DeploymentError) as error:
        sys.stderr.write(f"{error}\n")
        return 1
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
