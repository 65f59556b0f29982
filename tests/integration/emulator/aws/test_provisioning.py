"""Resources are checked, made by MiniStack or not emulated; the start goes on unless a function needs what lacks."""

from __future__ import annotations

import textwrap
from collections.abc import Callable
from pathlib import Path

import pytest

from emulator.aws.clients import Clients
from emulator.aws.provisioning import Standing
from emulator.aws.stack import Stack
from sam_template import Template, TemplateError

POOL = """
Pool:
  Type: AWS::Cognito::UserPool
  Properties: {UserPoolName: callers}
Client:
  Type: AWS::Cognito::UserPoolClient
  Properties: {UserPoolId: !Ref Pool, ClientName: web}
"""
UNKNOWN = """
Application:
  Type: AWS::CodeDeploy::Application
  Properties: {ComputePlatform: Lambda}
"""
FUNCTION = """
Worker:
  Type: AWS::Serverless::Function
  Properties:
    Runtime: python3.13
    Handler: index.handler
    CodeUri: .
    Environment: {Variables: {NAME: %s}}
"""
BuildStack = Callable[..., Stack]


@pytest.fixture
def stack_of(tmp_path: Path, root: Clients, request: pytest.FixtureRequest) -> BuildStack:
    def build(resources: str, *, is_strict: bool = False) -> Stack:
        path = tmp_path / "template.yaml"
        path.write_text(
            "Transform: AWS::Serverless-2016-10-31\nResources:\n" + textwrap.indent(resources, "  "), encoding="utf-8"
        )
        name = f"standing-{abs(hash(request.node.name)) % 10**6}"
        return Stack(Template.load(path), root.endpoint, name=name, is_strict=is_strict)

    return build


class TestMadeByMiniStack:
    def test_it_exists_and_its_return_values_are_those_of_cloudformation(
        self, stack_of: BuildStack, root: Clients
    ) -> None:
        stack = stack_of(POOL + FUNCTION % "!GetAtt Pool.ProviderName")
        stack.create()
        pool = stack.created["Pool"].ref
        assert root.named("cognito-idp").describe_user_pool(UserPoolId=pool)["UserPool"]["Name"] == "callers"
        assert stack.environment("Worker")["NAME"] == f"cognito-idp.us-east-1.amazonaws.com/{pool}"

    def test_one_that_refers_to_another_is_made_after_it(self, stack_of: BuildStack, root: Clients) -> None:
        stack = stack_of(POOL)
        stack.create()
        (client,) = root.named("cognito-idp").list_user_pool_clients(UserPoolId=stack.created["Pool"].ref)[
            "UserPoolClients"
        ]
        assert client["ClientId"] == stack.created["Client"].ref

    def test_to_create_again_keeps_it(self, stack_of: BuildStack) -> None:
        stack = stack_of(POOL)
        stack.create()
        first = stack.created["Pool"].ref
        stack.create()
        assert stack.created["Pool"].ref == first

    def test_it_is_said_that_its_properties_are_not_checked(self, stack_of: BuildStack) -> None:
        stack = stack_of(POOL)
        stack.create()
        assert stack.notes() == [
            "Made by MiniStack, properties not checked: Pool (Cognito::UserPool), Client (Cognito::UserPoolClient)."
        ]


class TestNotEmulated:
    def test_it_is_named_and_the_start_goes_on(self, stack_of: BuildStack) -> None:
        stack = stack_of(UNKNOWN + FUNCTION % "x")
        stack.create()
        assert stack.outcomes["Application"].standing is Standing.NOT_EMULATED
        assert "Not emulated: Application (CodeDeploy::Application); MiniStack does not know the type." in stack.notes()

    def test_what_needs_it_is_not_emulated_either(self, stack_of: BuildStack) -> None:
        stack = stack_of(UNKNOWN + "Queue: {Type: 'AWS::SQS::Queue', Properties: {QueueName: !Ref Application}}\n")
        stack.create()
        assert (
            stack.outcomes["Queue"].remark
            == "it needs Application, an AWS::CodeDeploy::Application, which is not emulated"
        )

    def test_a_permission_on_it_is_harmless(self, stack_of: BuildStack) -> None:
        policy = "{Statement: [{Effect: Allow, Action: 'codedeploy:*', Resource: !Ref Application}]}"
        stack = stack_of(UNKNOWN + FUNCTION % "x" + f"    Policies: [{policy}]\n")
        stack.create()
        assert stack.environment("Worker")["NAME"] == "x"

    def test_a_function_that_needs_it_stops_the_start(self, stack_of: BuildStack) -> None:
        stack = stack_of(UNKNOWN + FUNCTION % "!Ref Application")
        stack.create()
        with pytest.raises(TemplateError, match=r"NAME of Worker needs Application, an AWS::CodeD.*not emulated"):
            stack.environment("Worker")

    def test_one_that_ministack_cannot_make_is_named_with_its_reason(self, stack_of: BuildStack) -> None:
        stack = stack_of(
            "Nested: {Type: 'AWS::CloudFormation::Stack', Properties: {TemplateURL: 'https://x.example/t'}}\n"
        )
        stack.create()
        assert stack.outcomes["Nested"].standing is Standing.NOT_EMULATED
        assert stack.outcomes["Nested"].remark.startswith("MiniStack could not make it (")

    def test_a_property_without_a_mapping_is_named(self, stack_of: BuildStack) -> None:
        stack = stack_of("Files: {Type: 'AWS::S3::Bucket', Properties: {Nmae: files}}\n")
        stack.create()
        assert stack.notes() == ["Files (S3::Bucket): Nmae is left out: it has no mapping in the emulator."]

    @pytest.mark.parametrize(
        ("resources", "sentence"),
        [
            (
                UNKNOWN,
                r"line 4: Application \(AWS::CodeDeploy::Application\): it is not emulated: MiniStack",
            ),
            ("Files: {Type: 'AWS::S3::Bucket', Properties: {Nmae: files}}\n", "Nmae is left out"),
        ],
    )
    def test_strictness_stops_the_start(self, stack_of: BuildStack, resources: str, sentence: str) -> None:
        with pytest.raises(TemplateError, match=sentence):
            stack_of(resources, is_strict=True).create()

    def test_the_shop_starts_strictly(self, root: Clients, shop_template: Template) -> None:
        Stack(shop_template, root.endpoint, name="strict-shop", is_strict=True).create()


def test_a_function_whose_name_is_a_letter_has_credentials(stack_of: BuildStack) -> None:
    stack = stack_of(FUNCTION.replace("Worker", "F") % "x")
    stack.create()
    assert stack.role_credentials("F").access_key_id


class TestAuthorizers:
    JWT = """
Api:
  Type: AWS::Serverless::HttpApi
  Properties:
    Auth:
      Authorizers:
        Callers:
          IdentitySource: $request.header.Authorization
          JwtConfiguration: {issuer: "https://callers.example", audience: [shop]}
      DefaultAuthorizer: Callers
"""
    EVENT = """    Events:
      Get: {Type: HttpApi, Properties: {ApiId: !Ref Api, Method: GET, Path: /orders}}
"""

    def test_one_that_sam_local_does_not_ask_is_said(self, stack_of: BuildStack) -> None:
        stack = stack_of(self.JWT + FUNCTION % "x" + self.EVENT)
        stack.create()
        assert stack.notes() == [
            (
                "Api (ApiGatewayV2::Api): sam local does not ask the authorizer Callers, "
                "and lets everybody in to GET /orders; the gateway asks it."
            )
        ]

    def test_a_route_that_is_written_by_hand_is_named(self, stack_of: BuildStack) -> None:
        route = """
Api: {Type: "AWS::ApiGatewayV2::Api", Properties: {Name: api, ProtocolType: HTTP}}
Orders:
  Type: AWS::ApiGatewayV2::Route
  Properties: {ApiId: !Ref Api, RouteKey: GET /orders, AuthorizationType: AWS_IAM}
"""
        stack = stack_of(route)
        stack.create()
        said = "Orders (ApiGatewayV2::Route): neither sam local nor the gateway checks AWS_IAM: both let everybody in."
        assert said in stack.notes()

    def test_a_function_is_asked(self, stack_of: BuildStack) -> None:
        authorizer = """
Api:
  Type: AWS::Serverless::HttpApi
  Properties:
    Auth:
      Authorizers:
        Callers: {FunctionArn: !GetAtt Worker.Arn, AuthorizerPayloadFormatVersion: "2.0", Identity: {Headers: [x-key]}}
      DefaultAuthorizer: Callers
"""
        stack = stack_of(authorizer + FUNCTION % "x" + self.EVENT)
        stack.create()
        assert stack.notes() == []
