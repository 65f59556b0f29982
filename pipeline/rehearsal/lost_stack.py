"""Production's stack, lost and taken back: deleted with data in what it retains, adopted, deployed again."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, Final

from pipeline.adoption import adopt
from pipeline.rehearsal.declaration import VERSION
from pipeline.rehearsal.sam import Commands
from pipeline.rehearsal.step import expect
from pipeline.rehearsal.variants import WAITS, VariantStack
from pipeline.releases import Releases, read_deployed
from pipeline.stages import DeploymentError, Stage

KEPT_ITEM: Final = {"sku": {"S": "LOST-1"}, "name": {"S": "Kept over a loss"}, "qty": {"N": "7"}}
KEPT_FILE: Final = ("kept.txt", b"kept over a loss")


class LostStack(VariantStack):
    """A variant whose stack is deleted while people use it, and comes back with `return_after_loss`."""

    def use(self) -> None:
        """Leave data in all that is retained, and what each deployment leaves: a release, and the bootstrap's stack."""
        names = self.stack.outputs()
        self.services.named("dynamodb").put_item(TableName=names["TableName"], Item=KEPT_ITEM)
        self.services.s3.put_object(Bucket=names["BucketName"], Key=KEPT_FILE[0], Body=KEPT_FILE[1])
        self._before = self._data()
        self.make_bootstrap(self._stage)
        release = read_deployed(self._stage, self.cloudformation)
        Releases(self._stage, self.settings.artifact_bucket, self.services.s3).keep(release)

    async def return_after_loss(self, template: str, commands: Commands) -> str:
        """Adopt what is left and deploy with the unmodified `sam`; return what holds. Raises RehearsalError."""
        with self.named_in_errors():
            try:
                adopted = adopt(self._stage, self.services.named, waits=WAITS)
            except DeploymentError as error:
                expect(False, f"nothing was adopted: {error}")
            # A version stays until its function goes.
            retained = [resource for resource in self.declaration.resources if resource.stays]
            kept = {resource.logical_id for resource in retained if resource.type_name != VERSION}
            expect(set(adopted) == kept, f"adopted were {sorted(adopted)}, and the template keeps {sorted(kept)}")
            expect(self.stack.status() == "IMPORT_COMPLETE", f"the stack's status is {self.stack.status()}")
            # JSON is YAML, and the command line takes no empty value.
            values = self.settings.build_folder.with_name("lost-parameters.yaml")
            values.write_text(json.dumps({**self.settings.parameters, **self.parameters}), encoding="utf-8")
            arguments = ["--stack-name", self.settings.stack_name, "--template-file", template]
            await commands.sam("deploy", *arguments, "--parameter-overrides", f"file://{values}")
            status, ids = self.stack.status(), self.stack.physical_ids()
            expect(status == "UPDATE_COMPLETE", f"the stack's status is {status}")
            strangers = sorted(name for name in adopted if ids[name] != adopted[name])
            expect(not strangers, f"the deployment made another {', '.join(strangers)}")
            self.compare()
            after = self._data()
            lost = sorted(name for name in self._before if after[name] != self._before[name])
            expect(not lost, f"after the return these are not what they were: {', '.join(lost)}")
            return (
                f"{', '.join(sorted(adopted))} adopted; {status}; the item, the file and the secrets are what they were"
            )

    @property
    def _stage(self) -> Stage:
        return Stage("prod", self.settings.stack_name, self.settings.region, self.settings.parameters)

    def _data(self) -> Mapping[str, Any]:
        names = self.stack.outputs()
        key = {"sku": KEPT_ITEM["sku"]}
        secrets = {
            name: self.services.secretsmanager.get_secret_value(SecretId=names[name])["SecretString"]
            for name in ("SecretArn", "ApiKeySecretArn")
        }
        return {
            "item": self.services.named("dynamodb").get_item(TableName=names["TableName"], Key=key).get("Item"),
            "file": self.services.s3.get_object(Bucket=names["BucketName"], Key=KEPT_FILE[0])["Body"].read(),
            **secrets,
        }
