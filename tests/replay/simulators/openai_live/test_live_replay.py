"""A tape of GPT-Live is played by its sound: however the client cuts its audio, and gated only by
the start, results of functions, appends and the close."""

from __future__ import annotations

import base64
import json
import re
import time
from collections.abc import Sequence
from functools import cache
from typing import Any

import numpy as np
import pytest
from live_client import BACKEND, MS, QUICK, Client, noise, silence

from recorder.audio import pcm
from recorder.events import Event, Message
from recorder.heads import Close, RequestHead, ResponseHead
from recorder.providers import PROVIDERS
from replay.match.rulebook import Rulebook
from replay.player import Player
from replay.player.modes import ModeName
from replay.script import read_script
from replay.simulators.openai_live import Options

LIVE = PROVIDERS["openai-live"]
BOOK = Rulebook(LIVE.RULES)
OUTPUT = "session.output_audio.delta"
APPEND = "session.input_audio.append"


@cache
def tape() -> tuple[Event, ...]:
    """A turn, a function, an append that is acknowledged, the end; both sides of the wire."""
    options = Options(transcripts=("The weather in Paris.",), replies=("Mild.",), **QUICK)
    client = Client(options).start(delegation=BACKEND)
    client.turn(1200, 2000)
    call = json.loads(client.raw[_done(client)])["event"]["item"]["call_id"]
    item = {"type": "function_call_output", "call_id": call, "output": "mild"}
    client.send("response.item.create", item=item)
    client.send("response.create", event_id="go-on")
    client.quiet(3000)
    client.send("session.thinking.append", event_id="told", content="Ok.", delegation_id=None)
    client.quiet(600)
    client.send("session.close", event_id="bye")
    client.wait(1000)
    tracker, made = LIVE.tracker(), []
    for seq, (at, channel, sender, kind, body) in enumerate(client.wire, 1):
        name = tracker.inspect(channel, sender, kind, "", body).type
        made.append(Event("tape", seq, at, channel, sender, kind, name, body))
    return tuple(made)


def _done(client: Client) -> int:
    return next(
        at
        for at, event in enumerate(client.events)
        if event.get("event", {}).get("type") == "response.output_item.done"
    )


class Application:
    """The client's side of a player, on virtual time."""

    def __init__(
        self, speed: float | None, events: Sequence[Event] = (), mode: ModeName = "causal"
    ) -> None:
        script = read_script(events or tape(), LIVE, BOOK)
        self.player = Player(script, LIVE, BOOK, speed=speed, mode=mode)
        self.now = 0
        self.got: list[tuple[int, dict[str, Any]]] = []
        self.beside: list[str] = []  # types on another connection, and how it closed
        self.closed: Close | None = None
        head = RequestHead("GET", "/v1/live/sessions")
        self._give("ws.open", head.encode())

    def _give(self, kind: Any, body: bytes) -> None:
        self.player.receive(Message(1, kind, body), self.now)
        self._take()

    def _take(self) -> None:
        for message in self.player.due(self.now):
            if message.channel != 1 and message.kind == "ws.close":
                self.beside.append(str(Close.decode(message.body).code))
            elif message.channel != 1 and message.kind == "ws.text":
                self.beside.append(json.loads(message.body)["type"])
            elif message.kind == "ws.close":
                self.closed = Close.decode(message.body)
            elif message.kind == "ws.text":
                self.got.append((self.now, json.loads(message.body)))

    def wait(self, ms: float) -> None:
        end = self.now + int(ms * MS)
        while (when := self.player.next_deadline()) is not None and when <= end:
            self.now = max(self.now, when)
            self._take()
        self.now = end

    def send(self, type_: str, **fields: Any) -> None:
        self._give("ws.text", json.dumps({"type": type_, **fields}).encode())

    def hear(self, samples: np.ndarray[Any, Any], chunk_ms: int) -> None:
        data, size = pcm.to_bytes(samples), chunk_ms * 48
        for at in range(0, len(data), size):
            audio = base64.b64encode(data[at : at + size]).decode()
            self.send("session.input_audio.append", audio=audio)
            self.wait(chunk_ms)

    def types(self) -> list[str]:
        return [event["type"] for _, event in self.got]

    def of(self, type_: str) -> list[dict[str, Any]]:
        return [event for _, event in self.got if event["type"] == type_]

    def start(self, **session: Any) -> None:
        session = {"model": "gpt-live-1", **(session or {"delegation": BACKEND})}
        self.send("session.start", event_id="another-start", session=session)
        self.wait(400)

    def answer(self) -> None:
        done = next(
            e for e in self.of("response.event") if "output_item.done" in e["event"]["type"]
        )
        call = done["event"]["item"]["call_id"]
        item = {"type": "function_call_output", "call_id": call, "output": "mild"}
        self.send("response.item.create", item=item)
        self.send("response.create", event_id="another-wish")


@pytest.mark.parametrize("speed", [1.0, None])
@pytest.mark.parametrize("chunk_ms", [10, 60, 200])
def test_the_client_may_cut_its_audio_as_it_likes(speed: float | None, chunk_ms: int) -> None:
    client = Application(speed)
    client.start()
    client.hear(np.concatenate((noise(1200), silence(1600))), chunk_ms)
    client.answer()
    client.hear(silence(2400), chunk_ms)
    client.send("session.thinking.append", event_id="mine", content="Ok.", delegation_id=None)
    client.hear(silence(1200), chunk_ms)
    client.send("session.close", event_id="my-end")
    client.wait(1000)
    assert client.player.failure is None, client.player.report()
    assert client.player.finished
    taped = [event.type for event in tape() if event.sender == "provider"]
    assert client.types() == [type_ for type_ in taped if "." in type_]
    bound = {e["client_event_id"] for _, e in client.got if "client_event_id" in e}
    assert bound == {"another-start", "mine", "my-end"}


def test_output_comes_at_its_pace() -> None:
    client = Application(1.0)
    client.start()
    client.hear(np.concatenate((noise(1200), silence(1000))), 20)
    times = [at for at, event in client.got if event["type"] == OUTPUT]
    gaps = np.diff(times) / MS
    assert len(gaps) > 10
    assert np.median(gaps) == pytest.approx(100, abs=1)
    assert gaps.max() <= 120


def test_nothing_comes_before_the_start_nor_speech_before_the_sound() -> None:
    client = Application(None)
    client.wait(5000)
    assert client.got == []
    client.start()
    client.wait(5000)
    assert "session.input_transcript.delta" not in client.types()
    client.hear(noise(1200), 20)
    client.hear(silence(500), 20)
    assert "session.input_transcript.delta" in client.types()


def test_the_second_response_waits_for_the_result_and_an_ack_for_its_append() -> None:
    client = Application(None)
    client.start()
    client.hear(np.concatenate((noise(1200), silence(3000))), 20)
    nested = [each["event"]["type"] for each in client.of("response.event")]
    assert nested.count("response.created") == 1
    client.answer()
    client.hear(silence(3000), 20)
    nested = [each["event"]["type"] for each in client.of("response.event")]
    assert nested.count("response.created") == 2
    assert "session.thinking.appended" not in client.types()
    client.send("session.thinking.append", event_id="mine", content="Ok.", delegation_id=None)
    client.wait(500)
    assert client.of("session.thinking.appended")[0]["client_event_id"] == "mine"
    assert "session.closed" not in client.types()


def test_another_result_is_told() -> None:
    client = Application(None)
    client.start()
    client.hear(np.concatenate((noise(1200), silence(3000))), 20)
    item = {"type": "function_call_output", "call_id": "call_other", "output": "wild"}
    client.send("response.item.create", item=item)
    assert client.player.failure is not None
    assert client.of("error")[0]["error"]["code"] == "replay_mismatch"


def ended_early(client: Application) -> float:
    """Say `session.close`; how long (ms) its answer took."""
    begun = client.now
    client.send("session.close", event_id="my-end")
    client.wait(20_000)
    [closed] = client.of("session.closed")
    assert closed is client.got[-1][1]
    assert client.closed == Close(1000)
    return (client.got[-1][0] - begun) / MS


@pytest.mark.parametrize("speed", [1.0, None])
@pytest.mark.parametrize("heard_ms", [0, 600, 4000])
def test_a_close_is_answered_however_early_it_comes(speed: float | None, heard_ms: int) -> None:
    """Before the sound, in the midst of it, and while the backend waits for a result."""
    client = Application(speed)
    client.start()
    client.hear(np.concatenate((noise(1200), silence(3000)))[: heard_ms * 24], 20)
    assert ended_early(client) < 2500
    assert client.player.finished
    assert client.of("session.closed")[0]["client_event_id"] == "my-end"
    report = client.player.report()
    assert "replay failed: the client ended the session (session.close) before step" in report
    assert re.search(r"before step \d+ (session|response)\.", report), report
    assert re.search(r"missing +3 of the client, next step \d+ response.item.create", report)
    assert re.search(r"unused +\d+ of the provider, next step \d+ ", report)


def test_only_silence_may_be_left_out() -> None:
    """Of half a minute in which nobody speaks, the client leaves after 15 s."""
    quiet = base64.b64encode(bytes(4800)).decode()
    said = {APPEND: {"type": APPEND, "audio": quiet}, OUTPUT: {"type": OUTPUT, "delta": quiet}}
    silent = [
        each._replace(body=json.dumps(said[each.type]).encode()) if each.type in said else each
        for each in hours(1 / 120)
    ]
    client = Application(1.0, silent)
    client.start(model="gpt-live-1")
    client.hear(silence(15_000), 100)
    assert ended_early(client) < 2500
    assert client.player.failure is None, client.player.report()
    assert client.player.finished
    assert " of silence, or not needed, left out" in client.player.report()


def test_what_is_stepped_waits_for_its_steps_after_a_close() -> None:
    client = Application(1.0, mode="step")
    client.player.advance(3)
    client.start()
    client.hear(noise(1200)[: 600 * 24], 20)
    client.send("session.close", event_id="my-end")
    client.wait(5000)
    assert client.closed is None
    client.player.advance(100)
    client.wait(100)
    assert client.types()[-1] == "session.closed"
    assert client.closed == Close(1000)


def test_the_close_ends_the_sidebands_too() -> None:
    made = [*tape()]
    at = next(n for n, each in enumerate(made) if each.type == "session.started") + 1
    head = RequestHead("GET", "/v1/live/sessions/live_1/attach")
    opening = [
        Event("tape", 0, made[at].at_ns, 2, "client", "ws.open", "", head.encode()),
        Event("tape", 0, made[at].at_ns, 2, "provider", "ws.open", "101", made[1].body),
    ]
    streams = (OUTPUT, APPEND)
    events = [*made[:at], *opening]
    for each in made[at:]:
        events.append(each)
        if each.sender == "provider" and each.type not in streams:
            events.append(each._replace(channel=2))
    events = [each._replace(seq=n) for n, each in enumerate(events, 1)]
    client = Application(1.0, events)
    client.start()
    client.player.receive(Message(2, "ws.open", head.encode()), client.now)
    client.hear(noise(1200), 20)
    ended_early(client)
    assert client.beside[-2:] == ["session.closed", "1000"]
    assert client.player.finished
    assert client.player.failure is not None


def test_a_close_before_its_turn_is_wrong_where_the_order_counts() -> None:
    client = Application(1.0, mode="strict")
    client.start()
    client.send("session.close", event_id="my-end")
    assert client.player.failure is not None
    assert "came before" in client.player.failure.headline


def hours(count: float) -> list[Event]:
    """A session in which both speak in turn, 3 s of 12 each; in the pieces of recorded ones."""
    spoken = [base64.b64encode(pcm.to_bytes(noise(100 + n)[:2400])).decode() for n in range(7)]
    quiet = base64.b64encode(bytes(4800)).decode()
    made: list[Event] = []

    def add(at_ms: float, sender: Any, kind: Any, type_: str, body: bytes) -> None:
        made.append(Event("t", len(made) + 1, int(at_ms * MS), 1, sender, kind, type_, body))

    @cache
    def streamed(type_: str, name: str, audio: str) -> bytes:
        return json.dumps({"type": type_, name: audio}).encode()

    def say(at_ms: float, sender: Any, type_: str, **fields: Any) -> None:
        add(at_ms, sender, "ws.text", type_, json.dumps({"type": type_, **fields}).encode())

    session = {"model": "gpt-live-1"}
    add(0, "client", "ws.open", "", RequestHead("GET", "/v1/live/sessions").encode())
    add(9, "provider", "ws.open", "101", ResponseHead(101, "Switching Protocols").encode())
    say(10, "client", "session.start", session=session)
    say(300, "provider", "session.started", event_id="event_1", session={"id": "live_1"})
    for n in range(int(count * 36_000)):
        at, phase = 320 + 100 * n, n // 30 % 4
        audio = spoken[n % 7] if phase == 0 else quiet
        add(at, "client", "ws.text", APPEND, streamed(APPEND, "audio", audio))
        audio = spoken[n % 7] if phase == 2 else quiet
        add(at + 50, "provider", "ws.text", OUTPUT, streamed(OUTPUT, "delta", audio))
    end = 320 + 100 * int(count * 36_000)
    say(end, "client", "session.close")
    say(end + 200, "provider", "session.closed", event_id="event_2", session={"id": "live_1"})
    add(end + 201, "provider", "ws.close", "1000", Close(1000).encode())
    return made


@pytest.mark.slow
def test_two_hours_are_replayed_within_three_seconds() -> None:
    """At the recorded pace on virtual time."""
    events = hours(2)
    player = Player(read_script(events, LIVE, BOOK), LIVE, BOOK, speed=1.0)
    begun, now, got = time.process_time(), 0, 0
    for event in [each for each in events if each.sender == "client"]:
        while (when := player.next_deadline()) is not None and when <= event.at_ns:
            now = max(now, when)
            got += len(player.due(now))
        now = event.at_ns
        player.receive(Message(1, event.kind, event.body), now)
        got += len(player.due(now))
    while (when := player.next_deadline()) is not None:
        got += len(player.due(when))
    used = time.process_time() - begun
    assert player.failure is None, player.report()
    assert got == 72_004
    assert used < 3.0
