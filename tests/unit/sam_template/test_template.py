"""The repository's own template, and templates with one mistake each."""

from __future__ import annotations

import gc
import textwrap
from pathlib import Path

import pytest

from sam_template import Route, Template, TemplateError, translation
from sam_template.repository import REPOSITORY, TEMPLATE

SHOP = TEMPLATE


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Template:
    return Template.load(SHOP, cache=tmp_path_factory.mktemp("translations"))


def write(folder: Path, resources: str, head: str = "") -> Path:
    path = folder / "template.yaml"
    path.write_text(
        "Transform: AWS::Serverless-2016-10-31\n"
        + textwrap.dedent(head)
        + "Resources:\n"
        + textwrap.indent(textwrap.dedent(resources), "  ")
    )
    return path


class TestShop:
    def test_the_function_is_what_the_template_declares(self, shop: Template) -> None:
        function = shop.functions["InventoryFunction"]
        assert function.handler == "app.lambda_handler.lambda_handler"
        assert function.code_uri == REPOSITORY / "inventory_function"
        assert (function.runtime, function.architecture) == ("python3.13", "arm64")
        assert (function.timeout, function.memory_size) == (15, 512)
        assert shop.resources[function.role]["Type"] == "AWS::IAM::Role"
        declared = translation.parse(SHOP, SHOP.read_text())["Resources"]["InventoryFunction"]["Properties"]
        written = declared["Environment"]["Variables"]
        assert {name: function.environment[name] for name in written} == written

    def test_every_event_is_a_route(self, shop: Template) -> None:
        events = [
            (event["Properties"]["Method"], event["Properties"]["Path"])
            for resource in translation.parse(SHOP, SHOP.read_text())["Resources"].values()
            for event in resource.get("Properties", {}).get("Events", {}).values()
            if event["Type"] == "HttpApi" and "Path" in event["Properties"]
        ]
        assert {(route.method, route.path) for route in shop.routes} >= set(events)
        assert Route("POST", "/inventory/{sku}/adjustments", "InventoryFunction") in shop.routes

    def test_a_resource_comes_after_those_it_refers_to(self, shop: Template) -> None:
        order = shop.creation_order
        assert set(order) == set(shop.resources)
        for earlier, later in (
            ("DataBucket", "DataBucketPolicy"),
            ("ShopInventory", "InventoryFunctionRole"),
            ("InventoryFunctionRole", "InventoryFunction"),
            ("ApiKeySecret", "InventoryFunction"),
        ):
            assert order.index(earlier) < order.index(later)

    def test_parameters_reach_the_functions(self, tmp_path: Path) -> None:
        changes = {"LambdaRuntime": "python3.11", "LambdaArchitecture": "x86_64", "InventoryTimeoutSeconds": "7"}
        template = Template.load(SHOP, changes, cache=tmp_path)
        function = template.functions["InventoryFunction"]
        assert (function.runtime, function.architecture, function.timeout) == ("python3.11", "x86_64", 7)
        assert template.parameters["LogRetentionDays"] == "30"

    def test_a_value_that_is_not_allowed_is_refused(self, tmp_path: Path) -> None:
        with pytest.raises(TemplateError, match="LambdaRuntime must be one of"):
            Template.load(SHOP, {"LambdaRuntime": "python2.7"}, cache=tmp_path)


class TestConditions:
    TEMPLATE = """
        Plain: {Type: "AWS::Logs::LogGroup", Condition: Never}
        Kept: {Type: "AWS::Logs::LogGroup", Condition: Always}
    """
    HEAD = """
        Conditions:
          Always: !Equals [a, a]
          Never: !Not [!Condition Always]
        Outputs:
          Gone: {Condition: Never, Value: !Ref Plain}
          Here: {Value: !Ref Kept}
    """

    def test_what_does_not_hold_is_dropped(self, tmp_path: Path) -> None:
        template = Template.load(write(tmp_path, self.TEMPLATE, self.HEAD))
        assert set(template.resources) == {"Kept"}
        assert set(template.outputs) == {"Here"}

    def test_a_reference_to_what_was_dropped_is_an_error(self, tmp_path: Path) -> None:
        resources = self.TEMPLATE + "    Lost: {Type: X, Properties: {Group: !Ref Plain}}\n"
        with pytest.raises(TemplateError, match=r"line \d+: Resources.Lost.*called Plain"):
            Template.load(write(tmp_path, resources, self.HEAD))


BARE = "{Type: 'AWS::Serverless::Function', Properties: {CodeUri: x, Handler: h, Runtime: python3.13, %s}}"


@pytest.mark.parametrize(
    ("resources", "sentence"),
    [
        ("Bad: {Type: X, Properties: [}", "line 3: this is not YAML"),
        ("Bad: {Properties: {}}", "line 3: Bad needs a Type"),
        ("Bad: {Type: X, Properties: {A: !Ref Nowhere}}", "line 3: .*nothing in the template is called Nowhere"),
        ("Bad: {Type: X, Properties: {A: !Transform {Name: Y}}}", "line 3: .*Fn::Transform is unknown"),
        ("Bad: {Type: X, Condition: Missing}", "line 3: .*Conditions has no Missing"),
        ("A: {Type: X, Properties: {B: !Ref B}}\nB: {Type: X, Properties: {A: !Ref A}}", "circle"),
        ("Bad: " + BARE % "Oops: 1", "line 3: Resource with id .Bad. is invalid.*Oops"),
        ("Bad: " + BARE % "Timeout: soon", "line 3: Bad has a Timeout, MemorySize or Eph"),
    ],
)
def test_a_mistake_is_named_with_its_line(tmp_path: Path, resources: str, sentence: str) -> None:
    with pytest.raises(TemplateError, match=sentence):
        Template.load(write(tmp_path, resources))


def test_the_translator_keeps_quiet(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    Template.load(write(tmp_path, "Fine: " + BARE % "Timeout: 5"))
    with pytest.raises(TemplateError):
        Template.load(write(tmp_path, "Bad: " + BARE % "Oops: 1"))
    gc.collect()
    assert not caplog.records


def test_a_file_that_is_no_template(tmp_path: Path) -> None:
    with pytest.raises(TemplateError, match="cannot be read"):
        Template.load(tmp_path / "absent.yaml")
    (tmp_path / "list.yaml").write_text("- a\n")
    with pytest.raises(TemplateError, match="declares no Resources"):
        Template.load(tmp_path / "list.yaml")


FUNCTION = (
    "{Type: 'AWS::Serverless::Function', Properties: {Handler: h, Runtime: python3.13, AutoPublishAlias: live, %s}}"
)


def test_a_route_leads_through_an_alias_to_its_function(tmp_path: Path) -> None:
    events = "Events: {Rest: {Type: HttpApi}, One: {Type: HttpApi, Properties: {Path: /one, Method: any}}}"
    template = Template.load(write(tmp_path, "Site: " + FUNCTION % f"CodeUri: site, {events}"))
    assert template.routes == (Route("ANY", "$default", "Site"), Route("ANY", "/one", "Site"))
    assert template.functions["Site"].code_uri == tmp_path / "site"


def test_code_may_be_declared_for_all_functions(tmp_path: Path) -> None:
    path = write(tmp_path, "Site: " + FUNCTION % "Timeout: 5", "Globals: {Function: {CodeUri: everything}}\n")
    assert Template.load(path).functions["Site"].code_uri == tmp_path / "everything"


class TestCache:
    def test_a_translation_is_made_once(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        first = Template.load(SHOP, cache=tmp_path)
        monkeypatch.delattr(translation, "_translate")
        second = Template.load(SHOP, cache=tmp_path)
        assert (second.resources, second.routes, second.functions) == (first.resources, first.routes, first.functions)

    def test_other_parameters_are_another_translation(self, tmp_path: Path) -> None:
        Template.load(SHOP, cache=tmp_path)
        Template.load(SHOP, {"Stage": "prod"}, cache=tmp_path)
        assert len(list(tmp_path.glob("*.json"))) == 2

    def test_a_spoilt_file_is_made_anew(self, tmp_path: Path) -> None:
        Template.load(SHOP, cache=tmp_path)
        (kept,) = tmp_path.glob("*.json")
        kept.write_text("{")
        assert Template.load(SHOP, cache=tmp_path).functions
        assert kept.stat().st_size > 1

    def test_old_translations_are_removed(self, tmp_path: Path) -> None:
        for number in range(translation.KEPT_TRANSLATIONS + 2):
            (tmp_path / f"{number}.json").write_text("{}")
        Template.load(SHOP, cache=tmp_path)
        assert len(list(tmp_path.glob("*.json"))) == translation.KEPT_TRANSLATIONS


class TestDefinitionFiles:
    STEPS = """
        Steps:
          Type: AWS::Serverless::StateMachine
          Properties: {DefinitionUri: steps.yaml, Role: "arn:aws:iam::000000000000:role/r"}
    """

    def definition(self, folder: Path) -> str:
        template = Template.load(write(folder, self.STEPS), cache=folder / "translations")
        return str(template.evaluated("Steps")["DefinitionString"])

    def test_a_state_machine_may_be_in_a_file(self, tmp_path: Path) -> None:
        (tmp_path / "steps.yaml").write_text("StartAt: Do\nStates: {Do: {Type: Pass, End: true}}\n")
        assert '"StartAt": "Do"' in self.definition(tmp_path)

    def test_a_change_of_the_file_is_seen(self, tmp_path: Path) -> None:
        (tmp_path / "steps.yaml").write_text("StartAt: One\n")
        assert "One" in self.definition(tmp_path)
        (tmp_path / "steps.yaml").write_text("StartAt: Two\n")
        assert "Two" in self.definition(tmp_path)

    def test_a_file_that_is_not_there_is_named(self, tmp_path: Path) -> None:
        with pytest.raises(TemplateError, match=r"the DefinitionUri of Steps names .*steps.yaml, which cannot be read"):
            self.definition(tmp_path)
