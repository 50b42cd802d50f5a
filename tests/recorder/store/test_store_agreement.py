"""The store in memory and the store in a file answer alike to the same random batches."""

from __future__ import annotations

import shutil
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import NamedTuple

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from store_samples import S, T, begin, chunk, event, everything, label, raw, ref, segment

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
    *("events",) * 4,
    *("refs", "chunk", "seal", "segment") * 2,
    *("begin", "label", "end", "again", "channel", "moved"),
)
STEP = st.builds(
    Step,
    st.sampled_from(WHAT),
    st.sampled_from([S, S, T]),
    st.integers(1, 3),
    st.sampled_from([0] * 8 + [1, -1]),
)
BATCHES = st.lists(st.lists(STEP, min_size=1, max_size=5), min_size=1, max_size=8)


class Builder:
    """Makes a batch of steps that go on from what a store holds."""

    def __init__(self, store: Store) -> None:
        self.store = store
        self.batch = Batch()
        self.counts = {session: store.count(session) for session in (S, T)}
        self.ends: dict[tuple[str, int], int] = {}

    def end(self, session: str, number: int) -> int:
        stored = any(row.number == number for row in self.store.segments(session))
        return len(self.store.audio(session, number)) if stored else 0

    def add(self, step: Step) -> None:
        _, session, number, off = step
        batch = self.batch
        match step.what:
            case "begin":
                new = begin(session)
                batch.sessions += new.sessions
                batch.channels += new.channels
            case "label" | "again":
                batch.sessions.append(label(session, model=f"model {number}"))
            case "moved":
                batch.sessions.append(label(session, parent="other" if off else None))
            case "end":
                done = label(session, status="complete", events=number, digest=b"last")
                batch.sessions.append(done)
            case "channel":
                batch.channels.append(ChannelRow(session, number, "ws", "/"))
            case "segment":
                batch.segments.append(segment(number, session)._replace(channel=1 + abs(off)))
            case "events":
                first = self.counts[session] + 1 + off
                batch.events += [event(first + n, session) for n in range(number)]
                self.counts[session] += number
            case "refs":
                batch.refs.append(ref(self.counts[session] + off, number, session, number))
            case "chunk":
                start = self.ends.get((session, number), self.end(session, number))
                data = bytes([number]) * (number + off)
                batch.chunks.append(chunk(start + off, data, number, session))
                self.ends[session, number] = start + len(data)
            case "seal":
                batch.sealed.append(raw(bytes([number]) * number, number, session))


def outcome(store: Store, batch: Batch) -> bool:
    try:
        store.commit(batch)
    except StoreError:
        return False
    return True


@settings(
    max_examples=40,
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
            store.commit(begin(segments=2))
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
