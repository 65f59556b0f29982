"""A stack of one's own: used over HTTP and removed by `make remove`; nothing is left of it."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any, Final

from emulator.aws import sample_data
from pipeline.rehearsal.declaration import VERSION
from pipeline.rehearsal.step import expect
from pipeline.rehearsal.variants import WAITS, VariantStack
from pipeline.removal import remove
from pipeline.smoke.client import Deployment
from pipeline.stages import DeploymentError, Stage
from sam_template.repository import FILES

_ITEM: Final = {"sku": "OWN-1", "name": "Of a stack of one's own", "qty": 7}
_FILE: Final = "twice.txt"
_LISTS: Final = (
    ("dynamodb", "list_tables", "TableNames", ""),
    ("s3", "list_buckets", "Buckets", "Name"),
    ("lambda", "list_functions", "Functions", "FunctionName"),
    ("iam", "list_roles", "Roles", "RoleName"),
    ("logs", "describe_log_groups", "logGroups", "logGroupName"),
    ("secretsmanager", "list_secrets", "SecretList", "Name"),
    ("sns", "list_topics", "Topics", "TopicArn"),
    ("cloudwatch", "describe_alarms", "MetricAlarms", "AlarmName"),
)
"""Where the name of a stack stands in the names of what it has: service, operation, its list, the name in a member."""


class OwnStack(VariantStack):
    """A variant whose stack is used, and removed as a developer removes one."""

    def use(self) -> None:
        """Write an item and two versions of a file, over HTTP and in S3, and keep a package. Raises RehearsalError."""
        self.make_bootstrap(self._stage)
        self.stack.require_versions_active()
        api_id, names = self.stack.serve_routes(), self.stack.outputs()
        secret = self.services.secretsmanager.get_secret_value(SecretId=names["ApiKeySecretArn"])["SecretString"]
        url = f"{self.services.endpoint_url}/_aws/execute-api/{api_id}"
        shop = Deployment(url, api_key=str(json.loads(secret)["INVENTORY_API_KEY"]))
        created = shop.request("POST", "/inventory", body=_ITEM, with_key=True)
        expect(created.status == 201, f"a write with the key was answered {created.described}, not 201")
        sample_data.load_files(self.services, names["BucketName"], FILES)
        for content in (b"once", b"twice"):
            self.services.s3.put_object(Bucket=names["BucketName"], Key=_FILE, Body=content)
        file = shop.request("GET", f"/file/download/{_FILE}")
        expect((file.status, file.body) == (200, b"twice"), f"the file that was written is {file.described}")
        health = shop.request("GET", "/health")
        expect(health.status == 200, f"the assistant answers {health.described}, not 200")
        package = f"{self.settings.stack_name}/package"
        self.services.s3.put_object(Bucket=self.settings.artifact_bucket, Key=package, Body=b"a package")

    def delete(self) -> None:
        """Remove the stack. Raises RehearsalError when that fails, or leaves anything."""
        stack_id, there = self.stack.stack_id(), set(self.stack.physical_ids())
        try:
            remove(self._stage, self.services.named, waits=WAITS)
        except DeploymentError as error:
            expect(False, str(error))
        # A version stays until its function goes, which it did.
        versions = {resource.logical_id for resource in self.declaration.resources if resource.type_name == VERSION}
        left = there - self.stack.deleted(stack_id) - versions
        expect(not left, f"left are {sorted(left)}")
        named = sorted(self._named())
        expect(not named, f"left are {', '.join(named)}")

    @property
    def _stage(self) -> Stage:
        return Stage("dev-1", self.settings.stack_name, self.settings.region, self.settings.parameters)

    def _named(self) -> Iterator[str]:
        """Yield the names of what there is that begin as this stack's do, and what is under its name in the bucket."""
        for service, operation, listed, member in _LISTS:
            for page in self.services.named(service).get_paginator(operation).paginate():
                for each in page.get(listed, []):
                    name = each[member] if member else each
                    if self.settings.stack_name in name:
                        yield name
        packages: Any = self.services.s3.list_objects_v2(
            Bucket=self.settings.artifact_bucket, Prefix=f"{self.settings.stack_name}/"
        )
        yield from (each["Key"] for each in packages.get("Contents", []))
