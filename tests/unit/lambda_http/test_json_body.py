from __future__ import annotations

import pytest

from lambda_http.json_body import MAXIMUM_BODY_BYTES, check_type, parse
from lambda_http.problem import Problem


@pytest.mark.parametrize(
    "content_type",
    ["application/json; charset=utf-8", "Application/JSON", "application/merge-patch+json", "text/plain", "",
     "application/x-www-form-urlencoded", "application/octet-stream"],
)  # fmt: skip
def test_clients_that_do_not_name_the_type_send_json_too(content_type: str) -> None:
    check_type(content_type)


@pytest.mark.parametrize("content_type", ["multipart/form-data; boundary=x", "application/xml", "image/png"])
def test_another_type_is_refused(content_type: str) -> None:
    with pytest.raises(Problem) as refused:
        check_type(content_type)
    assert refused.value.status == 415


def test_a_body_is_json_of_limited_size() -> None:
    assert parse(b'{"a":1}') == {"a": 1}
    for raw, status in ((b"{", 400), (b"", 400), (b" " * (MAXIMUM_BODY_BYTES + 1), 413)):
        with pytest.raises(Problem) as refused:
            parse(raw)
        assert refused.value.status == status
