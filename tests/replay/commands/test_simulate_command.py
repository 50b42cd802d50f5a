"""`replay simulate vapi`, and `replay serve` of a call, as a user runs them."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from aiohttp import web
from click.testing import CliRunner
from listening import Command
from tapes import SECRETS
from vapi_replaying import ASKED, CALL, Tape

from recorder.capture.writer import Writer
from recorder.clock import SystemClock
from recorder.errors import RecorderError
from recorder.store import open_store
from replay.cli import cli

KEY = {"Authorization": "Bearer 3f0c8d0e-5a1b-4c2d-9e3f-0123456789ab"}


def invoke(*words: str) -> BaseException | None:
    return CliRunner().invoke(cli, words).exception


class Application:
    """A web server that answers webhooks with `answer`."""

    def __init__(self, answer: Any) -> None:
        self.answer, self.types = answer, list[str]()
        self.url = ""

    async def __aenter__(self) -> Application:
        self._runner = web.ServerRunner(web.Server(self._handle))
        await self._runner.setup()
        await web.TCPSite(self._runner, "127.0.0.1", 0).start()
        self.url = f"http://127.0.0.1:{self._runner.addresses[0][1]}/hook"
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._runner.cleanup()

    async def _handle(self, request: web.BaseRequest) -> web.Response:
        self.types.append(json.loads(await request.read())["message"]["type"])
        return web.json_response(self.answer)


async def test_the_organisation_s_server_is_asked_for_an_assistant() -> None:
    said = {"assistant": {"firstMessage": "Hi."}}
    async with Application(said) as application:
        words = ("simulate", "vapi", "--webhook-to", application.url, "--history", "3")
        async with Command(*words) as service, aiohttp.ClientSession(headers=KEY) as http:
            base = f"{service.url}/vapi"
            async with http.get(f"{base}/call") as answer:
                assert len(await answer.json()) == 3
            body = {"transport": {"provider": "vapi.websocket"}}
            async with http.post(f"{base}/call", json=body) as answer:
                assert answer.status == 201
                url = (await answer.json())["transport"]["websocketCallUrl"]
            async with http.ws_connect(url) as socket:
                status = await socket.receive_json(timeout=10)
                assert status == {"type": "status-update", "status": "in-progress"}
                while (message := await socket.receive(timeout=10)).type.name != "BINARY":
                    assert message.type.name == "TEXT"
            assert (await service.stop())[0] == 0
    assert "assistant-request" in application.types


async def test_keys_and_limits_can_be_set() -> None:
    words = ("--key", KEY["Authorization"].split()[1], "--rate-limit", "1")
    async with Command("simulate", "vapi", *words) as service, aiohttp.ClientSession() as http:
        url = f"{service.url}/vapi/assistant"
        statuses = []
        for headers in ({"Authorization": "Bearer other"}, KEY, KEY):
            async with http.get(url, headers=headers) as answer:
                statuses.append(answer.status)
    assert statuses == [401, 200, 429]


@pytest.mark.parametrize(
    ("provider", "words", "owner"),
    [
        ("openai", ("--webhook-to", "http://127.0.0.1:1"), "vapi"),
        ("openai", ("--history", "3"), "vapi"),
        ("vapi", ("--pace", "3"), "openai"),
    ],
)
def test_an_option_of_another_provider_is_one_clear_line(
    provider: str, words: tuple[str, ...], owner: str
) -> None:
    error = invoke("simulate", provider, *words)
    assert isinstance(error, RecorderError)
    assert str(error) == f"{words[0]} is for `replay simulate {owner}`: leave it out"


@pytest.mark.parametrize("command", [("simulate", "vapi"), ("serve", "last")])
def test_a_webhook_address_must_be_a_url(command: tuple[str, ...]) -> None:
    error = invoke(*command, "--webhook-to", "localhost:3000")
    assert isinstance(error, RecorderError)
    assert "--webhook-to is not a URL" in str(error)


@contextmanager
def stored(tmp_path: Path, tape: Tape) -> Iterator[list[str]]:
    """The words that name a call in a store, which has the control session of its run, too."""
    url = f"sqlite:///{tmp_path / 'tapes.db'}"
    with closing(open_store(url, create=True)) as store:
        writer = Writer(store, SystemClock(), SECRETS)
        writer.start()
        _write(writer.open("vapi", "t"), Tape().ask("GET", "/assistant", None, [{"id": "a"}]))
        call = writer.open("vapi", "t", external_id=CALL)
        _write(call, tape)
        for name, status in (("b" * 8, 404), ("c" * 8, 200)):
            other = Tape().ask("PATCH", f"/call/{name}", {"name": "x"}, {"id": name}, status)
            _write(writer.open("vapi", "t", external_id=name), other)
        writer.close()
    yield ["serve", call.session, "--store", url, "--speed", "max"]


def _write(tape: Any, script: Tape) -> None:
    channels: dict[int, int] = {}
    for take in script.takes:
        if take.channel not in channels:
            kind = take.kind.partition(".")[0]
            channels[take.channel] = tape.channel(kind, "/")
        number = channels[take.channel]
        tape.record(number, take.sender, take.kind, take.type, take.body)


async def test_a_call_is_served_with_the_rest_of_its_run(tmp_path: Path) -> None:
    tape = Tape().create().hook("status-update").hook("end-of-call-report", {"noted": True})
    with stored(tmp_path, tape) as words:
        async with (
            Application({}) as application,
            aiohttp.ClientSession() as http,
            Command(*words, "--webhook-to", application.url) as service,
        ):
            base = f"{service.url}/vapi"
            async with http.get(f"{base}/assistant") as answer:
                assert await answer.json() == [{"id": "a"}]
            async with http.patch(f"{base}/call/{'b' * 8}", json={"name": "x"}) as answer:
                assert answer.status == 404
            async with http.post(f"{base}/call", json=ASKED) as answer:
                made = await answer.json()
            code, output = await service.end()
    host = service.url.partition("://")[2]
    assert made["monitor"]["controlUrl"] == f"http://{host}/vapi/{CALL}/control"
    assert application.types == ["status-update", "end-of-call-report"]
    assert code == 1
    assert "end-of-call-report differs" in output
    assert "at        $.body.noted" in output
    assert "expected  true" in output
    assert "got       absent" in output


async def test_another_call_of_the_run_is_not_served(tmp_path: Path) -> None:
    with stored(tmp_path, Tape().create()) as words:
        async with (
            aiohttp.ClientSession() as http,
            Command(*words, "--no-record") as service,
        ):
            url = f"{service.url}/vapi/call/{'c' * 8}"
            async with http.patch(url, json={"name": "x"}) as answer:
                assert answer.status == 404
                assert "replay_mismatch" in await answer.text()
            assert (await asyncio.wait_for(service.end(), 10))[0] == 1
