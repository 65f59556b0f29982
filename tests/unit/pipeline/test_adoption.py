"""The template of an import holds what the stage retains as it is declared, and nothing else."""

from __future__ import annotations

import json

import pytest

from pipeline.adoption import IDENTIFIERS, import_template
from pipeline.permissions.registry import primary_identifier
from pipeline.protection import DATA
from pipeline.stages import Stage, read_stage
from sam_template import Template
from sam_template.repository import SAMCONFIG, TEMPLATE

PROD = read_stage("prod", SAMCONFIG)
WITH_KEY = Stage(PROD.name, PROD.stack, PROD.region, {**PROD.parameters, "OwnKey": "true"})


def test_what_holds_data_is_imported_and_never_deleted() -> None:
    template, importable = import_template(WITH_KEY, None)
    assert sorted(importable) == sorted(template["Resources"]) == sorted(DATA)
    policies = {resource[name] for resource in template["Resources"].values() for name in POLICIES}
    assert policies == {"Retain"}, "an import that fails deletes nothing"


POLICIES = ("DeletionPolicy", "UpdateReplacePolicy")


def test_an_update_by_the_same_template_changes_no_property() -> None:
    template, _ = import_template(WITH_KEY, None)
    declared = Template.load(TEMPLATE, WITH_KEY.parameters).resources
    for name, resource in template["Resources"].items():
        assert resource["Properties"] == declared[name]["Properties"], name


def test_there_is_nothing_that_an_import_refuses() -> None:
    template, _ = import_template(PROD, None)
    assert {"Outputs", "Transform", "Rules"} & set(template) == set()
    assert len(json.dumps(template, separators=(",", ":"))) < 51_200, "CloudFormation quotas, Template body size"


def test_without_a_key_of_its_own_there_is_none_to_import() -> None:
    _, importable = import_template(PROD, None)
    assert set(DATA) - set(importable) == {"ShopKey"}


@pytest.mark.parametrize("stage", ["staging", "dev-ann"])
def test_the_other_stages_keep_nothing(stage: str) -> None:
    _, importable = import_template(read_stage(stage, SAMCONFIG), None)
    assert importable == []


@pytest.mark.parametrize("type_name", IDENTIFIERS)
def test_a_resource_is_named_by_the_primary_identifier_of_its_type(type_name: str) -> None:
    assert primary_identifier(type_name) == (IDENTIFIERS[type_name],)
