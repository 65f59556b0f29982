"""The shopbot's fixtures cover every route of its application, and their sessions are whose they pretend to be."""

import base64
import json
from http import HTTPMethod
from pathlib import Path
from typing import Any

import pytest
from shopping_bot import create_app
from shopping_bot.chat.chat_request import MAXIMUM_MESSAGE
from werkzeug.exceptions import MethodNotAllowed, NotFound

from sam_template.repository import REPOSITORY
from tests.unit.shopbot_function.fakes import session_ids

EVENTS = REPOSITORY / "events" / "shopbot"
FIXTURES = {path.stem: json.loads(path.read_text(encoding="utf-8")) for path in sorted(EVENTS.glob("*.json"))}
# Refused by the routes of the application, before any of its code.
UNROUTED = {"unknown_path": NotFound, "method_not_allowed": MethodNotAllowed}

urls = create_app("development").url_map.bind("shop.example")


def endpoint(event: dict[str, Any]) -> str:
    """Return what answers the event. Raises what Flask makes of one that nothing answers."""
    name, _ = urls.match(event["rawPath"], event["requestContext"]["http"]["method"])
    assert isinstance(name, str)
    return name


def session_and_user(event: dict[str, Any]) -> tuple[str, str] | None:
    """Return the session that an event is about and the user that it names, when it has both."""
    _, path_arguments = urls.match(event["rawPath"], event["requestContext"]["http"]["method"])
    body = json.loads(event["body"]) if "session_id" in event.get("body", "") else {}
    sent = event.get("queryStringParameters", {}) | path_arguments | body
    return (sent["session_id"], sent["user_id"]) if {"session_id", "user_id"} <= set(sent) else None


def test_every_route_of_the_application_has_a_fixture() -> None:
    routes = {
        (rule.endpoint, method)
        for rule in urls.map.iter_rules()
        for method in (rule.methods or set()) - {HTTPMethod.HEAD, HTTPMethod.OPTIONS}
    }
    covered = {
        (endpoint(event), event["requestContext"]["http"]["method"])
        for name, event in FIXTURES.items()
        if name not in UNROUTED
    }

    assert covered == routes


@pytest.mark.parametrize(("name", "refusal"), UNROUTED.items())
def test_what_no_route_takes_is_refused_by_its_path_or_its_method(name: str, refusal: type[Exception]) -> None:
    with pytest.raises(refusal):
        endpoint(FIXTURES[name])


@pytest.mark.parametrize("name", sorted(FIXTURES.keys() - UNROUTED - {"chat_malformed_session"}))
def test_a_session_that_a_fixture_names_has_the_form_of_one(name: str) -> None:
    """It is nobody's: the secret of each deployment, and of each local run, makes ids of its own."""
    found = session_and_user(FIXTURES[name])

    assert found is None or len(found[0]) == len(session_ids().new(found[1]))
    if "other_user" in name:
        assert found


def test_the_long_message_is_just_too_long() -> None:
    assert len(json.loads(FIXTURES["chat_long_message"]["body"])["message"]) == MAXIMUM_MESSAGE + 1


def test_the_form_is_the_search_as_plain_curl_sends_it() -> None:
    """`curl -d` without a header says that its body is a form, which API Gateway hands over in base64."""
    search, form = FIXTURES["chat_search"], FIXTURES["chat_search_form"]

    assert json.loads(base64.b64decode(form["body"]))["message"] == json.loads(search["body"])["message"]


@pytest.mark.parametrize("path", sorted(EVENTS.glob("*/*.json")), ids=lambda path: f"{path.parent.name}/{path.stem}")
def test_a_variant_asks_what_a_flat_fixture_asks(path: Path) -> None:
    variant = json.loads(path.read_text(encoding="utf-8"))
    flat = FIXTURES[path.stem.removesuffix("_stage")]

    assert variant.get("rawPath", variant.get("path")).removeprefix("/prod") == flat["rawPath"]
    assert (variant.get("body") or None) == flat.get("body")
