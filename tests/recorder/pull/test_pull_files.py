"""What calls left behind: recordings as audio, logs in the clear, and no secret of either."""

from __future__ import annotations

import gzip
import json
from pathlib import Path

import httpx
import numpy as np
import pytest
from pull_world import BASE, KEY, World

from recorder.capture.importers.exchange import Exchange
from recorder.capture.writer import Writer
from recorder.heads import RequestHead, ResponseHead, header
from recorder.pull.client import Api
from recorder.pull.pacing import Pacer
from recorder.pull.puller import Puller, Wish
from recorder.pull.shelf import Part, Unreadable, part
from recorder.recording import Recording
from recorder.report.recordings import fetched_recording
from recorder.store import open_store
from recorder.verify import verify
from replay.simulators.vapi import Options

HEADER = 44


def wav_of(world: World, key: str) -> bytes:
    """The stereo recording as the service has it."""
    headers = (("Authorization", f"Bearer {KEY}"), ("Host", "vapi.example"))
    answer = world.wire.ask(RequestHead("GET", f"/call/{key}/stereo-recording", "", headers))
    place = header(ResponseHead.decode(answer.body).headers, "location")
    assert place is not None
    path, _, query = place.removeprefix(BASE).partition("?")
    return world.wire.ask(RequestHead("GET", path, query, headers[1:])).payload


def test_recordings_are_audio_of_their_sessions_sample_for_sample() -> None:
    world = World(Options(history=3))
    tally = world.pull()
    assert (tally.fresh, tally.recordings, tally.logs) == (3, 3, 3)
    for key, row in world.calls().items():
        wav = wav_of(world, key)
        segments = world.store.segments(row.id)
        assert {(one.codec, one.rate, one.channels) for one in segments} == {("pcm16", 16_000, 2)}
        assert all(one.sender == "provider" for one in segments)
        data = b"".join(world.store.audio(row.id, one.number) for one in segments)
        assert data == wav[HEADER:]
        found = fetched_recording(Recording(world.store, row.id))
        assert found is not None
        assert (found.rate, found.frames.shape) == (16_000, (len(data) // 4, 2))
        assert np.array_equal(found.frames.reshape(-1), np.frombuffer(data, "<i2"))
        assert verify(world.store, row).fault is None


def test_a_recording_comes_back_from_the_tape_byte_for_byte() -> None:
    world = World(Options(history=1))
    world.pull()
    ((key, row),) = world.calls().items()
    wav = wav_of(world, key)
    events = list(Recording(world.store, row.id).events())
    (channel,) = {each.channel for each in events if each.body[:4] == b"RIFF"}
    pieces = [
        each.body
        for each in events
        if (each.channel, each.kind, each.sender) == (channel, "http.chunk", "provider")
    ]
    assert b"".join(pieces) == wav
    assert pieces[-1] == b""
    assert max(map(len, pieces)) <= 256 << 10


def test_without_recordings_and_then_with() -> None:
    world = World(Options(history=2))
    tally = world.pull(Wish(recordings=False))
    assert (tally.recordings, tally.logs) == (0, 2)
    tally = world.pull()
    assert (tally.same, tally.recordings, tally.logs) == (2, 2, 0)
    tally = world.pull()
    assert (tally.same, tally.recordings, tally.logs) == (2, 0, 0)


def test_logs_are_kept_unpacked() -> None:
    world = World(Options(history=1))
    world.pull()
    ((key, row),) = world.calls().items()
    told = world.told(row)[-1]
    lines = [json.loads(line) for line in told.received.splitlines()]
    assert {line["traceId"] for line in lines} == {key}
    note = [each for each in world.store.events(row.id) if each.kind == "note"]
    assert [each.type for each in note] == ["unpacked"]


def test_the_key_goes_to_the_api_and_nowhere_else() -> None:
    world = World(Options(history=2))
    world.pull()
    storage = [each for each in world.wire.asked if each.path.startswith("/storage/")]
    assert len(storage) == 4
    assert not any(each.has_key for each in storage)
    assert all(each.has_key for each in world.wire.asked if each not in storage)


def test_no_secret_reaches_the_store(tmp_path: Path) -> None:
    path = tmp_path / "tapes.db"
    world = World(Options(history=2), open_store(str(path), create=True))
    call = world.rest("GET", "/call")[0]
    secret = {"server": {"url": "https://team.example/hook", "secret": "canary-secret-of-server"}}
    world.rest("POST", "/assistant", secret)
    world.pull()
    storage = [each.query for each in world.wire.asked if each.path.startswith("/storage/")]
    signatures = {query.partition("Signature=")[2] for query in storage}
    world.store.close()
    written = b"".join(each.read_bytes() for each in tmp_path.iterdir())
    assert call["id"].encode() in written
    wanted = {KEY, "canary-secret-of-server", *signatures}
    wanted |= {call["transport"]["websocketCallUrl"], call["monitor"]["listenUrl"]}
    assert len(wanted) == 8
    for canary in wanted:
        assert canary.encode() not in written, canary


def test_a_call_is_followed_from_its_queue_to_its_end() -> None:
    world = World()
    assistant = world.rest("POST", "/assistant", {"name": "Desk"})
    asked = {"assistantId": assistant["id"], "transport": {"provider": "vapi.websocket"}}
    key = world.rest("POST", "/call", asked)["id"]
    for seconds in (1, 1, 60, 60):
        world.wait(seconds)
        world.pull()
    row = world.calls()[key]
    answers = [json.loads(each.received) for each in world.told(row)]
    assert [each["status"] for each in answers] == ["queued", "ended"]
    assert verify(world.store, row).fault is None


def test_a_session_of_the_proxy_is_completed() -> None:
    world = World(Options(history=1))
    key = world.rest("GET", "/call")[0]["id"]
    writer = Writer(world.store, world.clock, world.secrets)
    writer.start()
    tape = writer.open("vapi", "live", external_id=key)
    channel = tape.channel("ws", f"/{key}/transport")
    tape.record(channel, "client", "ws.binary", "", b"\1\0" * 160)
    world.wait(1)
    writer.flush()
    assert world.pull().live == 1  # left alone while it is being recorded
    assert len(world.told(world.calls()[key])) == 0
    writer.close()
    world.wait(3600)
    assert world.pull().recordings == 1
    row = world.calls()[key]
    assert (row.id, row.trial, row.origin) == (tape.session, "live", "proxy")
    assert row.run == writer.run.id  # by which a replay finds the control traffic beside it
    events = list(world.store.events(row.id))
    assert events[0].kind == "ws.binary"
    assert events[1].at_ns >= 3600 * 10**9
    assert [one.channel for one in world.store.channels(row.id)] == [1, 2, 3, 4, 5, 6]
    assert verify(world.store, row).fault is None


CALL = "01900000-0000-7000-8000-000000000001"
PLAIN_CALL = {
    "id": CALL,
    "createdAt": "2026-11-01T00:00:00.000Z",
    "artifact": {"recordingUrl": "https://x.example/r", "logUrl": "https://x.example/l"},
}


def served(answers: dict[str, httpx.Response], world: World | None = None) -> tuple[World, Puller]:
    """A service of one call, with these answers by path."""
    world = world or World()
    http = httpx.Client(transport=httpx.MockTransport(lambda asked: answers[asked.url.path]))
    api = Api(http, BASE, KEY, world.clock, Pacer(world.clock, None, world.wait))
    return world, Puller(api, world.shelf(), world.clock, Wish(calls=(CALL,)))


def plain_world(recording: httpx.Response, log: httpx.Response) -> tuple[World, Puller]:
    """A service of one call, with these two files."""
    answers = {
        f"/call/{CALL}": httpx.Response(200, json=PLAIN_CALL),
        f"/call/{CALL}/mono-recording": recording,
        f"/call/{CALL}/call-logs": log,
    }
    return served(answers)


def test_costs_that_settle_later_are_new_events_of_the_same_session() -> None:
    world = World()
    bare = {"id": CALL, "createdAt": "2026-11-01T00:00:00.000Z", "status": "ended"}
    item = {"type": "vapi", "minutes": 0.5, "cost": 0.025}
    for call in (
        {**bare, "cost": 0},
        {**bare, "cost": 0},
        {**bare, "cost": 0.025, "costs": [item]},
        {**bare, "costs": [item], "cost": 0.025},
    ):
        _, puller = served({f"/call/{CALL}": httpx.Response(200, json=call)}, world)
        puller.take(puller.calls()[0])
        world.wait(60)
    (row,) = world.store.sessions()
    assert [json.loads(each.received)["cost"] for each in world.told(row)] == [0, 0.025]
    assert verify(world.store, row).fault is None
    assert row.ended_ns == 120_000_000_000


def test_an_mp3_is_kept_as_it_is_and_a_log_that_is_missing_is_left_for_later() -> None:
    mp3 = b"\xff\xfb\x90\x64" + bytes(2000)
    world, puller = plain_world(httpx.Response(200, content=mp3), httpx.Response(404))
    for _ in range(2):
        puller.take(puller.calls()[0])
    assert (puller.tally.fresh, puller.tally.same, puller.tally.problems) == (1, 1, [])
    row = world.calls()[CALL]
    assert [each.received for each in world.told(row)][1:] == [mp3]
    assert world.store.segments(row.id) == []


def test_a_file_that_cannot_be_had_does_not_keep_the_rest_from_being_stored() -> None:
    cut = gzip.compress(b"a line\n" * 1000)[:-9]
    world, puller = plain_world(httpx.Response(500 - 99), httpx.Response(200, content=cut))
    puller.take(puller.calls()[0])
    assert len(world.told(world.calls()[CALL])) == 1
    first, second = puller.tally.problems
    assert "mono-recording is answered with 401" in first
    assert "cannot be unpacked: it is cut off" in second


def test_a_redirect_that_leads_nowhere_is_a_problem() -> None:
    loop = httpx.Response(302, headers={"location": f"/call/{CALL}/mono-recording"})
    _, puller = plain_world(loop, httpx.Response(302, headers={"location": "ftp://x.example/"}))
    puller.take(puller.calls()[0])
    assert ["leads nowhere" in each for each in puller.tally.problems] == [True, False]
    assert "what is no URL" in puller.tally.problems[1]


def exchange(body: bytes) -> Exchange:
    return Exchange(RequestHead("GET", "/x"), b"", ResponseHead(200), body)


def test_gzip_of_several_members_is_unpacked_whole() -> None:
    packed = gzip.compress(b"one\n") + gzip.compress(b"two\n")
    found = part(exchange(packed))
    assert (found.exchange.received, found.unpacked) == (b"one\ntwo\n", True)
    assert part(exchange(b"plain")) == Part(exchange(b"plain"))
    with pytest.raises(Unreadable, match="cannot be unpacked"):
        part(exchange(packed[:-20] + b"\0" * 20))
