"""A hundred replays of one long call give equal digests: `python -m benchmarks.call_digests`.

    python -m benchmarks.call_digests [--seconds N]

Ten processes, each with a hash seed of its own, play the call of `benchmarks.call_replay` ten times
on a virtual clock, in the modes that need nobody to step them, which take turns in an order of the
process's own. Each replay becomes a tape. The canonical digests (docs/digest.md) of all of these
have to be that of the tape that was played; and for each mode the SHA-256 over the time, sender,
kind and bytes of all that crossed, in order, has to be the same. Ends with 1 if they are not.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import time
from collections import Counter
from hashlib import sha256
from random import Random
from typing import NamedTuple

from benchmarks.call_replay import BOOK, OPENAI, Bench
from recorder.events import Event
from replay.digest import tape_digest
from replay.player.modes import MODES, ModeName

_PROCESSES = 10
_RUNS = 10  # in each
_MODES: tuple[ModeName, ...] = tuple(mode for mode in MODES if mode != "step")


class Outcome(NamedTuple):
    """One replay: its mode, the digest of the tape made of it, and the SHA-256 of what crossed
    (`tape` and ``""`` for the tape that is played)."""

    mode: str
    digest: str
    crossed: str


def outcome(bench: Bench, mode: ModeName) -> Outcome:
    """Play the call once."""
    crossed, tracker = sha256(), OPENAI.tracker()
    made: list[Event] = []
    for at_ns, sender, message in bench.conversation(mode):
        channel, kind, body, *_ = message
        crossed.update(
            b"%d %b %b %d\n%b" % (at_ns, sender.encode(), kind.encode(), len(body), body)
        )
        type_ = tracker.inspect(channel, sender, kind, "", body).type
        made.append(Event("made", len(made) + 1, at_ns, channel, sender, kind, type_, body))
    return Outcome(mode, tape_digest(made, OPENAI, BOOK).digest, crossed.hexdigest())


def play(place: int, seconds: int) -> None:
    """What process number `place` does: an outcome a line."""
    modes = [_MODES[(place + at) % len(_MODES)] for at in range(_RUNS)]
    Random(place).shuffle(modes)
    bench = Bench(seconds, modes[0])
    tape = tape_digest(bench.events, OPENAI, BOOK).digest
    print(json.dumps(Outcome("tape", tape, "")))
    for mode in modes:
        print(json.dumps(outcome(bench, mode)), flush=True)


def _process(place: int, seconds: int) -> list[Outcome]:
    """Let a process of its own play."""
    command = [sys.executable, "-m", __spec__.name, f"--seconds={seconds}", f"--place={place}"]
    environ = {**os.environ, "PYTHONHASHSEED": str(place)}
    done = subprocess.run(command, env=environ, stdout=subprocess.PIPE, text=True, check=True)
    return [Outcome(*json.loads(line)) for line in done.stdout.splitlines()]


def main() -> None:
    """Play all, and tell whether they are equal."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seconds", type=int, default=600)
    parser.add_argument("--place", type=int, help=argparse.SUPPRESS)
    asked = parser.parse_args()
    if asked.place is not None:
        play(asked.place, asked.seconds)
        return
    begun = time.monotonic()
    found: Counter[Outcome] = Counter()
    for place in range(1, _PROCESSES + 1):
        found.update(_process(place, asked.seconds))
        print(f"process {place} of {_PROCESSES} has ended", file=sys.stderr)
    took = time.monotonic() - begun
    replays = _PROCESSES * _RUNS
    print(f"{replays} replays of {asked.seconds} s in {_PROCESSES} processes, in {took:.0f} s")
    for (mode, digest, crossed), count in sorted(found.items()):
        print(f"{mode:>6} {count:3} x  digest {digest[:16]}  crossed {crossed[:16]}")
    digests = {each.digest for each in found}
    if len(digests) != 1 or len(found) != 1 + len(_MODES):
        raise SystemExit(1)


if __name__ == "__main__":
    main()
