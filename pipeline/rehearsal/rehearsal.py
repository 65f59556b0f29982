"""The rehearsal itself, from build to delete: `Rehearsal._steps` has the order. Each step says its seconds."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

from emulator.aws import sample_data
from emulator.project.declaration import read_declaration
from pipeline.rehearsal import table
from pipeline.rehearsal.account import EmulatedAccount
from pipeline.rehearsal.changes import FUNCTION, HEADER, IMPOSSIBLE, TAKEN_PERMISSION, ChangedBuild
from pipeline.rehearsal.comparison import Row, require_all_explained, require_no_gap_closed
from pipeline.rehearsal.declaration import Declaration
from pipeline.rehearsal.deployed import Deployed
from pipeline.rehearsal.gaps import GAPS
from pipeline.rehearsal.lost_stack import LostStack
from pipeline.rehearsal.own_stack import OwnStack
from pipeline.rehearsal.page import Report
from pipeline.rehearsal.sam import Commands
from pipeline.rehearsal.services import Services
from pipeline.rehearsal.settings import Settings
from pipeline.rehearsal.step import expect, step
from pipeline.rehearsal.variants import VariantStack, share_template, variants
from pipeline.removal import empty_bucket
from pipeline.smoke.client import Answer, Deployment
from pre_traffic_check import hook
from sam_template.repository import FILES, REPOSITORY, TEMPLATE

CHANGED_PARAMETERS: Final = {"InventoryMemoryMegabytes": "640", "LogLevel": "WARNING"}
FAILING_PARAMETERS: Final = {"InventoryMemoryMegabytes": "1024", "LogLevel": "DEBUG"}
KEPT_ITEM: Final = {"sku": "REHEARSAL-1", "name": "Kept over every change", "qty": 7, "price": 19.99}
KEPT_FILE: Final = "sample.txt"
_STACKS: Final = {"prod": LostStack, "own": OwnStack}
"""The variants that are more than compared."""


class Rehearsal:
    """One rehearsal in its emulated account. `rows` holds what was compared once `run` has returned."""

    def __init__(
        self, settings: Settings, declaration: Declaration, account: EmulatedAccount, commands: Commands
    ) -> None:
        self.rows: list[Row] = []
        self._settings = settings
        self._account = account
        self._commands = commands
        self._declaration = declaration
        self._services = Services(account.endpoint, settings.region)
        self._stack = Deployed(self._services, settings.stack_name, declaration, account.parameters)
        self.variants = tuple(
            _STACKS.get(variant.name, VariantStack)(variant, settings, TEMPLATE, self._services, account.parameters)
            for variant in variants(settings, TEMPLATE)
        )

    async def run(self) -> None:
        """Do every step. Raises RehearsalError at the first that does not hold."""
        try:
            await self._steps()
        finally:
            self._services.close()

    def report(self) -> Report:
        """Return what became of the first set of parameters, that of samconfig.toml."""
        return Report("rehearsal", "everything on", self._declaration, self.rows)

    def variant_reports(self) -> list[Report]:
        """Return what became of the others."""
        return [Report(one.variant.name, one.variant.described, one.declaration, one.rows) for one in self.variants]

    async def _steps(self) -> None:
        with step("build") as say:
            await self._commands.sam("build")
            say("for this machine, as make start does")
        with step("create") as say:
            await asyncio.to_thread(self._services.s3.create_bucket, Bucket=self._settings.artifact_bucket)
            await self._deploy(self._built, {})
            say(await self._expect_status("CREATE_COMPLETE"))
        with step("compare") as say:
            self.rows = await asyncio.to_thread(self._stack.rows, GAPS)
            say(table.summary(self.rows))
        require_all_explained(self.rows)
        with step("variants") as say:
            say(await self._rehearse_variants())
        with step("adopt") as say:
            say(await self._adopt())
        with step("use") as say:
            say(await self._use())
        with step("deploy again") as say:
            say(await self._deploy_without_a_change())
        with step("change") as say:
            say(await self._change())
        with step("fail") as say:
            say(await self._fail())
        with step("delete") as say:
            say(await self._delete())

    @property
    def _built(self) -> Path:
        return self._settings.build_folder / "template.yaml"

    async def _deploy(self, template: Path, parameters: Mapping[str, str], *, fails: bool = False) -> str:
        overrides = self._settings.overrides({**self._account.parameters, **parameters})
        arguments = ["--template-file", str(template), "--parameter-overrides", *overrides]
        said = await self._commands.sam("deploy", *arguments, fails=fails)
        if not fails:
            await asyncio.to_thread(self._stack.require_versions_active)
        return said

    async def _expect_status(self, status: str) -> str:
        came = await asyncio.to_thread(self._stack.status)
        expect(came == status, f"the stack's status is {came}, not {status}")
        return came

    async def _rehearse_variants(self) -> str:
        """Rehearse the other sets of parameters, all at once. Raises RehearsalError."""
        template_url = await asyncio.to_thread(share_template, self._services, self._settings)
        await asyncio.gather(*(asyncio.to_thread(one.rehearse, template_url) for one in self.variants))
        require_no_gap_closed([*self.rows, *(row for one in self.variants for row in one.rows)])
        return "; ".join(f"{one.variant.name}: {len(one.rows)} properties" for one in self.variants)

    async def _adopt(self) -> str:
        (lost,) = (one for one in self.variants if isinstance(one, LostStack))
        return await lost.return_after_loss(str(self._built), self._commands)

    async def _use(self) -> str:
        self._shop = await asyncio.to_thread(self._open_shop)
        await asyncio.to_thread(self._check_as_codedeploy_would)
        variables = {"INVENTORY_API_KEY": self._shop.api_key}
        said = await self._commands.python("-m", "pipeline.smoke", self._shop.url, variables=variables)
        await asyncio.to_thread(self._leave_something)
        return f"the pre-traffic check, {said.count('ok   ')} smoke checks over HTTP; an item and a file are left"

    def _check_as_codedeploy_would(self) -> None:
        """Invoke the published versions as the PreTraffic hook does; CodeDeploy itself is not emulated."""
        ids = self._stack.physical_ids()
        versions = {name: ids[f"{name.partition('_')[0].title()}FunctionVersion"] for name in hook.REQUESTS}
        complaints = " ".join(hook.check(self._services.named("lambda"), versions))
        expect(not complaints, f"the pre-traffic check would refuse: {complaints.removesuffix('.')}")

    def _open_shop(self) -> Deployment:
        """Fill in the secret and the sample data, as a person does after the first deployment; return the shop."""
        api_id, names = self._stack.serve_routes(), self._stack.outputs()
        ids, declaration = self._stack.physical_ids(), read_declaration(REPOSITORY)
        for secret, members in self._account.secrets.items():
            sample_data.fill_in_secret(self._services, ids[secret], members)
        for files in declaration.files:
            sample_data.load_files(self._services, ids[files.bucket], files.folder)
        for items in declaration.items:
            sample_data.load_items(self._services, ids[items.table], items)
        secret = self._services.secretsmanager.get_secret_value(SecretId=names["ApiKeySecretArn"])["SecretString"]
        key = str(json.loads(secret)["INVENTORY_API_KEY"])
        # The form for clients that cannot choose the Host header: MiniStack, app.py, _parse_execute_api_url.
        return Deployment(f"{self._account.endpoint.url}/_aws/execute-api/{api_id}", api_key=key)

    def _leave_something(self) -> None:
        refused = self._shop.request("POST", "/inventory", body=KEPT_ITEM)
        expect(refused.status == 401, f"a write without the key was answered {refused.described}, not 401")
        created = self._shop.request("POST", "/inventory", body=KEPT_ITEM, with_key=True)
        expect(created.status == 201, f"a write with the key was answered {created.described}, not 201")
        self._require_kept()

    def _require_kept(self) -> Answer:
        """Return the answer with the item that was left. Raises RehearsalError unless it and the file are there."""
        item = self._shop.request("GET", f"/inventory/{KEPT_ITEM['sku']}")
        came = {name: item.json().get(name) for name in KEPT_ITEM} if item.status == 200 else item.described
        expect(came == KEPT_ITEM, f"the item that was written is now {came}")
        file = self._shop.request("GET", f"/file/download/{KEPT_FILE}")
        content = (FILES / KEPT_FILE).read_bytes()
        expect((file.status, file.body) == (200, content), f"the file that was written is now {file.described}")
        return item

    async def _deploy_without_a_change(self) -> str:
        said = await self._deploy(self._built, {})
        expect("No changes to deploy" in said, "sam did not say that there is nothing to deploy")
        await self._expect_status("CREATE_COMPLETE")
        return "No changes to deploy"

    async def _change(self) -> str:
        build = ChangedBuild(self._settings.build_folder, self._account.folder / "changed")
        build.change_code("changed")
        build.take_permission()
        await self._deploy(build.write(), CHANGED_PARAMETERS)
        status = await self._expect_status("UPDATE_COMPLETE")
        await asyncio.to_thread(self._require_changed)
        return (
            f"{status}; new memory, log level and code behind the alias; without {TAKEN_PERMISSION}, DELETE is refused"
        )

    def _require_changed(self) -> None:
        live = self._live()
        memory, level = str(live["MemorySize"]), live["Environment"]["Variables"]["POWERTOOLS_LOG_LEVEL"]
        came = {"InventoryMemoryMegabytes": memory, "LogLevel": level}
        expect(came == CHANGED_PARAMETERS, f"the function has {came}, not {CHANGED_PARAMETERS}")
        expect(self._require_kept().headers.get(HEADER) == "changed", "the changed code does not answer")
        denied = self._shop.request("DELETE", f"/inventory/{KEPT_ITEM['sku']}", with_key=True)
        expect(denied.status >= 500, f"without {TAKEN_PERMISSION}, DELETE was answered {denied.described}")

    async def _fail(self) -> str:
        before = await asyncio.to_thread(self._state)
        build = ChangedBuild(self._settings.build_folder, self._account.folder / "failing")
        build.change_code("failing")
        build.add_impossible_resource()
        said = await self._deploy(build.write(), FAILING_PARAMETERS, fails=True)
        expect(IMPOSSIBLE in said, f"the deployment failed for another reason than {IMPOSSIBLE}")
        status = await self._expect_status("UPDATE_ROLLBACK_COMPLETE")
        after = await asyncio.to_thread(self._state)
        lost = sorted(name for name in before if before[name] != after.get(name))
        expect(not lost, f"after the rollback these are not what they were: {', '.join(lost)}")
        answer = await asyncio.to_thread(self._require_kept)
        expect(answer.headers.get(HEADER) == "changed", "after the rollback another code answers")
        return f"{status}; {len(after)} resources, the item and the file are what they were"

    def _state(self) -> Mapping[str, Any]:
        return self._stack.made() | {"(live)": self._live()["CodeSha256"]}

    def _live(self) -> Mapping[str, Any]:
        """Return the configuration of the function's version behind the alias that the API invokes."""
        alias = next(
            one
            for one in self._stack.values().values()
            if one.get("FunctionVersion") and FUNCTION in one["FunctionName"]
        )
        configuration: Mapping[str, Any] = self._services.named("lambda").get_function_configuration(
            FunctionName=alias["FunctionName"], Qualifier=alias["Name"]
        )
        return configuration

    async def _delete(self) -> str:
        bucket = self._stack.outputs()["BucketName"]
        await asyncio.to_thread(empty_bucket, bucket, self._services.s3)
        kept = {resource.logical_id for resource in self._declaration.resources if resource.stays}
        stack_id, there = self._stack.stack_id(), set(self._stack.physical_ids())
        await self._commands.sam("delete", "--no-prompts")
        left = there - await asyncio.to_thread(self._stack.deleted, stack_id)
        expect(left == kept, f"left are {sorted(left)}, and the template keeps {sorted(kept)}")
        retained = f"what the template retains is left: {', '.join(sorted(left))}" if left else "none is left"
        return f"{len(there - left)} resources gone; {retained}"
