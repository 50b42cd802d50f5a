"""A whole call at Vapi: recorded as one session, told as one story, and replayed to the client and
to the team's server at once."""

from __future__ import annotations

import asyncio
import json
import wave
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import pytest_asyncio
from harness import Service, read
from new_stores import empty_store
from numpy.typing import NDArray
from vapi_call import FOUND, GREETING, KEY, REPLIES, TRANSCRIPTS, Call, Team, hold, team, turns

from recorder.audio import pcm
from recorder.events import Event
from recorder.recording import Recording
from recorder.store import open_store
from tests.replay.commands.listening import Command

pytestmark = pytest.mark.asyncio(loop_scope="module")
Json = Any


@dataclass
class Taped:
    """A call that was recorded, what its client saw, and what the team's server got."""

    store: str
    folder: Path
    call: Call
    team: Team
    server: str

    @property
    def sessions(self) -> list[Json]:
        found: list[Json] = json.loads(
            read("recorder", "sessions", "--json", "--store", self.store)
        )
        return found

    @property
    def session(self) -> str:
        (row,) = [row for row in self.sessions if not row["parent"]]
        return str(row["id"])

    def serve(self, speed: str, *words: str) -> Command:
        """`replay serve` of the call."""
        tape = (self.session, "--store", self.store, "--speed", speed, "--patience", "5")
        return Command("serve", *tape, *words)

    def digest(self, session: str) -> str:
        return read("replay", "digest", session, "--store", self.store).strip()


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def taped(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Taped]:
    folder = tmp_path_factory.mktemp("call")
    store = f"sqlite:///{empty_store(folder / 'tapes.db')}"
    says = [f"--transcript={text}" for text in TRANSCRIPTS] + [
        f"--reply={text}" for text in REPLIES
    ]
    quick = ("--latency-ms", "100", "--jitter-ms", "20", "--settle-s", "0.6")
    tape = ("--store", store, "--listen", "127.0.0.1:0")
    async with team() as app:
        with (
            Service("replay", "simulate", "vapi", "--seed", "7", *quick, *says) as simulator,
            Service(
                "recorder",
                "proxy",
                *tape,
                *("--vapi-url", f"{simulator.url}/vapi", "--webhook-to", app.url),
            ) as proxy,
        ):
            server = f"{proxy.url}/webhooks/vapi"
            call = await hold(f"{proxy.url}/vapi", server)
            endings = await asyncio.gather(
                *(asyncio.to_thread(each.stop) for each in (proxy, simulator))
            )
        assert [ended.code for ended in endings] == [0, 0], endings
        yield Taped(store, folder, call, app, server)


async def test_the_client_has_had_its_conversation(taped: Taped) -> None:
    hello, cut, bye = taped.call.speaker.heard
    assert (hello.text, bye.text) == (GREETING, REPLIES[1])
    assert cut.cut_ms is not None
    assert REPLIES[0].startswith(cut.text)
    assert cut.text != REPLIES[0]
    assert [one["status"] for one in taped.call.after[-2:]] == ["ended", "ended"]
    assert taped.call.after[-1]["endedReason"] == "customer-ended-call"


async def test_the_team_got_each_webhook_and_its_answer_was_used(taped: Taped) -> None:
    types = taped.team.types
    assert types[:2] == ["status-update", "status-update"]
    assert types[-2:] == ["status-update", "end-of-call-report"]
    assert types.count("tool-calls") == types.count("user-interrupted") == 1
    results = [
        one["result"]
        for one in taped.call.after[-1]["messages"]
        if one["role"] == "tool_call_result"
    ]
    assert results == [FOUND]


async def test_it_is_one_session_with_all_that_crossed(taped: Taped) -> None:
    (row,) = [row for row in taped.sessions if not row["parent"]]
    assert row["external_id"] == taped.call.id
    with closing(open_store(taped.store, create=False, readonly=True)) as store:
        recording = Recording(store, taped.session)
        kinds = [channel.kind for channel in recording.channels()]
        events = list(recording.events())
    assert kinds.count("ws") == 1
    assert kinds.count("webhook") == len(taped.team.got)
    assert kinds.count("http") == 1 + len(taped.call.after)
    hooks = [event.type for event in events if event.kind == "webhook.request"]
    assert Counter(hooks) == Counter(taped.team.types)
    bodies = [event.body for event in events if event.kind == "http.chunk" and event.body]
    assert all(answer in bodies for answer in taped.team.answers)
    assert KEY.encode() not in b"".join(event.body for event in events)
    read("recorder", "verify", taped.session, "--store", taped.store)


async def test_show_tells_one_story(taped: Taped) -> None:
    told = read("recorder", "show", taped.session, "--store", taped.store)
    story = [
        "POST /call",
        "GET /{id}/transport",
        f"assistant: “{GREETING}”",
        f"user: “{TRANSCRIPTS[0]}”",
        'get_weather({"city": "Oslo"})',
        f": {FOUND}",
        "user-interrupted",
        f"user: “{TRANSCRIPTS[1]}”",
        f"assistant: “{REPLIES[1]}”",
        "ended: customer-ended-call",
        "end-of-call-report",
        "analysis",
    ]
    at = 0
    for words in story:
        assert words in told[at:], f"{words!r} is not told after {told[:at][-300:]!r}"
        at = told.index(words, at) + len(words)


def not_played(events: list[Event], rate: int) -> NDArray[np.int16]:
    """What a player still had of the agent's frames, which it plays one behind the other as they
    come, when the user interrupted."""
    got, over_ns = b"", 0
    for event in events:
        if event.kind == "ws.text" and event.type == "user-interrupted":
            left = max(over_ns - event.at_ns, 0) * rate // 1_000_000_000
            return np.frombuffer(got, "<i2")[len(got) // 2 - left :]
        if event.kind == "ws.binary" and event.sender == "provider":
            got += event.body
            length_ns = len(event.body) // 2 * 1_000_000_000 // rate
            over_ns = max(over_ns, event.at_ns) + length_ns
    raise AssertionError("nobody interrupted")


async def test_audio_has_what_was_sent_sample_for_sample(taped: Taped) -> None:
    path = taped.folder / "call.wav"
    read("recorder", "audio", taped.session, "--store", taped.store, "-o", str(path))
    with wave.open(str(path)) as file:
        rate = file.getframerate()
        assert (rate, file.getnchannels(), file.getsampwidth()) == (16_000, 2, 2)
        frames = np.frombuffer(file.readframes(file.getnframes()), "<i2").reshape(-1, 2)
    with closing(open_store(taped.store, create=False, readonly=True)) as store:
        events = list(Recording(store, taped.session).events())
    streamed = [event for event in events if event.kind == "ws.binary"]
    said, heard = (
        np.frombuffer(b"".join(each.body for each in streamed if each.sender == sender), "<i2")
        for sender in ("client", "provider")
    )
    spoken = [pcm.resample(pcm.samples(each.pcm), each.rate, rate) for each in turns()]
    assert len(spoken) == 2
    for turn in spoken:  # what the microphone took up is what was sent
        assert turn.tobytes() in said.tobytes()
    left, right = frames[:, 0], frames[:, 1]
    assert np.array_equal(left[left != 0], said[said != 0])
    # a listener drops what it has not played when it interrupts; all before and after is there
    played, whole = right[right != 0], heard[heard != 0]
    unplayed = not_played(events, rate)
    assert abs(whole.size - played.size - np.count_nonzero(unplayed)) <= rate * 0.02
    same = np.flatnonzero(played != whole[: played.size])
    before = int(same[0]) if same.size else played.size
    after = played.size - before
    assert np.array_equal(played[before:], whole[whole.size - after :])


async def test_a_replay_is_the_same_call_for_client_and_server(taped: Taped) -> None:
    async with team() as app, taped.serve("max", "--webhook-to", app.url) as service:
        call = await hold(f"{service.url}/vapi", taped.server)
        code, told = await service.end()
    assert code == 0, told
    assert "replay complete" in told
    # each has a connection of its own: what leaves together may overtake
    assert Counter(app.types) == Counter(taped.team.types)
    assert sorted(map(str, app.answers)) == sorted(map(str, taped.team.answers))
    assert [each.text for each in call.speaker.heard] == [
        each.text for each in taped.call.speaker.heard
    ]
    assert [each["status"] for each in call.after] == [each["status"] for each in taped.call.after]
    assert call.after[-1]["costs"] == taped.call.after[-1]["costs"]
    host = service.url.partition("://")[2]
    assert call.created["transport"]["websocketCallUrl"] == f"ws://{host}/vapi/{call.id}/transport"
    for message in app.messages:
        assert message["call"]["monitor"]["controlUrl"] == f"http://{host}/vapi/{call.id}/control"
    (replayed,) = [row["id"] for row in taped.sessions if row["parent"] == taped.session]
    assert taped.digest(replayed) == taped.digest(taped.session)


async def test_a_server_that_answers_otherwise_ends_the_replay(taped: Taped) -> None:
    async with (
        team("sun, 30 degrees") as app,
        taped.serve("max", "--webhook-to", app.url, "--no-record") as service,
    ):
        with pytest.raises(AssertionError, match="replay"):
            await hold(f"{service.url}/vapi", taped.server)
        code, told = await service.end()
    assert code == 1, told
    assert "tool-calls" in app.types
    for words in (
        "tool-calls differs",
        "at        $.body.results[0].result",
        f'expected  "{FOUND}"',
        'got       "sun, 30 degrees"',
        "unused: next is",
    ):
        assert words in told
