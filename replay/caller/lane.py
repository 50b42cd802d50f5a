"""One WebSocket of a tape, read into what its client did and what each of it waited for."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field, replace
from typing import Literal, NamedTuple

import numpy as np

from recorder.audio import codec as coding
from recorder.events import Event
from recorder.heads import Close, RequestHead, ResponseHead
from recorder.providers.base import Provider
from recorder.providers.neutral import (
    Asked,
    Fault,
    HeardUntil,
    Interrupted,
    ToolAnswered,
    ToolCalled,
)
from replay.caller.acts import Act, Chunk, Cue, More, Result, SocketPlan, What
from replay.caller.names import ids_of
from replay.caller.perception import Heard, Seen
from replay.caller.scene import Scene
from replay.match.rulebook import Rulebook

_LOUD = 184  # RMS of -45 dBFS
_PAUSE_NS = 200_000_000  # silence after which sound may be the beginning of something said anew
_REFLEX_NS = 300_000_000  # what follows its cause faster than this does not wait for ears
_STREAM_NS = 1_000_000_000  # a pause in the stream after which the microphone was closed
_Places = dict[tuple[int, str, str], list[str]]


@dataclass
class _Speaking:
    """A `speak` that is being read."""

    seq: int
    at_ns: int
    turn: int
    cue: Cue
    chunks: list[Chunk] = field(default_factory=list)
    is_loud: bool = False
    is_listened_to: bool = False


class _State(NamedTuple):
    """What of a scene makes way for something new to be said."""

    is_ready: bool
    settings: int
    inputs: int
    begun: int
    ended: int


def _state(scene: Scene) -> _State:
    signs = scene.signs
    inputs = signs["silence"] + signs["input"]
    return _State(scene.is_ready, signs["settings"], inputs, scene.begun, scene.ended)


@dataclass
class _Call:
    """A call of a function that has no result yet."""

    told: ToolCalled
    at_ns: int


class Lane:
    """Takes the events of one socket in order."""

    def __init__(
        self,
        opening: Event,
        provider: Provider,
        book: Rulebook,
        minted: frozenset[str],
        scenes: list[Scene],
    ) -> None:
        self._opening, self._book, self._minted = opening, book, minted
        self._conduct = provider.CONDUCT
        self.scene = Scene(self._conduct, scenes)
        self._request = RequestHead.decode(opening.body)
        self._answer: ResponseHead | None = None
        self._acts: list[Act] = []
        self._results: list[Result] = []
        self._mores: list[More] = []
        self._faults: Counter[str] = Counter()
        self._ids: _Places = {}
        self._cut_turns: set[int] = set()
        self._made: dict[str, int] = {}  # the provider's ids, and when each came
        self._calls: dict[str, _Call] = {}
        self._closed: Close | None = None
        self._closed_by: Literal["client", "provider"] | None = None
        self._speaking: _Speaking | None = None
        self._audio_ns = self._streamed = 0
        self._turn = 0
        self._answered = True  # whether a reply came since the turn began
        self._moved = False  # whether something happened since the last sound began
        self._loud_ns: int | None = None
        self._chunk_ns = 0
        self._prev_ns = self._end_ns = self._opened_ns = opening.at_ns
        self._result_ns = self._done_ns = 0

    def take(self, event: Event, seen: Seen) -> None:
        """The next event, and what it means."""
        if self._closed is not None:
            return
        self._end_ns = event.at_ns
        if event.kind == "ws.open":
            self._open(event)
        elif event.kind == "ws.close":
            self._close(event)
        elif event.sender == "provider":
            self._provider(event, seen)
        elif seen.type in self._book.rules.ungated:
            self._stream(event, seen)
        else:
            self._client(event, seen)

    def _open(self, event: Event) -> None:
        if event.sender == "provider":
            self._answer = ResponseHead.decode(event.body)
            self._prev_ns = self._opened_ns = event.at_ns

    def _close(self, event: Event) -> None:
        self._closed = Close.decode(event.body)
        self._closed_by = "client" if event.sender == "client" else "provider"
        self._flush(stays_open=event.at_ns - self._chunk_ns < _STREAM_NS)
        if event.sender == "client":
            self._act(event, "close", event.type)

    # The provider's side

    def _provider(self, event: Event, seen: Seen) -> None:
        scene, now = self.scene, event.at_ns
        before, was_playing, cuts = _state(scene), scene.is_playing(now), len(scene.cuts)
        scene.provider(seen, now)
        if len(scene.cuts) > cuts:
            self._cut_turns.add(self._turn)
        after = _state(scene)
        speaks = scene.is_playing(now) and not was_playing
        self._answered = self._answered or after.begun > before.begun or speaks
        self._moved = self._moved or after != before or speaks
        if self._speaking and after.inputs > before.inputs:
            self._speaking.is_listened_to = True
        for told in seen.told:
            if isinstance(told, ToolCalled):
                self._calls[told.call] = _Call(told, event.at_ns)
            elif isinstance(told, Fault):
                self._faults[told.code] += 1
        if not self.scene.is_replying and self.scene.owes:
            self._done_ns = self._done_ns or event.at_ns
        if event.kind == "ws.text" and not seen.heard:
            self._made_ids(seen, now)

    def _made_ids(self, seen: Seen, now: int) -> None:
        if seen.type in self._book.rules.deltas:
            return
        for kind, name in ids_of(seen.body, seen.type, self._book):
            if name not in self._made and name not in self._minted:
                self._made[name] = now
                self._ids.setdefault((self.scene.turn, seen.type, kind), []).append(name)

    # The client's side

    def _client(self, event: Event, seen: Seen) -> None:
        answers = [told for told in seen.told if isinstance(told, ToolAnswered)]
        asks = seen.type in self._conduct.asks or any(isinstance(each, Asked) for each in seen.told)
        if answers and self._conduct.result:
            self._result(event, seen, answers[0])
        elif asks and self.scene.owes:
            self._more(event, seen)
        else:
            self._act(event, self._what(seen, asks), seen.type)
        self.scene.client(seen, event.at_ns)

    def _what(self, seen: Seen, asks: bool) -> What:
        if asks:
            return "ask"
        if any(isinstance(told, HeardUntil) for told in seen.told):
            return "cut"
        if any(isinstance(told, Interrupted) for told in seen.told):
            return "stop"
        return "say"

    def _result(self, event: Event, seen: Seen, told: ToolAnswered) -> None:
        call = self._calls.pop(told.call, None)
        if call is not None:
            self._result_ns = event.at_ns
            self._add_result(call, event.seq, seen.type, event.body, event.at_ns - call.at_ns)

    def _add_result(self, call: _Call, seq: int, type_: str, body: bytes, gap_ns: int) -> None:
        name, arguments = call.told.name, call.told.arguments
        self._results.append(Result(seq, self._turn, name, arguments, type_, body, gap_ns))

    def _more(self, event: Event, seen: Seen) -> None:
        waits = not self.scene.is_replying
        since = max(self._result_ns, self._done_ns if waits else 0)
        gap = event.at_ns - since if since else 0
        self._mores.append(More(event.seq, seen.type, event.body, gap, waits))
        self.scene.continued()
        self._done_ns = 0

    def _act(self, event: Event, what: What, type_: str) -> None:
        follows = type_ in self._book.rules.cuts
        own = what == "cut" and not self.scene.cuts
        turn = self._begin(what)
        cue = self._cue(event.at_ns, follows=follows, what=what)
        body = event.body
        act = Act(event.seq, event.at_ns, what, turn, cue, type_, event.kind, body)
        names = () if what in ("cut", "close") else self._names(event, type_)
        after = self._streamed if follows else 0
        if follows:
            self._flush(stays_open=False)
        self._acts.append(replace(act, own=own, names=names, after=after))
        self._prev_ns = event.at_ns
        self._moved = True
        if own:
            self.scene.interrupt(event.at_ns)
        if what == "cut" and self.scene.cuts:
            self.scene.cuts.popleft()
        if what == "ask":
            self.scene.asked()

    def _begin(self, what: What) -> int:
        """The turn that something belongs to: a new one, if a reply came to the one before."""
        if what in ("say", "ask", "speak") and self._answered:
            self._turn += 1
            self._answered = False
        return self._turn

    def _names(self, event: Event, type_: str) -> tuple[str, ...]:
        if event.kind != "ws.text" or not self._made:
            return ()
        found = {name for _, name in ids_of(event.body, type_, self._book)}
        return tuple(sorted(found & self._made.keys()))

    # What is spoken

    def _stream(self, event: Event, seen: Seen) -> None:
        loud = any(_is_loud(heard) for heard in seen.heard)
        length = sum(heard.length_ns for heard in seen.heard)
        if self._begins(event.at_ns, loud):
            self._flush(stays_open=event.at_ns - self._chunk_ns < _STREAM_NS)
            cue = self._cue(event.at_ns, what="speak")
            self._speaking = _Speaking(event.seq, event.at_ns, self._turn, cue)
            self._prev_ns, self._moved = event.at_ns, False
        speaking = self._speaking
        assert speaking is not None
        if loud and not speaking.is_loud:
            speaking.is_loud, speaking.turn = True, self._begin("speak")
            self._moved = False
            self.scene.asked()
        fields = tuple(heard.field for heard in seen.heard)
        at_ns = event.at_ns - speaking.at_ns
        speaking.chunks.append(
            Chunk(event.seq, at_ns, event.kind, event.body, fields, length, loud)
        )
        self._audio_ns += length
        self._streamed, self._chunk_ns = event.seq, event.at_ns
        if loud:
            self._loud_ns = event.at_ns + length

    def _begins(self, now: int, loud: bool) -> bool:
        """Whether a piece of audio is the beginning of something said anew."""
        if self._speaking is None:
            return True
        if not self._moved:
            return False
        was_closed = now - self._chunk_ns >= _STREAM_NS
        paused = self._loud_ns is None or now - self._loud_ns >= _PAUSE_NS
        return was_closed or (loud and paused)

    def _flush(self, *, stays_open: bool) -> None:
        speaking, self._speaking = self._speaking, None
        if speaking is not None:
            act = Act(speaking.seq, speaking.at_ns, "speak", speaking.turn, speaking.cue)
            chunks = tuple(speaking.chunks)
            listened = speaking.is_listened_to
            self._acts.append(
                replace(act, chunks=chunks, stays_open=stays_open, is_listened_to=listened)
            )

    # Causes

    def _cue(self, now: int, *, what: What, follows: bool = False) -> Cue:
        scene = self.scene
        causes = [self._prev_ns, scene.last_ns]
        if follows:
            causes.append(self._chunk_ns)
        if what == "cut" and scene.cuts:
            causes.append(scene.cuts[0].at_ns)
        is_reflex = what != "speak" and now - max(causes) <= _REFLEX_NS
        heard = None if is_reflex or what == "cut" else self._heard(now)
        played = not is_reflex and heard is None and scene.playout.count > scene.since
        if played:
            causes.append(scene.playout.ends_at)
        gap = now - max(causes)
        if heard is not None:
            reached = scene.playout.heard_at(scene.since, heard)
            gap = now - (now if reached is None else min(reached, now))
        signs = {**scene.signs, "ready": int(scene.is_ready)}
        if scene.acks and now - scene.ack_ns <= _REFLEX_NS:
            signs["acks"] = scene.acks
        return Cue(signs, scene.begun, scene.ended, heard, played, gap, now - self._prev_ns)

    def _heard(self, now: int) -> int | None:
        """How much of the reply had been heard, if it was not over."""
        scene = self.scene
        heard = scene.playout.heard_ns(scene.since, now)
        return heard if heard and (scene.is_playing(now) or scene.is_replying) else None

    def plan(self) -> SocketPlan:
        """All that was taken."""
        self._flush(stays_open=False)
        if self._conduct.result is not None:
            for call in self._calls.values():
                self._add_result(call, 0, "", b"", 0)
        return SocketPlan(
            self._opening.channel,
            self._opening.seq,
            self._opening.at_ns,
            self._end_ns,
            self._request,
            self._answer,
            tuple(sorted(self._acts, key=lambda act: act.seq)),
            tuple(self._results),
            tuple(self._mores),
            self._faults,
            {key: tuple(names) for key, names in self._ids.items()},
            frozenset(self._cut_turns),
            self._closed,
            self._closed_by,
            self._audio_ns,
            self._opened_ns - self._opening.at_ns,
            self._made,
        )


def _is_loud(heard: Heard) -> bool:
    """Whether there is more than the noise of a room: the RMS about the mean, in whole numbers."""
    size = len(heard.data) - len(heard.data) % 2 if heard.field.codec == "pcm16" else None
    samples = coding.decode(heard.data[:size], heard.field.codec).astype(np.int64)
    count, total = samples.size, int(samples.sum())
    return count > 0 and count * int(samples @ samples) - total**2 >= (count * _LOUD) ** 2
