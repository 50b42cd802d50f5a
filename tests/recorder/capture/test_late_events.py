"""Events that are kept until their tape is known: when they happened, not when they were told."""

from __future__ import annotations

from contextlib import closing
from pathlib import Path

from tapes import SECRETS

from recorder.capture.proxy.legs import Leg, lay
from recorder.capture.writer import Writer
from recorder.clock import VirtualClock
from recorder.recording import Recording
from recorder.store import open_store
from recorder.verify import verify


def test_legs_are_laid_in_the_order_of_their_moments(tmp_path: Path) -> None:
    clock = VirtualClock(now_ns=5_000)
    with closing(open_store(str(tmp_path / "x.db"), create=True)) as store:
        writer = Writer(store, clock, SECRETS)
        writer.start()
        wall = clock.wall_ns()
        legs = [Leg(writer.now_ns, "webhook", "/a"), Leg(writer.now_ns, "http", "/b")]
        for moment, leg in ((6_000, legs[0]), (7_000, legs[1]), (8_000, legs[0])):
            clock.advance_to(moment)
            leg.record("provider", "note", "kept", b"%d" % moment)
        legs[0].end()
        clock.advance_to(20_000)
        tape = writer.open_since(legs[0].began_ns, "vapi", "trial")
        lay(tape, legs)
        clock.advance_to(21_000)
        legs[1].record("provider", "note", "direct", b"21000")
        legs[1].hold()
        legs[1].record("provider", "note", "held", b"21000 too")
        lay(tape, [legs[1]])
        writer.close()
        (row,) = store.sessions()
        assert row.wall_ns == wall
        told = [
            (event.at_ns, event.channel, event.body) for event in Recording(store, row.id).events()
        ]
        assert told == [
            (1_000, 1, b"6000"),
            (2_000, 2, b"7000"),
            (3_000, 1, b"8000"),
            (16_000, 2, b"21000"),
            (16_000, 2, b"21000 too"),
        ]
        assert verify(store, row).fault is None


def test_nothing_comes_before_the_end_of_what_was_taken_up(tmp_path: Path) -> None:
    clock = VirtualClock(now_ns=0)
    with closing(open_store(str(tmp_path / "x.db"), create=True)) as store:
        writer = Writer(store, clock, SECRETS)
        writer.start()
        tape = writer.open("vapi", "trial")
        channel = tape.channel("http", "/")
        clock.advance_to(9_000)
        tape.record(channel, "client", "note", "last", b"")
        tape.end()
        writer.flush()
        (row,) = store.sessions()
        again = writer.reopen(row, 1)
        again.record_late(2_000, again.channel("webhook", "/"), "provider", "note", "late", b"")
        writer.close()
        times = [event.at_ns for event in Recording(store, row.id).events()]
        assert times == [9_000, 9_000]
