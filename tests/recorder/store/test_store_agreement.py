"""The store in memory and the store in a file answer alike to the same random batches."""

from __future__ import annotations

import shutil
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import NamedTuple

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from store_samples import S, T, begin, chunk, events, everything, label, raw, ref, segment
from thoroughness import examples

from recorder.errors import StoreError
from recorder.store import open_store
from recorder.store.base import Batch, ChannelRow, RunRow, Store


class Step(NamedTuple):
    """One thing a batch does: `off` is 0 where it fits what is stored, mostly."""

    what: str
    session: str
    number: int
    off: int


WHAT = (
    *("events", "events", "ref", "spoken", "spoken", "chunk", "chunk"),
    *("seal", "segment", "channel", "label", "end"),
)
STEP = st.builds(
    Step,
    st.sampled_from(WHAT),
    st.sampled_from([S, T]),
    st.integers(1, 3),
    st.sampled_from([0] * 18 + [1, -1]),
)
BATCHES = st.lists(st.lists(STEP, min_size=1, max_size=5), min_size=1, max_size=8)


class Builder:
    """Makes a batch of steps that go on from what a store holds, and fit it where `off` is 0."""

    def __init__(self, store: Store) -> None:
        self.batch = Batch()
        self.begun = {row.id: row for row in store.sessions()}
        self.counts = {session: store.count(session) for session in (S, T)}
        self.channels = {session: len(store.channels(session)) for session in (S, T)}
        self.segments = {session: len(store.segments(session)) for session in (S, T)}
        self.open = {
            session: {
                row.number: len(store.audio(session, row.number))
                for row in store.segments(session)
                if store.sealed(session, row.number) is None
            }
            for session in (S, T)
        }
        self.refs = 0

    def add(self, step: Step) -> None:
        if step.session in self.begun or step.off:
            getattr(self, step.what)(step.session, step.number, step.off)
        else:
            self.begin(step.session)

    def begin(self, session: str) -> None:
        new = begin(session)
        self.batch.sessions += new.sessions
        self.batch.channels += new.channels
        self.batch.segments += new.segments
        self.begun[session] = new.sessions[0]
        self.channels[session] = self.segments[session] = 1
        self.open[session][1] = 0

    def label(self, session: str, number: int, off: int) -> None:
        self.batch.sessions.append(label(session, model=f"m{number}", parent="x" if off else None))

    def end(self, session: str, number: int, off: int) -> None:
        digest = None if off else bytes([number])
        self.batch.sessions.append(label(session, status="complete", digest=digest))

    def channel(self, session: str, number: int, off: int) -> None:
        self.channels[session] += 1
        row = ChannelRow(session, self.channels[session] + off, "http", f"/{number}")
        self.batch.channels.append(row)

    def segment(self, session: str, number: int, off: int) -> None:
        self.segments[session] += 1
        new = self.segments[session] + off
        self.batch.segments.append(segment(new, session)._replace(channel=1 if off < 1 else 9))
        self.open[session][new] = 0

    def events(self, session: str, number: int, off: int) -> None:
        first = self.counts[session] + 1
        rows = events(first + off, first + off + number - 1, session)
        self.batch.events += [row._replace(channel=self.channels[session] or 1) for row in rows]
        self.counts[session] += number

    def ref(self, session: str, number: int, off: int) -> None:
        first = self.counts[session] + 1
        self.events(session, number, 0)
        self.refs += 1
        segment = self.segments[session] or number
        self.batch.refs.append(ref(first + off * number, self.refs, session, segment))

    def spoken(self, session: str, number: int, off: int) -> None:
        """Two events with one piece of audio each, whose bodies may be the same, or no text."""
        first = self.counts[session] + 1
        self.events(session, 2, 0)
        body, data = (("same", None), ("", None), (None, b"\0"))[number - 1]
        self.batch.events[-2:] = [
            row._replace(body=body, raw=data) for row in self.batch.events[-2:]
        ]
        segment = self.segments[session] or number
        self.batch.refs += (ref(first + n, 0, session, segment) for n in (0, 1 + off))

    def chunk(self, session: str, number: int, off: int) -> None:
        segment = min(self.open[session], default=number)
        start = self.open[session].get(segment, 0)
        data = bytes([number]) * (number - 1)
        self.batch.chunks.append(chunk(start + off, data, segment, session))
        self.open[session][segment] = start + len(data)

    def seal(self, session: str, number: int, off: int) -> None:
        segment = min(self.open[session], default=number)
        self.batch.sealed.append(raw(bytes([number]) * number, segment + off, session))


def outcome(store: Store, batch: Batch) -> bool:
    try:
        store.commit(batch)
    except StoreError:
        return False
    return True


@settings(
    max_examples=examples(40),
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(batches=BATCHES)
def test_both_stores_agree(empty_file: Path, batches: list[list[Step]]) -> None:
    with TemporaryDirectory() as folder:
        path = shutil.copy(empty_file, folder)
        memory = open_store("memory:", create=True)
        file = open_store(path, create=False)
        for store in (memory, file):
            store.commit(begin())
        for number, steps in enumerate(batches):
            builder = Builder(memory)
            for step in steps:
                builder.add(step)
            assert outcome(memory, builder.batch) == outcome(file, builder.batch)
            for store in (memory, file):
                store.put_run(RunRow(f"run {number % 3}", "host", number, 1, number))
                store.put_setting(f"name {number % 3}", bytes([number]))
                assert store.setting("name 0") == b"\x00"
            assert everything(memory) == everything(file)
        file.close()
        again = open_store(path, create=False, readonly=True)
        assert everything(again) == everything(memory)
        again.close()
