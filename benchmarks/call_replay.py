"""A ten-minute duplex call in virtual time: `python -m benchmarks.call_replay`.

    python -m benchmarks.call_replay [--seconds N] [--rounds N] [--mode NAME]

One message of 20 ms of audio after the other both ways, some 60,000 in ten minutes, at the recorded
pace on a virtual clock. Rows take turns; figures are CPU seconds, the median with the least and the
most, and how many times the first row they are, because machines differ and have moods:

* walk: what nothing can be quicker than: every message is compared with its copy;
* read: a tape, given as its events, becomes a script;
* provider: `Player` alone, given the client's messages at their times;
* other cuts: the same, of a client that cuts its audio otherwise, so that all of it is decoded;
* both: `Player` and a client that knows its messages and times, through `replay.loopback`;
* caller: `Player` and the client of `replay run`, through `replay.loopback`.

The client's messages are copies, so that none is found equal by being the same object.
"""

from __future__ import annotations

import argparse
import gc
import json
import statistics
import time
from collections.abc import Callable, Iterator, Sequence

from pybase64 import b64decode, b64encode

from benchmarks.call_tape import openai_call
from recorder.events import Event, Machine, Message
from recorder.providers import provider
from replay.caller import Caller, read_plan
from replay.caller.budget import Budget
from replay.caller.machine import Options
from replay.loopback import Crossing, Loopback
from replay.match.rulebook import Rulebook
from replay.player import Player
from replay.player.modes import MODES, ModeName
from replay.script import read_script

_NS = 1_000_000_000
OPENAI = provider("openai")
BOOK = Rulebook(OPENAI.RULES)
Timed = tuple[int, Message]


class Taped:
    """The client's side, by heart."""

    def __init__(self, said: Sequence[Timed]) -> None:
        self._rest = iter(said)
        self._next = next(self._rest, None)

    def receive(self, message: Message, now: int) -> None:
        """Nothing is listened to."""

    def due(self, now: int) -> list[Message]:
        """What was said by `now`."""
        messages: list[Message] = []
        while (said := self._next) is not None and said[0] <= now:
            messages.append(said[1])
            self._next = next(self._rest, None)
        return messages

    def next_deadline(self) -> int | None:
        """When the next was said."""
        return None if self._next is None else self._next[0]


class Bench:
    """The rows, each of which does its work once and gives its CPU seconds."""

    def __init__(self, seconds: int, mode: ModeName) -> None:
        self.events = openai_call(seconds)
        self._mode: ModeName = mode
        self._limit_ns = (seconds + 120) * _NS
        self._script = read_script(self.events, OPENAI, BOOK)
        self._said = [
            (event.at_ns, Message(1, event.kind, bytes(bytearray(event.body))))
            for event in self.events
            if event.sender == "client"
        ]
        self._recut = recut(self._said)

    def walk(self) -> float:
        """Compare."""
        recorded = [event.body for event in self.events]
        said = [bytes(bytearray(body)) for body in recorded]
        begun = time.process_time()
        if not all(one == other for one, other in zip(recorded, said, strict=True)):
            raise SystemExit("the copies differ")
        return time.process_time() - begun

    def read(self) -> float:
        """Make the script."""
        begun = time.process_time()
        read_script(self.events, OPENAI, BOOK)
        return time.process_time() - begun

    def provider(self) -> float:
        """Play alone."""
        return self._play(self._said)

    def other_cuts(self) -> float:
        """Play alone to a client with other chunks."""
        return self._play(self._recut)

    def both(self) -> float:
        """Play against a client that knows its messages."""
        return self._converse(Taped(self._said))

    def caller(self) -> float:
        """Play against the client of `replay run`."""
        plan = read_plan(self.events, OPENAI, BOOK)
        limit_s = self._limit_ns / _NS
        return self._converse(Caller(plan, OPENAI, BOOK, Options("", limit_s), Budget()))

    def conversation(self, mode: ModeName) -> Iterator[Crossing]:
        """What crosses when the call is played in a mode to a client that knows its messages;
        SystemExit if it is not all of the tape."""
        player = Player(self._script, OPENAI, BOOK, speed=1.0, mode=mode)
        yield from Loopback(Taped(self._said), player, limit_ns=self._limit_ns)
        _check(player)

    def _player(self) -> Player:
        return Player(self._script, OPENAI, BOOK, speed=1.0, mode=self._mode)

    def _play(self, said: Sequence[Timed]) -> float:
        player, count = self._player(), 0
        begun = time.process_time()
        for at_ns, message in said:
            while (deadline := player.next_deadline()) is not None and deadline < at_ns:
                count += len(player.due(deadline))
            player.receive(message, at_ns)
            count += len(player.due(at_ns))
        took = time.process_time() - begun
        _check(player)
        return took

    def _converse(self, client: Machine) -> float:
        player = self._player()
        begun = time.process_time()
        for _ in Loopback(client, player, limit_ns=self._limit_ns):
            pass
        took = time.process_time() - begun
        _check(player)
        return took


def recut(said: Sequence[Timed]) -> list[Timed]:
    """The same audio in messages of 30 ms, which need not be where the others are."""
    audio, made = bytearray(), list[Timed]()
    for at_ns, message in said:
        if message.body.startswith(b'{"type":"input_audio_buffer.append"'):
            audio += b64decode(json.loads(message.body)["audio"])
            while len(audio) >= 1440:
                piece, audio = audio[:1440], audio[1440:]
                text = b64encode(piece).decode()
                event = {"type": "input_audio_buffer.append", "audio": text}
                made.append((at_ns, message._replace(body=json.dumps(event).encode())))
        else:
            made.append((at_ns, message))
    return made


def _check(player: Player) -> None:
    """SystemExit if not all of the tape was played."""
    if player.failure or not player.finished or player.used != player.total:
        raise SystemExit(player.report())


def main() -> None:
    """Print the rows."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seconds", type=int, default=600)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--mode", choices=[mode for mode in MODES if mode != "step"])
    asked = parser.parse_args()
    bench = Bench(asked.seconds, asked.mode or "causal")
    rows: dict[str, Callable[[], float]] = {
        "walk": bench.walk,
        "read": bench.read,
        "provider": bench.provider,
        "other cuts": bench.other_cuts,
        "both": bench.both,
        "caller": bench.caller,
    }
    figures: dict[str, list[float]] = {name: [] for name in rows}
    gc.collect()
    gc.freeze()  # as a server does once it has read its tape
    for _ in range(asked.rounds):
        for name, row in rows.items():
            figures[name].append(row())
    _tell(bench.events, figures)


def _tell(events: Sequence[Event], figures: dict[str, list[float]]) -> None:
    length = events[-1].at_ns / _NS
    print(f"{len(events)} events, {length:.0f} s; CPU seconds")
    base = statistics.median(figures["walk"])
    for name, took in figures.items():
        median = statistics.median(took)
        times = f"{median / base:5.1f} x"
        print(f"{name:>10}  {median:.3f} ({min(took):.3f}-{max(took):.3f})  {times}")


if __name__ == "__main__":
    main()
