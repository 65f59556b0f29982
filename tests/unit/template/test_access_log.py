"""The access log of the API tells no path: it may hold the id of somebody's conversation."""

from __future__ import annotations

import json
import re

from sam_template import translation
from sam_template.repository import TEMPLATE

FORMAT: str = translation.parse(TEMPLATE, TEMPLATE.read_text())["Resources"]["ShopApi"]["Properties"][
    "AccessLogSettings"
]["Format"]
NAMES_NO_PATH = {
    *("httpMethod", "identity.sourceIp", "integrationErrorMessage", "requestId", "requestTime", "responseLatency"),
    *("responseLength", "routeKey", "status"),
}


def test_each_line_is_one_json_object_of_known_values() -> None:
    assert all(isinstance(value, str) for value in json.loads(FORMAT).values())


def test_no_value_holds_a_path_or_a_query() -> None:
    assert set(re.findall(r"\$context\.([A-Za-z.]+)", FORMAT)) <= NAMES_NO_PATH
