"""Real clients through `record proxy` against the simulator: what is taped is what crossed. Then
the same conversations with `replay serve`, and no provider runs."""

from __future__ import annotations

import json
import re
import time
from functools import partial
from pathlib import Path

import conversation
import pytest
from clients import CLIENTS, KEY, MODEL, browser, client_secret
from conversation import FOUND, SPOKEN, TYPED, understood
from harness import PACE_S, Here, Service, Studio, Taped, read, run, tape_frames
from websockets.exceptions import ConnectionClosed
from websockets.sync.client import connect
from wiretap import Frame, Wiretap

from recorder.heads import Close, RequestHead

REAL_TIME_S = 0.1
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


def test_a_running_conversation_ends_in_order_with_the_proxy(
    studio: Studio, tmp_path: Path
) -> None:
    """SIGTERM: both sides are told, what was said is sealed, exit code 0."""
    with Studio(tmp_path, studio.provider) as studio:
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
    read("recorder", "verify", "--store", studio.store)


# Replays


def _replay(studio: Studio, taped: Taped, client: str, speed: str, pace_s: float) -> str:
    """Replay once, check everything but the digest, and tell the new session: by a process at top
    speed, here at another."""
    words = ("serve", taped.session, "--store", studio.store, "--speed", speed)
    serving = Service("replay", *words) if speed == "max" else Here(*words)
    with serving as service, Wiretap(service.url) as tap:
        seen = CLIENTS[client](f"{tap.url}/openai", pace_s)
        ended = service.ended()
    assert ended.code == 0, ended
    assert ended.err == ""
    assert "replay complete" in ended.out
    used = re.search(r"used: (\d+) of (\d+) provider messages", ended.out)
    assert used
    assert used[1] == used[2]
    assert sorted(understood(seen)) == sorted(understood(taped.seen))
    told = [frame for frame in tap.sockets[0].frames("provider") if frame.kind != "ws.close"]
    assert told == tape_frames(studio.store, taped.session, "provider")
    new = re.search(r"recorded (\w+)", ended.out)
    assert new
    for sender in ("client", "provider"):
        crossed = [f for f in tap.sockets[0].frames(sender) if f.kind != "ws.close"]
        assert tape_frames(studio.store, new[1], sender) == crossed
    return new[1]


def _digest(studio: Studio, session: str) -> str:
    return read("replay", "digest", session, "--store", studio.store).strip()


TRIED = [
    each if each == "openai-sync" else pytest.param(each, marks=pytest.mark.slow)
    for each in CLIENTS
]


@pytest.mark.parametrize("client", TRIED)
def test_two_replays_agree_with_the_tape(studio: Studio, client: str) -> None:
    taped = studio.tape(client)
    replays = [_replay(studio, taped, client, speed, PACE_S) for speed in ("max", "20")]
    digests = {session: _digest(studio, session) for session in (taped.session, *replays)}
    assert len(set(digests.values())) == 1, digests
    rows = {row["id"]: row for row in studio.sessions()}
    for session in replays:
        row = rows[session]
        assert (row["parent"], row["origin"], row["status"]) == (
            taped.session,
            "replay",
            "complete",
        )
    read("recorder", "verify", *replays, "--store", studio.store)


@pytest.mark.slow
def test_recorded_pace_with_nothing_else_running(tmp_path: Path) -> None:
    """Speech in real time, and a replay that takes as long as the conversation took."""
    with Studio(tmp_path) as studio:
        taped = studio.tape("browser", pace_s=REAL_TIME_S)
    session = _replay(studio, taped, "browser", "1", REAL_TIME_S)
    lasted = {row["id"]: row["duration_s"] for row in studio.sessions()}
    assert lasted[taped.session] > 3
    assert 0.9 * lasted[taped.session] < lasted[session] < lasted[taped.session] + 2
    assert _digest(studio, session) == _digest(studio, taped.session)


def test_ephemeral_key_from_a_replay(studio: Studio) -> None:
    """The key that a tape does not have is replaced by one that a page can use."""
    secret = client_secret(studio.base)
    taped = studio.tape("ephemeral", partial(browser, key=secret))
    with Here("serve", taped.session, "--store", studio.store, "--speed", "max") as service:
        base = f"{service.url}/openai"
        again = client_secret(base)
        seen = browser(base, PACE_S, again)
        ended = service.ended()
    assert again != secret
    assert ended.code == 0, ended
    assert sorted(understood(seen)) == sorted(understood(taped.seen))


def test_another_conversation_fails(studio: Studio, monkeypatch: pytest.MonkeyPatch) -> None:
    """The client is told in an error event, the operator in a report."""
    taped = studio.tape("openai-sync")
    monkeypatch.setattr(conversation, "TYPED", "Good evening.")
    with Here("serve", taped.session, "--store", studio.store, "--speed", "max") as service:
        with pytest.raises(AssertionError, match="replay_mismatch"):
            CLIENTS["openai-async"](f"{service.url}/openai", 0)
        ended = service.ended()
    assert ended.code == 1, ended
    assert ended.err == ""
    for words in (
        "conversation.item.create differs",
        "at        $.item.content[0].text",
        f'expected  "{TYPED}"',
        'got       "Good evening."',
    ):
        assert words in ended.out


def test_conversation_left_early_fails(studio: Studio) -> None:
    taped = studio.tape("openai-sync")
    with Here("serve", taped.session, "--store", studio.store, "--speed", "max") as service:
        url = f"ws{service.url.removeprefix('http')}/openai/v1/realtime?model={MODEL}"
        with connect(url) as socket:
            socket.recv(10)
        ended = service.ended()
    assert ended.code == 1, ended
    assert "the client closed (1000) before it" in ended.out
    assert "unused: next is" in ended.out
