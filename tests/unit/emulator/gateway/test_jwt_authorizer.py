"""JWT authorizers (Developer Guide, "Control access to HTTP APIs with JWT authorizers in API Gateway")."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import jwt
import pytest

from emulator.gateway import jwt_authorizer
from emulator.gateway.token_issuer import TokenIssuer
from emulator.http_server import Request
from emulator.processes.ports import free_port
from tests.unit.emulator.gateway.api_client import Client, function_with, http_api, http_event, serve

UNAUTHORIZED = (401, {"message": "Unauthorized"})


def secured(issuer: str, **event: Any) -> dict[str, Any]:
    authorizer = {
        "JwtConfiguration": {"issuer": issuer, "audience": ["shop", "other"]},
        "IdentitySource": "$request.header.Authorization",
    }
    api = http_api(Auth={"Authorizers": {"Tokens": authorizer}})
    auth = {"Authorizer": "Tokens", **event.pop("Auth", {})}
    return {"Api": api, "F": function_with({"A": http_event("GET", "/a", Auth=auth, **event)})}


def with_issuer(
    folder: Path,
    work: Callable[[Client, TokenIssuer], Awaitable[None]],
    *,
    issuer: TokenIssuer | None = None,
    **event: Any,
) -> None:
    port = free_port()
    issuer = issuer or TokenIssuer()

    async def with_started(client: Client) -> None:
        await issuer.start(port)
        try:
            await work(client, issuer)
        finally:
            await issuer.stop()

    serve(folder, secured(f"http://127.0.0.1:{port}", **event), with_started)


def bearer(token: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {token}"}


def test_a_token_of_the_issuer_for_the_audience_is_let_in_and_its_claims_are_in_the_event(tmp_path: Path) -> None:
    async def work(client: Client, issuer: TokenIssuer) -> None:
        token = issuer.token({"aud": "shop", "sub": "u1", "admin": True, "groups": ["a", "b"], "level": 3})
        answer = await client.request("GET", "/a", bearer(token))
        assert answer.status == 200
        given = answer.json["requestContext"]["authorizer"]["jwt"]
        assert given["scopes"] is None
        assert given["claims"]["sub"] == "u1"
        assert (given["claims"]["admin"], given["claims"]["groups"], given["claims"]["level"]) == ("true", "[a b]", "3")
        assert all(isinstance(value, str) for value in given["claims"].values())

    with_issuer(tmp_path, work)


def test_without_a_token_it_is_401_with_a_challenge(tmp_path: Path) -> None:
    async def work(client: Client, issuer: TokenIssuer) -> None:
        for headers in ({}, {"Authorization": ""}, {"Authorization": "Bearer "}):
            answer = await client.request("GET", "/a", headers)
            assert (answer.status, answer.json) == UNAUTHORIZED
            assert answer.header("www-authenticate") == "Bearer"
        assert issuer.fetched == []

    with_issuer(tmp_path, work)


@pytest.mark.parametrize(
    ("claims", "words"),
    [
        ({"aud": "shop", "exp": 1}, "expired"),
        ({"aud": "shop", "exp": None}, "exp"),
        ({"aud": "shop", "nbf": 4_000_000_000}, "not yet valid"),
        ({"aud": "shop", "iat": 4_000_000_000}, "not yet valid"),
        ({"aud": "stranger"}, "audience"),
        ({"aud": [{"shop": 1}]}, "audience"),
        ({"client_id": "stranger"}, "audience"),
        ({"aud": "stranger", "client_id": "shop"}, "audience"),
        ({}, "audience"),
        ({"aud": "shop", "iss": "https://elsewhere.example"}, "issuer"),
    ],
)
def test_a_token_that_does_not_hold_is_401_and_says_why(tmp_path: Path, claims: dict[str, Any], words: str) -> None:
    async def work(client: Client, issuer: TokenIssuer) -> None:
        answer = await client.request("GET", "/a", bearer(issuer.token(claims)))
        assert (answer.status, answer.json) == UNAUTHORIZED
        challenge = answer.header("www-authenticate") or ""
        assert 'error="invalid_token"' in challenge
        assert words in challenge.lower()
        assert client.functions.events == []

    with_issuer(tmp_path, work)


@pytest.mark.parametrize("claims", [{"client_id": "shop"}, {"aud": ["x", "other"]}])
def test_the_audience_may_be_a_list_or_the_client_id(tmp_path: Path, claims: dict[str, Any]) -> None:
    async def work(client: Client, issuer: TokenIssuer) -> None:
        assert (await client.request("GET", "/a", bearer(issuer.token(claims)))).status == 200

    with_issuer(tmp_path, work)


def forged(issuer: TokenIssuer) -> list[str]:
    claims = {"iss": issuer.url, "aud": "shop", "exp": int(time.time()) + 60}
    good = issuer.token({"aud": "shop"})
    head, body, signature = good.split(".")
    return [
        "nonsense",
        "a.b.c",
        f"{head}.{body}.",
        f"{head}.{body}.{signature[:-4]}AAAA",
        jwt.encode(claims, None, "none", headers={"kid": "local"}),  # type: ignore[arg-type]
        jwt.encode(claims, "a secret of thirty-two bytes, no less", "HS256", headers={"kid": "local"}),
        TokenIssuer().token(claims),
        issuer.token({"aud": "shop"}, key_id="unknown"),
    ]


def test_a_token_that_the_issuer_did_not_sign_is_401(tmp_path: Path) -> None:
    async def work(client: Client, issuer: TokenIssuer) -> None:
        for token in forged(issuer):
            answer = await client.request("GET", "/a", bearer(token))
            assert (answer.status, answer.json) == UNAUTHORIZED, token
        assert client.functions.events == []

    with_issuer(tmp_path, work)


def test_keys_are_fetched_once_and_an_unknown_key_does_not_make_the_gateway_ask_on(tmp_path: Path) -> None:
    async def work(client: Client, issuer: TokenIssuer) -> None:
        tokens = [issuer.token({"aud": "shop"}, key_id=key) for key in ("local", "x", "y", "z", "local")]
        answers = await asyncio.gather(*(client.request("GET", "/a", bearer(token)) for token in tokens))
        assert [answer.status for answer in answers] == [200, 401, 401, 401, 200]
        assert issuer.fetched.count("/jwks.json") == 1

    with_issuer(tmp_path, work)


class SlowIssuer(TokenIssuer):
    """Answers requests for its documents at once, or, while it is holding them, when it is released."""

    def __init__(self) -> None:
        super().__init__()
        self.is_holding = False
        self.is_asked = asyncio.Event()
        self._held: list[Request] = []

    def release(self) -> None:
        self.is_holding = False
        while self._held:
            super()._handle(self._held.pop())

    def _handle(self, request: Request) -> None:
        if self.is_holding:
            self._held.append(request)
            self.is_asked.set()
        else:
            super()._handle(request)


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> SimpleNamespace:
    """The authorizer's clock, which stands still; so a fetch has all the time it needs."""
    found = SimpleNamespace(now=100.0)
    monkeypatch.setattr(jwt_authorizer, "time", SimpleNamespace(monotonic=lambda: found.now))
    monkeypatch.setattr(jwt_authorizer, "_FETCH_SECONDS", 60)
    return found


def test_a_token_whose_key_is_known_does_not_wait_for_the_look_for_another(
    tmp_path: Path, clock: SimpleNamespace
) -> None:
    async def work(client: Client, issuer: TokenIssuer) -> None:
        assert isinstance(issuer, SlowIssuer)
        known, unknown = (bearer(issuer.token({"aud": "shop"}, key_id=key)) for key in ("local", "made-up"))
        assert (await client.request("GET", "/a", known)).status == 200
        clock.now += 10
        issuer.is_holding = True
        waiting = asyncio.create_task(client.request("GET", "/a", unknown))
        await asyncio.wait_for(issuer.is_asked.wait(), 60)
        assert (await client.request("GET", "/a", known)).status == 200
        assert not waiting.done()
        issuer.release()
        assert (await waiting).status == 401

    with_issuer(tmp_path, work, issuer=SlowIssuer())


def test_unknown_keys_that_come_during_a_look_wait_for_its_end_and_start_no_other(
    tmp_path: Path, clock: SimpleNamespace
) -> None:
    async def work(client: Client, issuer: TokenIssuer) -> None:
        assert isinstance(issuer, SlowIssuer)
        tokens = [bearer(issuer.token({"aud": "shop"}, key_id=key)) for key in ("x", "y", "z")]
        issuer.is_holding = True
        waiting = [asyncio.create_task(client.request("GET", "/a", token)) for token in tokens]
        await asyncio.wait_for(issuer.is_asked.wait(), 60)
        clock.now += 10  # the look takes ten seconds
        issuer.release()
        assert [(await each).status for each in waiting] == [401, 401, 401]
        assert issuer.fetched.count("/jwks.json") == 1

    with_issuer(tmp_path, work, issuer=SlowIssuer())


def test_keys_are_fetched_again_after_two_hours(tmp_path: Path, clock: SimpleNamespace) -> None:
    async def work(client: Client, issuer: TokenIssuer) -> None:
        token = bearer(issuer.token({"aud": "shop"}))
        for seconds, fetches in ((0, 1), (7000, 1), (300, 2)):
            clock.now += seconds
            assert (await client.request("GET", "/a", token)).status == 200
            assert issuer.fetched.count("/jwks.json") == fetches

    with_issuer(tmp_path, work)


def test_a_key_that_the_issuer_has_new_is_found(tmp_path: Path, clock: SimpleNamespace) -> None:
    async def work(client: Client, issuer: TokenIssuer) -> None:
        assert (await client.request("GET", "/a", bearer(issuer.token({"aud": "shop"})))).status == 200
        issuer.key_id = "second"
        clock.now += 2
        assert (await client.request("GET", "/a", bearer(issuer.token({"aud": "shop"})))).status == 200

    with_issuer(tmp_path, work)


def test_an_issuer_that_does_not_answer_lets_nobody_in(tmp_path: Path) -> None:
    async def work(client: Client) -> None:
        token = TokenIssuer().token({"aud": "shop", "iss": "http://127.0.0.1:1"})
        answer = await client.request("GET", "/a", bearer(token))
        assert (answer.status, answer.json) == UNAUTHORIZED

    serve(tmp_path, secured("http://127.0.0.1:1"), work)


@pytest.mark.parametrize(
    ("claims", "status"),
    [
        ({"scope": "items:read"}, 200),
        ({"scope": "x items:write"}, 200),
        ({"scp": ["items:read"]}, 200),
        ({"scope": "items"}, 403),
        ({}, 403),
    ],
)
def test_one_of_the_routes_scopes_is_needed(tmp_path: Path, claims: dict[str, Any], status: int) -> None:
    async def work(client: Client, issuer: TokenIssuer) -> None:
        answer = await client.request("GET", "/a", bearer(issuer.token({"aud": "shop", **claims})))
        assert answer.status == status
        if status == 403:
            assert answer.json == {"message": "Forbidden"}
            assert 'error="insufficient_scope"' in (answer.header("www-authenticate") or "")
        else:
            assert answer.json["requestContext"]["authorizer"]["jwt"]["scopes"]

    with_issuer(tmp_path, work, Auth={"AuthorizationScopes": ["items:read", "items:write"]})


def test_in_format_1_0_the_claims_are_in_the_authorizer(tmp_path: Path) -> None:
    async def work(client: Client, issuer: TokenIssuer) -> None:
        answer = await client.request("GET", "/a", bearer(issuer.token({"aud": "shop", "sub": "u1"})))
        assert answer.json["requestContext"]["authorizer"]["claims"]["sub"] == "u1"

    with_issuer(tmp_path, work, PayloadFormatVersion="1.0")


def test_the_issuer_hands_out_tokens_over_http(tmp_path: Path) -> None:
    async def work(client: Client, issuer: TokenIssuer) -> None:
        port = int(issuer.url.rpartition(":")[2])
        body = b'{"aud":"shop","sub":"u2"}'
        own = Client(port, client.functions, client.logs)
        token = (await own.request("POST", "/token", body=body)).json["access_token"]
        answer = await client.request("GET", "/a", bearer(token))
        assert answer.json["requestContext"]["authorizer"]["jwt"]["claims"]["sub"] == "u2"
        assert (await own.request("POST", "/token", body=b"{")).status == 400

    with_issuer(tmp_path, work)
