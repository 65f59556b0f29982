"""Usual additions to this template pass the audit of permissions and a rehearsal, or what lacks is said."""

from __future__ import annotations

import asyncio
import os
import re
import subprocess
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from pipeline.permissions.__main__ import BOOTSTRAP
from pipeline.permissions.audit import PARAMETERS, audit
from pipeline.permissions.stack_roles import ROLE, audit_execution_role
from pipeline.rehearsal.account import EmulatedAccount, emulated_account
from pipeline.rehearsal.cli import PAGE
from pipeline.rehearsal.comparison import Made
from pipeline.rehearsal.declaration import Declaration
from pipeline.rehearsal.deployed import IS_PLACEHOLDER
from pipeline.rehearsal.page import losses
from pipeline.rehearsal.services import Services
from pipeline.rehearsal.settings import Settings, read_settings
from pipeline.rehearsal.variants import Variant, VariantStack
from pipeline.resolved_template import resolve
from sam_template import Template
from sam_template.repository import REPOSITORY, SAMCONFIG, TEMPLATE
from sam_template.translation import parse
from tests.additions import ADDITIONS, write_template

SAM = REPOSITORY / ".venv" / "bin" / "sam"


def sentences(template: Path) -> list[str]:
    """Return what the audit says of a template's functions with the first set of parameters, and of its deployment."""
    of_functions = audit([Template.load(template, PARAMETERS[0])])
    bootstrap = parse(BOOTSTRAP, BOOTSTRAP.read_text(encoding="utf-8"))
    return [*of_functions, *audit_execution_role(resolve(template)["Resources"], bootstrap)]


def test_the_audit_objects_to_nothing_and_names_what_the_deployment_may_not_do_yet(tmp_path: Path) -> None:
    said_of_the_shop = sentences(TEMPLATE)
    said = [one for one in sentences(write_template(tmp_path, ADDITIONS)) if one not in said_of_the_shop]
    assert f"Let {ROLE} in bootstrap.yaml do sqs:CreateQueue: CloudFormation calls it for AWS::SQS::Queue." in said
    # Each begins with what there is to do: in bootstrap.yaml, or in the lists beside the audit.
    assert {one.split()[0] for one in said} <= {"Let", "Add", "Strike", "Use"}


@pytest.fixture(scope="module")
def rehearsed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[VariantStack]:
    """A stack of this template with all additions at once, made from what `sam package` made of it, and deleted."""
    folder = tmp_path_factory.mktemp("additions")
    template = write_template(folder, ADDITIONS)
    settings = replace(read_settings(SAMCONFIG), stack_name="additions")
    declaration = Declaration(template, settings)
    with asyncio.Runner() as runner:
        account = emulated_account(declaration.types)
        made = runner.run(account.__aenter__())
        try:
            yield rehearse(folder, template, settings, made)
        finally:
            runner.run(account.__aexit__(None, None, None))


def rehearse(folder: Path, template: Path, settings: Settings, account: EmulatedAccount) -> VariantStack:
    services = Services(account.endpoint, settings.region)
    services.s3.create_bucket(Bucket=settings.artifact_bucket)
    packaged = folder / "packaged.yaml"
    command: list[str | Path] = [SAM, "package", "--template-file", template, "--output-template-file", packaged]
    environment = {
        **os.environ,
        **account.endpoint.root.environment(),
        "AWS_ENDPOINT_URL": account.endpoint.url,
        "SAM_CLI_TELEMETRY": "0",
    }
    options = ["--s3-bucket", settings.artifact_bucket, "--region", settings.region]
    done = subprocess.run(
        [*command, *options], env=environment, cwd=folder, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    services.s3.put_object(Bucket=settings.artifact_bucket, Key="additions.template", Body=packaged.read_bytes())
    variant = Variant("all", "every addition", settings.parameters)
    stack = VariantStack(variant, settings, template, services, account.parameters)
    stack.rehearse(f"{services.endpoint_url}/{settings.artifact_bucket}/additions.template")
    return stack


def test_all_of_them_are_rehearsed_and_nothing_of_the_shop_is_lost(rehearsed: VariantStack) -> None:
    assert losses(PAGE.read_text(encoding="utf-8"), rehearsed.rows) == []


def test_what_is_added_is_made_or_its_placeholder_is_said(rehearsed: VariantStack) -> None:
    ours = {row.resource for row in rehearsed.rows} - set(Template.load(TEMPLATE).section("Resources"))
    assert {"Uploads", "Clicks", "Steps", "Rate", "Key", "Shared", "Carts", "Cache"} <= ours
    of_the_shop = set(re.findall(r"\w+", PAGE.read_text(encoding="utf-8")))
    placeholders = {row.resource for row in rehearsed.rows if row.remark == IS_PLACEHOLDER}
    assert placeholders - of_the_shop == {"Cache"}


def test_no_declared_property_is_passed_over(rehearsed: VariantStack) -> None:
    assert {row.made for row in rehearsed.rows} <= {Made.YES, Made.NOT_EMULATED, Made.NOT_READ}
