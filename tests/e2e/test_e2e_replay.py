"""The same clients hold the same conversations with `replay serve`, and no provider runs."""

from __future__ import annotations

import re
from functools import partial
from pathlib import Path

import conversation
import pytest
from clients import CLIENTS, MODEL, browser, client_secret
from conversation import TYPED, understood
from harness import PACE_S, Studio, Taped, read, serve, tape_frames
from websockets.sync.client import connect
from wiretap import Wiretap

REAL_TIME_S = 0.1


def _replay(studio: Studio, taped: Taped, client: str, speed: str, pace_s: float) -> str:
    """Replay once, check everything but the digest, and tell the new session."""
    with serve(studio.store, taped.session, speed) as service, Wiretap(service.url) as tap:
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
    with serve(studio.store, taped.session, "max") as service:
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
    with serve(studio.store, taped.session, "max") as service:
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
    with serve(studio.store, taped.session, "max") as service:
        url = f"ws{service.url.removeprefix('http')}/openai/v1/realtime?model={MODEL}"
        with connect(url) as socket:
            socket.recv(10)
        ended = service.ended()
    assert ended.code == 1, ended
    assert "the client closed (1000) before it" in ended.out
    assert "unused: next is" in ended.out
