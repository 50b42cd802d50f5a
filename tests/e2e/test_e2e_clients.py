"""Real clients through `record proxy` against the simulator: what is taped is what crossed."""

from __future__ import annotations

import json
import time
from functools import partial
from pathlib import Path

import pytest
from clients import CLIENTS, KEY, MODEL, browser, client_secret
from conversation import FOUND, SPOKEN, TYPED, understood
from harness import Studio, read, run, tape_frames
from websockets.exceptions import ConnectionClosed
from websockets.sync.client import connect
from wiretap import Frame

from recorder.heads import Close, RequestHead

EVERY_CLIENT = pytest.mark.parametrize("client", CLIENTS)


@EVERY_CLIENT
def test_each_turn_reaches_the_client(studio: Studio, client: str) -> None:
    lines = understood(studio.tape(client).seen)
    assert lines[1:3] == ["speech_started", "speech_stopped"]
    typed, *spoken, call, answer = lines[:1] + lines[3:]
    assert TYPED in typed
    assert f"heard: {SPOKEN}" in spoken
    assert any(line.startswith("completed: ") and SPOKEN in line for line in spoken)
    assert call == 'completed: get_weather {"city": "Paris"}'
    assert FOUND in answer


@EVERY_CLIENT
@pytest.mark.parametrize("sender", ["client", "provider"])
def test_tape_holds_the_bytes_that_each_side_saw(studio: Studio, client: str, sender: str) -> None:
    taped = studio.tape(client)
    kept = tape_frames(studio.store, taped.session, sender)
    near, far = (
        [frame for frame in call.frames(sender) if frame.kind != "ws.close"]
        for call in (taped.near, taped.far)
    )
    assert len(kept) > 20
    assert kept == near
    assert kept == far


@EVERY_CLIENT
def test_close_reaches_the_provider_and_the_tape(studio: Studio, client: str) -> None:
    taped = studio.tape(client)
    normal = Frame("ws.close", (1000).to_bytes(2, "big"))
    assert taped.near.frames("client")[-1] == normal
    assert taped.far.frames("client")[-1] == normal
    lines = read("recorder", "show", taped.session, "--raw", "--json", "--store", studio.store)
    last = json.loads(lines.splitlines()[-1])
    assert (last["sender"], last["kind"]) == ("client", "ws.close")
    assert Close.decode(last["text"].encode()) == Close(1000)


def test_compression_of_each_leg_is_its_own(studio: Studio) -> None:
    taped = studio.tape("openai-agents")
    assert taped.near.compressed
    assert not studio.tape("openai-sync").near.compressed


def test_ephemeral_key_of_a_browser(studio: Studio) -> None:
    """A backend asks for it over REST, the page uses it as a sub-protocol; no tape has either."""
    secret = client_secret(studio.base)
    taped = studio.tape("ephemeral", partial(browser, key=secret))
    assert understood(taped.seen)[-1].endswith(FOUND)
    assert secret.encode() in taped.far.client
    lines = read("recorder", "show", taped.session, "--raw", "--json", "--store", studio.store)
    head = RequestHead.decode(json.loads(lines.splitlines()[0])["text"].encode())
    assert head.subprotocols[0] == "realtime"
    assert head.subprotocols[1].startswith("openai-insecure-api-key.[redacted:")
    files = [file.read_bytes() for file in studio.folder.glob("tapes.db*")]
    assert files
    for each in (secret, KEY):
        assert not any(each.encode() in content for content in files)


def test_every_tape_verifies(studio: Studio) -> None:
    studio.tape("openai-async")
    ended = run("recorder", "verify", "--store", studio.store, "--json")
    assert ended.code == 0, ended
    judged = json.loads(ended.out)
    assert judged
    assert all(each["ok"] for each in judged)


def test_a_running_conversation_ends_in_order_with_the_proxy(tmp_path: Path) -> None:
    """SIGTERM: both sides are told, what was said is sealed, exit code 0."""
    with Studio(tmp_path) as studio:
        url = f"ws{studio.base.removeprefix('http')}/v1/realtime?model={MODEL}"
        headers = {"Authorization": f"Bearer {KEY}"}
        with connect(url, additional_headers=headers) as socket:
            created = socket.recv(10, decode=False)
            began = time.monotonic()
            assert studio.proxy.stop().code == 0
            assert time.monotonic() - began < 3
            with pytest.raises(ConnectionClosed) as closed:
                socket.recv(10)
        assert closed.value.rcvd
        assert closed.value.rcvd.code == 1001
        assert studio.far.sockets[0].frames("client")[-1].payload[:2] == (1001).to_bytes(2, "big")
    (row,) = studio.sessions()
    assert row["status"] == "complete"
    assert tape_frames(studio.store, row["id"], "provider") == [Frame("ws.text", created)]
    assert run("recorder", "verify", "--store", studio.store).code == 0
