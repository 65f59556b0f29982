"""Properties are declared with their mapping, names are CloudFormation's, and nothing passes unnoticed."""

from __future__ import annotations

import json
import random
import string
from pathlib import Path
from typing import Any, ClassVar

import pytest
from hypothesis import given
from hypothesis import strategies as st

from emulator.aws.clients import Clients
from emulator.aws.resource_type import Created, ResourceType, generated_name
from emulator.aws.resources import every, file_name, find, lambda_event_source_mapping
from emulator.aws.resources import s3_bucket as bucket
from emulator.aws.resources import secretsmanager_secret as secret
from emulator.aws.schema import Kind, PropertyError, Schema, conform
from emulator.aws.stack import Stack
from emulator.credentials import Endpoint, RootCredentials
from sam_template import Template, TemplateError
from sam_template.repository import TEMPLATE
from tests.shop import link_definitions

NOWHERE = Endpoint("http://127.0.0.1:9", RootCredentials.random())  # discard: whoever talks to it fails


class TestSchema:
    SCHEMA: ClassVar[Schema] = {
        "Name": Kind.TEXT,
        "Rules": [{"Days": Kind.WHOLE, "On": Kind.FLAG}],
        "Policy": Kind.DOCUMENT,
    }

    def test_scalars_become_what_is_declared(self) -> None:
        value = {"Name": 7, "Rules": [{"Days": "30", "On": "true"}, {"On": False}], "Policy": {"Any": ["thing"]}}
        assert conform(value, self.SCHEMA, []) == {
            "Name": "7",
            "Rules": [{"Days": 30, "On": True}, {"On": False}],
            "Policy": {"Any": ["thing"]},
        }

    @pytest.mark.parametrize(
        ("value", "sentence"),
        [
            ({"Rules": [{"Days": "soon"}]}, r"Rules\[0\].Days must be a whole number"),
            ({"Rules": [{"Days": True}]}, "whole number"),
            ({"Rules": [{"On": "yes"}]}, "On must be true or false"),
            ({"Rules": {}}, "Rules must be a list"),
            ({"Name": ["x"]}, "Name must be a text"),
            ({"Policy": 1}, "Policy must be a JSON document"),
            ([], "Properties must be a mapping"),
        ],
    )
    def test_a_value_of_another_kind_is_named(self, value: Any, sentence: str) -> None:
        with pytest.raises(PropertyError, match=sentence):
            conform(value, self.SCHEMA, [])

    def test_a_property_without_a_mapping_is_told(self) -> None:
        left_out: list[str] = []
        value = conform({"Nmae": "x", "Rules": [{}, {"Dayz": 1, "On": True}]}, self.SCHEMA, left_out)
        assert value == {"Rules": [{}, {"On": True}]}
        assert left_out == ["Nmae", "Rules[1].Dayz"]


class TestNames:
    def test_they_read_like_cloudformations(self) -> None:
        assert generated_name("shop-local", "ShopInventory", 255).startswith("shop-local-ShopInventory-")

    @given(st.text(string.ascii_letters, min_size=1, max_size=128), st.text(string.ascii_letters, min_size=1))
    def test_they_are_steady_distinct_and_short_enough(self, stack: str, logical_id: str) -> None:
        name = generated_name(stack, logical_id, 63)
        assert name == generated_name(stack, logical_id, 63)
        assert name != generated_name(stack + "x", logical_id, 63)
        assert len(name) <= 63

    def test_a_bucket_is_in_lower_case_and_a_declared_name_wins(self) -> None:
        assert bucket.RESOURCE.physical_name("shop-local", "DataBucket", {}).islower()
        assert bucket.RESOURCE.physical_name("shop-local", "DataBucket", {"BucketName": "mine"}) == "mine"


class TestPassword:
    def test_as_get_random_password_documents_it(self) -> None:
        assert len(secret.password({}, random.Random(1))) == 32

    @given(
        options=st.fixed_dictionaries(
            {},
            optional={
                "ExcludeCharacters": st.text(string.printable, max_size=10),
                "ExcludeLowercase": st.booleans(),
                "ExcludeNumbers": st.booleans(),
                "ExcludePunctuation": st.booleans(),
                "ExcludeUppercase": st.booleans(),
                "IncludeSpace": st.booleans(),
                "PasswordLength": st.integers(5, 60),
                "RequireEachIncludedType": st.booleans(),
            },
        ),
        seed=st.integers(),
    )
    def test_every_option_is_honoured(self, options: dict[str, Any], seed: int) -> None:
        types = {
            "ExcludeLowercase": string.ascii_lowercase,
            "ExcludeNumbers": string.digits,
            "ExcludePunctuation": string.punctuation,
            "ExcludeUppercase": string.ascii_uppercase,
        }
        included = {name: set(chars) - set(options.get("ExcludeCharacters", "")) for name, chars in types.items()}
        included = {name: chars for name, chars in included.items() if chars and not options.get(name)}
        space = {" "} - set(options.get("ExcludeCharacters", "")) if options.get("IncludeSpace") else set()
        allowed = set().union(space, *included.values())
        if not allowed:
            with pytest.raises(PropertyError, match="leaves no character"):
                secret.password(options, random.Random(seed))
            return
        made = secret.password(options, random.Random(seed))
        assert len(made) == options.get("PasswordLength", 32)
        assert set(made) <= allowed
        if options.get("RequireEachIncludedType", True):
            assert all(set(made) & chars for chars in included.values())

    def test_a_template_gets_the_generated_key(self) -> None:
        options = {"SecretStringTemplate": '{"A": ""}', "GenerateStringKey": "B", "ExcludePunctuation": True}
        value = json.loads(secret.secret_string("name", {"GenerateSecretString": options}))
        assert value["A"] == ""
        assert value["B"].isalnum()

    @pytest.mark.parametrize(
        ("options", "sentence"),
        [
            ({"GenerateStringKey": "B"}, "both SecretStringTemplate and GenerateStringKey"),
            ({"GenerateStringKey": "B", "SecretStringTemplate": "{"}, "not JSON"),
            ({"GenerateStringKey": "B", "SecretStringTemplate": "[]"}, "JSON object"),
            ({"PasswordLength": 3}, "too short for 4"),
            ({"PasswordLength": 5000}, "outside 1 to 4096"),
        ],
    )
    def test_what_cannot_be_honoured_is_named(self, options: dict[str, Any], sentence: str) -> None:
        with pytest.raises(PropertyError, match=sentence):
            secret.secret_string("name", {"GenerateSecretString": options})


def test_a_lifecycle_rule_is_told_in_the_apis_words() -> None:
    declared = {
        "Id": "Old",
        "Status": "Enabled",
        "Prefix": "tmp/",
        "ExpirationInDays": 1,
        "NoncurrentVersionExpiration": {"NoncurrentDays": 30},
        "AbortIncompleteMultipartUpload": {"DaysAfterInitiation": 7},
        "Transitions": [{"StorageClass": "GLACIER", "TransitionInDays": 90}],
    }
    assert bucket.lifecycle_rule(declared) == {
        "ID": "Old",
        "Status": "Enabled",
        "Filter": {"Prefix": "tmp/"},
        "Expiration": {"Days": 1},
        "NoncurrentVersionExpiration": {"NoncurrentDays": 30},
        "AbortIncompleteMultipartUpload": {"DaysAfterInitiation": 7},
        "Transitions": [{"StorageClass": "GLACIER", "Days": 90}],
    }
    marker = {"Status": "Enabled", "ExpiredObjectDeleteMarker": True}
    assert bucket.lifecycle_rule(marker)["Expiration"] == {"ExpiredObjectDeleteMarker": True}


def test_cors_and_encryption_are_told_in_the_apis_words() -> None:
    assert bucket.cors_rule({"AllowedMethods": ["GET"], "ExposedHeaders": ["etag"], "MaxAge": 5}) == {
        "AllowedMethods": ["GET"], "ExposeHeaders": ["etag"], "MaxAgeSeconds": 5,
    }  # fmt: skip
    by_default = {"SSEAlgorithm": "AES256"}
    assert bucket.encryption_rule({"BucketKeyEnabled": True, "ServerSideEncryptionByDefault": by_default}) == {
        "BucketKeyEnabled": True,
        "ApplyServerSideEncryptionByDefault": by_default,
    }


class TestTypes:
    @pytest.mark.parametrize("resource_type", every(), ids=lambda each: str(each.type_name))
    def test_each_is_found_by_its_name_and_says_what_becomes_of_it(self, resource_type: ResourceType) -> None:
        assert find(resource_type.type_name) is resource_type
        says = (bool(resource_type.properties), bool(resource_type.made_by), bool(resource_type.missing))
        assert says.count(True) == 1
        assert resource_type.create is not None or not resource_type.properties

    @pytest.mark.parametrize(
        ("type_name", "file"),
        [
            ("AWS::S3::BucketPolicy", "s3_bucket_policy"),
            ("AWS::EC2::VPCEndpoint", "ec2_vpc_endpoint"),
            ("AWS::ApiGatewayV2::Api", "apigatewayv2_api"),
            ("Custom::Thing", "custom_thing"),
        ],
    )
    def test_its_file_is_named_for_it(self, type_name: str, file: str) -> None:
        assert file_name(type_name) == file

    def test_a_type_without_a_file_is_not_found(self) -> None:
        assert find("AWS::Nothing::AtAll") is None


class TestReturnValues:
    NOBODY: ClassVar = Clients(NOWHERE, "eu-west-1")

    def usual(self, type_name: str, properties: dict[str, Any]) -> Created:
        resource_type = find(type_name)
        assert resource_type is not None
        ref = resource_type.usual_ref("shop", "Thing", properties, "eu-west-1")
        return resource_type.created(self.NOBODY, ref, properties)

    def test_they_look_like_those_of_aws(self) -> None:
        group = self.usual("AWS::Logs::LogGroup", {})
        assert group.attributes["Arn"] == f"arn:aws:logs:eu-west-1:000000000000:log-group:{group.ref}:*"
        function = self.usual("AWS::Lambda::Function", {"FunctionName": "mine"})
        assert function.attributes["Arn"] == "arn:aws:lambda:eu-west-1:000000000000:function:mine"
        layer = self.usual("AWS::Lambda::LayerVersion", {"LayerName": "shared"})
        assert layer.ref == "arn:aws:lambda:eu-west-1:000000000000:layer:shared:1"
        group = self.usual("AWS::EC2::SecurityGroup", {"VpcId": "vpc-1"})
        assert (group.attributes["GroupId"], group.attributes["VpcId"]) == (group.ref, "vpc-1")
        api = self.usual("AWS::ApiGatewayV2::Api", {})
        assert api.attributes["ApiEndpoint"] == f"https://{api.ref}.execute-api.eu-west-1.amazonaws.com"

    def test_a_template_cannot_ask_for_one_that_the_type_lacks(self) -> None:
        with pytest.raises(KeyError):
            bucket.RESOURCE.attribute("Ran", self.NOBODY, "files", {})


class TestMistakesAreFoundBeforeAnythingIsCreated:
    """The endpoint is nobody: a stack that got as far as a call would fail with another sentence."""

    SHOP = TEMPLATE.read_text()

    @pytest.mark.parametrize(
        ("old", "new", "sentence"),
        [
            ("PasswordLength: 40", "PasswordLength: long", "PasswordLength must be a whole number"),
            ("DisplayName: !Sub Alarms", "FifoTopic: maybe #", "AlarmTopic .*FifoTopic must be true or false"),
            ("!GetAtt ShopInventory.Arn", "!GetAtt ShopInventory.Name", "FunctionRole.*has ShopInventory.Name"),
        ],
    )  # fmt: skip
    def test_it_is_named(self, tmp_path: Path, old: str, new: str, sentence: str) -> None:
        assert old in self.SHOP
        path = tmp_path / "template.yaml"
        path.write_text(self.SHOP.replace(old, new))
        link_definitions(path.parent)
        with pytest.raises(TemplateError, match=sentence):
            Stack(Template.load(path), NOWHERE).create()


@pytest.mark.parametrize(
    ("source", "said"),
    [("arn:aws:sqs:r:a:jobs", []), ("arn:aws:kafka:r:a:c", ["Amazon MSK"]), (None, ["a Kafka of one's own"])],
)
def test_a_source_that_nobody_reads_is_said(source: str | None, said: list[str]) -> None:
    properties = {"FunctionName": "f"} | ({"EventSourceArn": source} if source else {})
    sentences = lambda_event_source_mapping.RESOURCE.left_out(properties)
    assert list(sentences) == [f"nothing is read from {one}" for one in said]
    if said:
        create = lambda_event_source_mapping.RESOURCE.create
        assert create is not None
        assert create(TestReturnValues.NOBODY, "the-name", properties) == "the-name"  # and nobody is called


@pytest.mark.parametrize(
    ("type_name", "properties", "said"),
    [
        ("AWS::Scheduler::Schedule", {"ScheduleExpression": "cron(0 9 * * ? *)", "Target": {}}, ""),
        (
            "AWS::Scheduler::Schedule",
            {"ScheduleExpression": "cron(0 9 * * ? *)", "ScheduleExpressionTimezone": "Asia/Kolkata"},
            "ScheduleExpressionTimezone is not followed",
        ),
        (
            "AWS::Scheduler::Schedule",
            {"ScheduleExpression": "rate(1 day)", "ScheduleExpressionTimezone": "Asia/Tokyo"},
            "",
        ),
        ("AWS::Scheduler::Schedule", {"Target": {"DeadLetterConfig": {}}}, "Target.DeadLetterConfig is not followed"),
        ("AWS::Events::Rule", {"Targets": [{"Id": "a"}]}, ""),
        ("AWS::Events::Rule", {"Targets": [{"Id": "a", "DeadLetterConfig": {}}]}, "DeadLetterConfig is not followed"),
        ("AWS::ApiGateway::RestApi", {"Body": {"paths": {}}}, ""),
        ("AWS::ApiGateway::RestApi", {"Policy": {"Statement": []}}, "its resource policy is not followed"),
        (
            "AWS::ApiGateway::RestApi",
            {"Body": {"x-amazon-apigateway-policy": {"Statement": []}}},
            "its resource policy is not followed",
        ),
        ("AWS::SNS::Subscription", {"Protocol": "lambda"}, ""),
        ("AWS::SNS::Subscription", {"Protocol": "sqs", "RedrivePolicy": {}}, "RedrivePolicy is not followed"),
    ],
)  # fmt: skip
def test_what_a_source_does_not_follow_is_said(type_name: str, properties: dict[str, Any], said: str) -> None:
    resource_type = find(type_name)
    assert resource_type is not None
    assert [sentence.partition(":")[0] for sentence in resource_type.left_out(properties)] == ([said] if said else [])
