"""The same clients hold the same conversations with `replay serve`, and no provider runs."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from clients import CLIENTS
from conversation import understood
from harness import PACE_S, Studio, Taped, read, run, serve, tape_frames
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


@pytest.mark.parametrize("client", CLIENTS)
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
    ended = run("recorder", "verify", *replays, "--store", studio.store)
    assert ended.code == 0, ended


def test_recorded_pace_with_nothing_else_running(tmp_path: Path) -> None:
    """Speech in real time, and a replay that takes as long as the conversation took."""
    with Studio(tmp_path) as studio:
        taped = studio.tape("browser", pace_s=REAL_TIME_S)
    session = _replay(studio, taped, "browser", "1", REAL_TIME_S)
    lasted = {row["id"]: row["duration_s"] for row in studio.sessions()}
    assert lasted[taped.session] > 3
    assert lasted[session] == pytest.approx(lasted[taped.session], rel=0.1)
    assert _digest(studio, session) == _digest(studio, taped.session)
