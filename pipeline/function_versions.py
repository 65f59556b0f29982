"""The published versions of a stack's functions: which one serves, how to go back to it, and which may go.

A deployment leaves the version before (`VersionDeletionPolicy: Retain`). Going back to it is a change of an alias and
takes seconds; publishing it anew takes a snapshot. A version costs its snapshot for as long as it exists, so the next
deployment deletes what no longer serves. It must: Lambda publishes nothing that is like the last version, and a version
that was taken back would stand in the way of the next try (API reference, PublishVersion).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from botocore.exceptions import ClientError


def live_versions(stack: str, cloudformation: Any, functions: Any) -> dict[str, str]:
    """Return the version that each alias of `stack` gives its traffic to: version numbers by the aliases' ARNs.

    `functions` is a client of AWS Lambda.
    """
    pages = cloudformation.get_paginator("list_stack_resources").paginate(StackName=stack)
    resources = [resource for page in pages for resource in page["StackResourceSummaries"]]
    aliases = [one["PhysicalResourceId"] for one in resources if one["ResourceType"] == "AWS::Lambda::Alias"]
    return {arn: str(functions.get_alias(**_named(arn))["FunctionVersion"]) for arn in aliases}


def switch_back(versions: Mapping[str, str], functions: Any) -> bool:
    """Give all traffic of each alias in `versions` to its version; tell whether all of them still exist.

    When one does not, no alias is changed.
    """
    try:
        for arn, version in versions.items():
            functions.get_function_configuration(FunctionName=_named(arn)["FunctionName"], Qualifier=version)
    except ClientError as error:
        if error.response["Error"]["Code"] == "ResourceNotFoundException":
            return False
        raise
    for arn, version in versions.items():
        functions.update_alias(**_named(arn), FunctionVersion=version, RoutingConfig={"AdditionalVersionWeights": {}})
    return bool(versions)


def delete_unused(live: Mapping[str, str], functions: Any) -> None:
    """Delete every version that gets no traffic, of the functions whose aliases `live` names."""
    for arn, version in live.items():
        name = _named(arn)["FunctionName"]
        pages = functions.get_paginator("list_versions_by_function").paginate(FunctionName=name)
        published = [one["Version"] for page in pages for one in page["Versions"]]
        for unused in sorted(set(published) - {"$LATEST", version}, key=int):
            functions.delete_function(FunctionName=name, Qualifier=unused)


def _named(alias_arn: str) -> dict[str, str]:
    name, _, alias = alias_arn.rpartition(":")
    return {"FunctionName": name, "Name": alias}
