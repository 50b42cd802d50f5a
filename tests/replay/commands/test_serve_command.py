"""`replay serve`, `replay simulate` and `replay digest` as a user runs them."""

from __future__ import annotations

import asyncio
import json
import signal
import socket
from contextlib import closing
from pathlib import Path
from typing import Any

import aiohttp
import pytest
import websockets
from click.testing import CliRunner, Result
from listening import Command, Process
from replaying import events
from tapes import SECRETS, Script, conversation, record, session_object

from recorder.capture.writer import Writer
from recorder.clock import SystemClock
from recorder.errors import RecorderError
from recorder.heads import RequestHead, ResponseHead
from recorder.recording import Recording
from recorder.store import open_store
from recorder.store.base import SessionRow
from replay.cli import cli
from replay.commands import serve
from replay.match.hearing import AUDIO_MODES
from replay.player.modes import MODES


@pytest.fixture
def store_url(tmp_path: Path) -> str:
    return f"sqlite:///{tmp_path / 'tapes.db'}"


@pytest.fixture
def tape(store_url: str) -> str:
    with closing(open_store(store_url, create=True)) as store:
        return record(store, conversation(), trial="first")


def rows(store_url: str) -> list[SessionRow]:
    with closing(open_store(store_url, create=False, readonly=True)) as store:
        return store.sessions()


def invoke(*words: str) -> Result:
    return CliRunner().invoke(cli, words)


def digest(store_url: str, session: str, *more: str) -> str:
    result = invoke("digest", session, "--store", store_url, *more)
    assert result.exit_code == 0, result.output
    return result.output.strip()


async def say_what_the_tape_says(url: str) -> list[str | bytes]:
    """A client in lock step with the tape."""
    got: list[str | bytes] = []
    path = f"ws{url.removeprefix('http')}/openai/v1/realtime?model=gpt-realtime"
    async with websockets.connect(path) as client:
        for event in events(conversation()):
            if event.kind == "ws.text" and event.sender == "client":
                await client.send(event.body.decode())
            elif event.kind == "ws.text":
                got.append(await asyncio.wait_for(client.recv(), 10))
    return got


async def test_a_tape_is_served_recorded_and_has_the_same_digest_each_time(
    store_url: str, tape: str
) -> None:
    for speed in ("max", "20"):
        async with Command("serve", tape, "--store", store_url, "--speed", speed) as serve:
            got = await say_what_the_tape_says(serve.url)
            code, output = await serve.end()
        assert code == 0, output
        assert "OPENAI_BASE_URL" in output
        assert "replay complete" in output
        assert "used: 32 of 32 provider messages, 4 of 4 client messages" in output
        recorded = [each for each in events(conversation()) if each.sender == "provider"]
        assert got == [each.body.decode() for each in recorded if each.kind == "ws.text"]
    first, *replays = rows(store_url)
    assert first.id == tape
    assert [(row.parent, row.origin, row.trial) for row in replays] == [
        (tape, "replay", "first")
    ] * 2
    assert {digest(store_url, row.id) for row in replays} == {digest(store_url, tape)}


async def test_a_client_that_differs_ends_with_exit_code_1_and_a_report(
    store_url: str, tape: str
) -> None:
    from openai import AsyncOpenAI  # loads for a second

    async with Command("serve", tape, "--store", store_url, "--no-record") as serve:
        client = AsyncOpenAI(api_key="sk-test-0123456789abcdef", base_url=f"{serve.url}/openai/v1")
        async with client.realtime.connect(model="gpt-realtime") as connection:
            await connection.session.update(session={"type": "realtime", "instructions": "Long."})
            async for event in connection:
                if event.type == "error":
                    assert event.error.code == "replay_mismatch"
                    break
        await client.close()
        code, output = await serve.end()
    assert code == 1
    assert "replay failed: step 4 session.update differs" in output
    assert "at        $.session.instructions" in output
    assert len(rows(store_url)) == 1


async def test_a_signal_ends_serving_with_what_is_unused(store_url: str, tape: str) -> None:
    async with Process("serve", tape, "--store", store_url) as serve:
        serve.process.send_signal(signal.SIGINT)
        code, output = await serve.end()
    assert code == 1
    assert "replay failed: it was stopped by a signal" in output
    assert "unused: next is GET /v1/realtime at step 1" in output


async def test_serving_ends_after_its_time(store_url: str, tape: str) -> None:
    async with Command("serve", tape, "--store", store_url, "--max-seconds", "0.3") as serve:
        code, output = await serve.end()
    assert code == 1
    assert "it was not over after 0.3 s (--max-seconds)" in output


async def test_a_simulator_runs_until_a_signal() -> None:
    from openai import AsyncOpenAI  # loads for a second

    words = ("simulate", "openai", "--seed", "3", "--latency-ms", "0", "--reply", "Good morning.")
    async with Process(*words) as simulate:
        client = AsyncOpenAI(api_key="sk-test", base_url=f"{simulate.url}/openai/v1")
        async with client.realtime.connect(model="gpt-realtime") as connection:
            await connection.session.update(
                session={"type": "realtime", "output_modalities": ["text"]}
            )
            await connection.response.create()
            async for event in connection:
                if event.type == "response.output_text.done":
                    assert event.text == "Good morning."
                    break
        await client.close()
        simulate.process.send_signal(signal.SIGTERM)
        code, output = await simulate.end()
    assert code == 0
    assert "OPENAI_BASE_URL" in output


async def test_the_rest_traffic_of_the_run_is_answered_too(store_url: str) -> None:
    head = RequestHead("POST", "/v1/realtime/client_secrets", "", ())
    answer = ResponseHead(200, "OK", (("Content-Type", "application/json"),))
    script = Script().open().provider("session.created", session=session_object()).close()
    with closing(open_store(store_url, create=True)) as store:
        writer = Writer(store, SystemClock(), SECRETS)
        writer.start()
        control, talk = writer.open("openai", "t"), writer.open("openai", "t")
        control.channel("http", head.path)
        control.record(1, "client", "http.request", "POST", head.encode())
        control.record(1, "provider", "http.response", "200", answer.encode())
        control.record(1, "provider", "http.chunk", "", b'{"expires_at":1}')
        talk.channel("ws", "/v1/realtime")
        for take in script.takes:
            talk.record(1, take.sender, take.kind, "", take.body)
        writer.close()
    words = ("serve", talk.session, "--store", store_url, "--speed", "max")
    async with Command(*words) as serve, aiohttp.ClientSession() as http:
        async with http.post(f"{serve.url}/openai{head.path}") as response:
            assert await response.json() == {"expires_at": 1}
        url = f"{serve.url}/openai/v1/realtime?model=gpt-realtime"
        async with http.ws_connect(url) as client:
            assert (await client.receive_json())["type"] == "session.created"
        code, output = await serve.end()
    assert code == 0, output
    replayed = [row for row in rows(store_url) if row.parent]
    assert [row.parent for row in replayed] == [talk.session]
    assert digest(store_url, replayed[0].id) == digest(store_url, talk.session)


def test_a_digest_can_be_had_as_json_and_with_order(store_url: str, tape: str) -> None:
    plain = digest(store_url, "last")
    found: dict[str, Any] = json.loads(digest(store_url, tape, "--json"))
    assert found["digest"] == plain
    assert found["session"] == tape
    assert found["scheme"] == "canonical/2"
    assert {part["sender"] for part in found["parts"]} == {"client", "provider"}
    assert digest(store_url, tape, "--order") != plain


@pytest.mark.parametrize("speed", ["fast", "0", "-1", "nan", "inf", ""])
def test_a_wrong_speed_is_one_clear_line(store_url: str, tape: str, speed: str) -> None:
    result = invoke("serve", tape, "--store", store_url, "--speed", speed)
    assert isinstance(result.exception, RecorderError)
    assert result.exception.exit_code == 2
    assert "give a factor above 0" in str(result.exception)
    assert "\n" not in str(result.exception)


def test_an_unknown_session_and_a_port_in_use_are_one_clear_line(store_url: str, tape: str) -> None:
    result = invoke("serve", "zzzz", "--store", store_url)
    assert isinstance(result.exception, RecorderError)
    assert "no session 'zzzz'" in str(result.exception)
    with closing(socket.create_server(("127.0.0.1", 0))) as taken:
        port = taken.getsockname()[1]
        words = ("--store", store_url, "--listen", f"127.0.0.1:{port}", "--no-record")
        result = invoke("serve", tape, *words)
    assert isinstance(result.exception, RecorderError)
    assert f"cannot listen on 127.0.0.1:{port}" in str(result.exception)


def test_a_failed_start_leaves_no_session_behind(store_url: str, tape: str) -> None:
    with closing(socket.create_server(("127.0.0.1", 0))) as taken:
        listen = f"127.0.0.1:{taken.getsockname()[1]}"
        invoke("serve", tape, "--store", store_url, "--listen", listen)
    assert [row.id for row in rows(store_url)] == [tape]


def test_a_tape_without_exchanges_cannot_be_served(store_url: str) -> None:
    with closing(open_store(store_url, create=True)) as store:
        session = record(store, [])
    result = invoke("serve", session, "--store", store_url)
    assert isinstance(result.exception, RecorderError)
    assert "nothing to replay" in str(result.exception)


def test_a_key_without_a_certificate_is_refused(store_url: str, tape: str) -> None:
    result = invoke("serve", tape, "--store", store_url, "--tls-key", "key.pem")
    assert isinstance(result.exception, RecorderError)
    assert "--tls-cert" in str(result.exception)


def test_each_command_has_help_with_an_example() -> None:
    for name in ("serve", "simulate", "digest"):
        result = invoke(name, "--help")
        assert result.exit_code == 0
        assert f"Example: replay {name}" in result.output


def test_a_greeting_alone_is_a_tape(store_url: str) -> None:
    with closing(open_store(store_url, create=True)) as store:
        script = Script().open().provider("session.created", session=session_object()).close()
        session = record(store, script.takes)
    assert len(digest(store_url, session)) == 64


async def test_a_program_steps_a_replay_and_leaves_no_trace(store_url: str, tape: str) -> None:
    words = ("serve", tape, "--store", store_url, "--mode", "step", "--idle-cap", "1")
    async with Command(*words) as command, aiohttp.ClientSession() as http:
        url = "ws" + command.url.removeprefix("http") + "/openai/v1/realtime?model=gpt-realtime"
        async with websockets.connect(url) as socket:
            with pytest.raises(TimeoutError):
                await asyncio.wait_for(socket.recv(), 0.2)
            async with http.post(f"{command.url}/replay/step?n=1") as answer:
                assert (await answer.json())["mode"] == "step"
            first = json.loads(await asyncio.wait_for(socket.recv(), 5))
            assert first["type"] == "session.created"
            async with http.get(f"{command.url}/replay") as answer:
                assert (await answer.json())["sent"] == 1
        code, output = await command.end()
    assert code == 1
    assert "the client closed" in output
    replayed = rows(store_url)[-1]
    with closing(open_store(store_url, create=False, readonly=True)) as store:
        kinds = [each.kind for each in Recording(store, replayed.id).channels()]
    assert kinds == ["ws"]


def test_an_unknown_mode_is_refused() -> None:
    result = invoke("serve", "last", "--mode", "lockstep")
    assert result.exit_code == 2
    assert "'causal', 'strict', 'timed', 'step'" in result.output


@pytest.mark.parametrize(("name", "known"), [("mode", MODES), ("audio", AUDIO_MODES)])
def test_the_modes_of_the_command_are_those_of_the_player(
    name: str, known: tuple[str, ...]
) -> None:
    (option,) = [each for each in serve.command.params if each.name == name]
    assert tuple(option.type.choices) == known  # type: ignore[attr-defined]
