"""Requests over a real socket become fixtures, and the fixtures answer as they did when they are sent again."""

from __future__ import annotations

import asyncio
import json
import threading
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest

from emulator.gateway.gateway import Gateway
from emulator.gateway.template_apis import TemplateApis
from emulator.http_server import Response
from emulator.recording import FixtureError, Recorder
from emulator.recording.fixture import read_fixtures
from emulator.recording.recorder import MOST_BYTES, MOST_OF_A_ROUTE
from emulator.recording.replay import differences, request_of, send
from tests.unit.emulator.gateway.api_client import Client, Functions, function_with, http_api, http_event, template

RESOURCES = {
    "Api": http_api(),
    "F": function_with({"Get": http_event("GET", "/items/{id}"), "Post": http_event("POST", "/login")}),
}
Work = Callable[[Client, Recorder], Awaitable[None]]


def answered(event: dict[str, Any]) -> dict[str, Any]:
    if event["routeKey"] == "POST /login":
        return {
            "statusCode": 200,
            "cookies": ["session=swordfish"],
            "body": json.dumps({"token": "swordfish", "request_id": "1"}),
        }
    return {"statusCode": 200, "body": json.dumps({"path": event["rawPath"], "query": event["rawQueryString"]})}


def recording(folder: Path, work: Work, handler: Callable[[dict[str, Any]], Any] = answered) -> None:
    apis = TemplateApis(template(folder, RESOURCES)).apis()
    functions = Functions({"F": handler})

    async def scenario() -> None:
        recorder = Recorder()
        gateway = Gateway(apis, functions, folder / "logs", recorder=recorder)
        ((url, *_),) = [api.urls for api in await gateway.start("127.0.0.1", [0])]
        try:
            await work(Client(int(url.rpartition(":")[2]), functions, folder / "logs"), recorder)
        finally:
            recorder.stop()
            await gateway.stop()

    asyncio.run(scenario())


def test_requests_become_fixtures_without_their_secrets(tmp_path: Path) -> None:
    folder = tmp_path / "recorded"

    async def work(client: Client, recorder: Recorder) -> None:
        await client.get("/items/before")
        recorder.extend(folder)
        await client.get("/items/a%20b?x=1", Authorization="Bearer hunter2")
        await client.get("/items/a%20b?x=1", Authorization="Bearer hunter3")  # the same request
        await client.get("/items/other")
        await client.get("/nowhere")  # no function got an event
        await client.request("POST", "/login", body=b'{"password": "hunter2"}')
        assert recorder.stop()["written"] == ["get_items_id", "get_items_id_2", "post_login"]
        await client.get("/items/after")

    recording(tmp_path, work)
    assert sorted(file.name for file in folder.iterdir()) == [
        *("get_items_id.answer.json", "get_items_id.json", "get_items_id_2.answer.json", "get_items_id_2.json"),
        *("post_login.answer.json", "post_login.json"),
    ]
    everything = "".join(file.read_text() for file in folder.iterdir())
    assert "hunter" not in everything
    assert "swordfish" not in everything
    event = json.loads((folder / "get_items_id.json").read_text())
    assert (event["version"], event["rawPath"], event["pathParameters"]) == ("2.0", "/items/a b", {"id": "a b"})
    document = json.loads((folder / "get_items_id.answer.json").read_text())
    assert (document["api"], document["statusCode"]) == ("Api", 200)
    assert json.loads(document["body"]) == {"path": "/items/a b", "query": "x=1"}


def test_fixtures_that_are_sent_again_answer_alike_until_the_function_changes(tmp_path: Path) -> None:
    folder = tmp_path / "recorded"
    found: list[str] = []

    async def record(client: Client, recorder: Recorder) -> None:
        recorder.extend(folder)
        await client.get("/items/a%20b?x=1")
        await client.request("POST", "/login", body=b'{"password": "hunter2"}')

    async def replay(client: Client, _: Recorder) -> None:
        for fixture in read_fixtures(folder):
            now = await asyncio.to_thread(send, f"http://127.0.0.1:{client.port}", "Api", request_of(fixture, {}))
            found.extend(f"{each.fixture} {each.where}" for each in differences(fixture, now))

    recording(tmp_path, record)
    recording(tmp_path, replay)
    assert found == []
    recording(tmp_path, replay, lambda _: {"statusCode": 201, "body": "{}"})
    assert found == [
        *("get_items_id status", "get_items_id body.path", "get_items_id body.query"),
        *("post_login status", "post_login set-cookie", "post_login body.token"),
    ]


def test_a_folder_is_bounded_in_number_and_size_and_knows_what_it_has(tmp_path: Path) -> None:
    folder = tmp_path / "recorded"

    async def work(client: Client, recorder: Recorder) -> None:
        recorder.extend(folder)
        for number in range(MOST_OF_A_ROUTE + 2):
            await client.get(f"/items/{number}")
        await client.request("POST", "/login", body=b"x" * (MOST_BYTES + 1))
        assert recorder.stop()["left_out"] == {"beyond 20 of a route": 2, "larger than 256 KiB": 1}
        recorder.extend(folder)
        await client.get("/items/0")
        assert recorder.stop()["written"] == []

    recording(tmp_path, work)
    assert len(read_fixtures(folder)) == MOST_OF_A_ROUTE


def test_recording_ends_when_nobody_asks_for_it_any_more(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("emulator.recording.recorder._LEASE_SECONDS", -1)

    async def work(client: Client, recorder: Recorder) -> None:
        recorder.extend(tmp_path / "recorded")
        assert recorder.is_recording
        await client.get("/items/1")
        assert not recorder.is_recording

    recording(tmp_path, work)
    assert list((tmp_path / "recorded").iterdir()) == []


def test_what_waits_is_counted_by_one_thread_and_down_to_nothing(tmp_path: Path) -> None:
    counts: list[tuple[int, int]] = []

    class Watched(Recorder):
        def __setattr__(self, name: str, value: Any) -> None:
            super().__setattr__(name, value)
            if name == "_waiting":
                counts.append((threading.get_ident(), value))

    async def scenario() -> None:
        recorder = Watched()
        recorder.extend(tmp_path / "recorded")
        for number in range(3):
            recorder.record("Api", {"rawPath": f"/items/{number}"}, Response(200, (), b"{}"))
        recorder.stop()
        await asyncio.sleep(0)

    asyncio.run(scenario())
    assert {thread for thread, _ in counts} == {threading.get_ident()}
    assert sorted(count for _, count in counts) == [0, 0, 1, 1, 2, 2, 3]


@pytest.mark.parametrize("name", ["file", "file/below", "x" * 300])
def test_a_folder_that_cannot_be_is_refused_at_once(tmp_path: Path, name: str) -> None:
    (tmp_path / "file").write_text("kept")
    recorder = Recorder()
    with pytest.raises(
        FixtureError, match=r"^Fixtures cannot be written to .* \(.+\): name a folder that can be made\.$"
    ):
        recorder.extend(tmp_path / name)
    assert not recorder.is_recording
    assert (tmp_path / "file").read_text() == "kept"


def test_a_file_that_is_no_fixture_is_named(tmp_path: Path) -> None:
    (tmp_path / "get.answer.json").write_text("{}")
    (tmp_path / "get.json").write_text("{}")
    with pytest.raises(FixtureError, match=r"get\.json is no recorded fixture"):
        read_fixtures(tmp_path)
