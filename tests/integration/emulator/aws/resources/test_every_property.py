"""Each property of each resource type reaches the endpoint, and is read back as it was declared."""

from __future__ import annotations

import textwrap
from collections.abc import Collection
from pathlib import Path

import pytest

from emulator.aws.clients import Clients
from emulator.aws.provisioning import Provisioner, Standing
from emulator.aws.resource_type import ResourceType
from emulator.aws.resources import every, file_name
from pipeline.rehearsal.comparison import differences
from sam_template import Template

TEMPLATES = Path(__file__).parent
CHECKED = [resource_type for resource_type in every() if resource_type.properties]
each_type = pytest.mark.parametrize("resource_type", CHECKED, ids=lambda each: file_name(each.type_name))


def load(resource_type: ResourceType, folder: Path) -> Template:
    """Return the template of a type: `<its file's name>.yaml` beside this test, with what it refers to."""
    own = TEMPLATES / f"{file_name(resource_type.type_name)}.yaml"
    assert own.exists(), f"write {own.name}, in which resources of {resource_type.type_name} have every property"
    resources = own.read_text() + (TEMPLATES / "support.yaml").read_text()
    path = folder / "template.yaml"
    path.write_text("Resources:\n" + textwrap.indent(resources, "  "))
    return Template.load(path)


def below(path: str, gaps: Collection[str]) -> bool:
    return any(path == gap or path.startswith(f"{gap}.") for gap in gaps)


@each_type
def test_it_is_read_back_as_declared(resource_type: ResourceType, root: Clients, tmp_path: Path) -> None:
    template = load(resource_type, tmp_path)
    kind = resource_type.type_name.rpartition("::")[2].lower()
    provisioner = Provisioner(template, root, f"every-{kind}", {})
    for _ in range(2):  # the second time nothing differs
        provisioner.create()
        declared_names: set[str] = set()
        attributes: set[str] = set()
        lost: dict[str, object] = {}
        for logical_id, created in provisioner.created.items():
            if provisioner.type_of(logical_id) != resource_type.type_name:
                continue
            outcome = provisioner.outcomes[logical_id]
            assert outcome.standing is Standing.CHECKED
            declared = template.evaluated(logical_id, scope=provisioner.scope())
            declared_names |= declared.keys()
            made = resource_type.read(root, created.ref, declared)
            assert made.keys() >= resource_type.properties.keys()
            lost |= {one.place: (one.declared, one.made) for one in differences(declared, made)}
            attributes |= {name for name, value in created.attributes.items() if value and "{" not in value}
        assert not {path: values for path, values in lost.items() if not below(path, resource_type.unreported)}
        reported = {gap for gap in resource_type.unreported if not any(below(path, {gap}) for path in lost)}
        assert not reported, "take what MiniStack reports now off `unreported`"
    assert attributes == resource_type.attributes.keys()
    assert declared_names == resource_type.properties.keys()
