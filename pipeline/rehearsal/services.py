"""The services of the emulated account, as its root sees them."""

from __future__ import annotations

from functools import cache
from typing import Any

from emulator.aws.resources.clients import Clients


class Services(Clients):
    """boto3 clients by the name of their service; each is made once."""

    def __init__(self, endpoint_url: str, region: str) -> None:
        super().__init__(endpoint_url, region)
        self.named = cache(self._client)
        """Return the client of a service, for example `named("lambda")`."""

    def artifact(self, bucket: str, key: str) -> bytes:
        """Return an object that `sam` uploaded."""
        body: Any = self.s3.get_object(Bucket=bucket, Key=key)["Body"]
        return bytes(body.read())

    def empty_bucket(self, name: str) -> None:
        """Delete every version of every object, without which S3 refuses to delete a bucket (docs/RUNBOOK.md)."""
        for page in self.named("s3").get_paginator("list_object_versions").paginate(Bucket=name):
            versions = [*page.get("Versions", []), *page.get("DeleteMarkers", [])]
            objects = [{"Key": one["Key"], "VersionId": one["VersionId"]} for one in versions]
            if objects:
                self.named("s3").delete_objects(Bucket=name, Delete={"Objects": objects})
