"""Which APIs a template declares, and where each is served."""

from __future__ import annotations

import asyncio
from pathlib import Path

import httpx
import pytest

from emulator.gateway.gateway import Gateway
from emulator.gateway.template_apis import TemplateApis
from sam_template import Template
from sam_template.repository import TEMPLATE
from tests.unit.emulator.gateway.api_client import (
    Functions,
    echo,
    function_with,
    http_api,
    http_event,
    rest_api,
    rest_event,
    template,
)


def test_every_route_of_the_shop_is_there_with_its_throttle_and_its_log() -> None:
    loaded = Template.load(TEMPLATE)
    (api,) = TemplateApis(loaded).apis()
    declared = {(route.method, route.path, route.function) for route in loaded.routes}
    served = {(route.method, route.path, route.integration.function) for route in api.routes}
    assert {(method, path.replace("/$default", "$default"), name) for method, path, name in declared} == served
    (stage,) = api.stages
    assert stage.default_rate is not None
    assert stage.default_rate.per_second == float(loaded.parameters["ThrottleRate"])
    assert stage.access_log_format
    assert api.cors is not None
    assert api.notes == ()


def test_two_apis_have_a_port_each_and_share_their_functions(tmp_path: Path) -> None:
    resources = {
        "Public": http_api(),
        "Admin": rest_api(),
        "F": function_with({"A": http_event("GET", "/a", "Public"), "B": rest_event("get", "/b", "Admin")}),
    }
    functions = Functions({"F": echo})

    async def scenario() -> None:
        gateway = Gateway(TemplateApis(template(tmp_path, resources)).apis(), functions, tmp_path)
        served = await gateway.start("127.0.0.1", [0, 0])
        assert [(api.logical_id, api.kind) for api in served] == [("Public", "HTTP"), ("Admin", "REST")]
        async with httpx.AsyncClient() as client:
            assert (await client.get(f"{served[0].urls[0]}/a")).json()["routeKey"] == "GET /a"
            assert served[1].urls[0].endswith("/prod")
            assert (await client.get(f"{served[1].urls[0]}/b")).json()["resource"] == "/b"
        await gateway.stop()

    asyncio.run(scenario())


def test_a_websocket_api_is_refused_in_a_sentence(tmp_path: Path) -> None:
    socket = {
        "Type": "AWS::ApiGatewayV2::Api",
        "Properties": {"Name": "w", "ProtocolType": "WEBSOCKET", "RouteSelectionExpression": "$request.body.action"},
    }
    reader = TemplateApis(template(tmp_path, {"Chat": socket}))
    assert reader.apis() == []
    assert reader.unserved() == ["Chat is a WebSocket API, which the gateway does not serve; deploy it to try it."]


def test_what_is_not_emulated_is_named(tmp_path: Path) -> None:
    resources = {
        "Api": rest_api(Auth={"DefaultAuthorizer": "AWS_IAM"}),
        "F": function_with({"A": rest_event("get", "/a")}),
    }
    (api,) = TemplateApis(template(tmp_path, resources)).apis()
    assert api.notes == ("The authorizer AWS_IAM (awsSigv4) is not emulated: its routes are open here.",)


def test_a_function_behind_an_alias_is_found(tmp_path: Path) -> None:
    resources = {
        "Api": http_api(),
        "F": function_with({"A": http_event("GET", "/a")}, AutoPublishAlias="live"),
    }
    (api,) = TemplateApis(template(tmp_path, resources)).apis()
    assert [route.integration.function for route in api.routes] == ["F"]


def test_a_port_that_is_taken_leaves_none_open(tmp_path: Path) -> None:
    resources = {
        "One": http_api(),
        "Two": http_api(),
        "F": function_with({"A": http_event("GET", "/a", "One"), "B": http_event("GET", "/b", "Two")}),
    }

    async def scenario() -> None:
        apis = TemplateApis(template(tmp_path, resources)).apis()
        first = Gateway(apis, Functions({}), tmp_path)
        served = await first.start("127.0.0.1", [0, 0])
        taken = int(served[0].urls[0].rpartition(":")[2])
        second = Gateway(apis, Functions({}), tmp_path)
        with pytest.raises(OSError, match="in use"):
            await second.start("127.0.0.1", [0, taken])
        await first.stop()
        await second.stop()

    asyncio.run(scenario())
