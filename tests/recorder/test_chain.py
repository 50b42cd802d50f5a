"""The digest chain: each scheme has its own links, and a tape goes on by the one it began with."""

from __future__ import annotations

from hashlib import sha256
from pathlib import Path

import pytest

from recorder.capture.importers.folder import read_document, take_in_folder
from recorder.capture.ledger import Ledger
from recorder.capture.resume import recover
from recorder.capture.runs import this_run
from recorder.capture.tap import Order
from recorder.chain import LINK_BYTES, SCHEME, UnknownScheme, genesis, link, links
from recorder.clock import SystemClock
from recorder.errors import ImportFailed
from recorder.events import Event
from recorder.export import export_session
from recorder.redact import Secrets
from recorder.store.base import Batch, RunRow, SessionRow
from recorder.store.memory import MemoryStore
from recorder.verify import verify

SECRETS = Secrets(b"key of these tests")
EVENT = Event("s", 1, 20, 3, "client", "ws.text", "type", "bödy".encode())
HEAD = b"1\n20\n3\nclient\nws.text\ntype\n5\n"


@pytest.mark.parametrize(("scheme", "size"), LINK_BYTES.items())
def test_a_link_is_the_beginning_of_a_hash_over_all_before_it(scheme: str, size: int) -> None:
    first = genesis(scheme, "s", "openai", 7)
    assert first == sha256(f"{scheme}\ns\nopenai\n7".encode()).digest()[:size]
    assert link(first, *EVENT[1:]) == sha256(first + HEAD + EVENT.body).digest()[:size]
    long = EVENT._replace(body=bytes(100_000))
    head = HEAD.replace(b"\n5\n", b"\n100000\n")
    assert link(first, *long[1:]) == sha256(first + head + long.body).digest()[:size]


@pytest.mark.parametrize("scheme", LINK_BYTES)
def test_links_are_those_of_one_event_after_the_other(scheme: str) -> None:
    first = genesis(scheme, "s", "openai", 7)
    bodies = ("bödy".encode(), b"", bytes(100_000))
    made = links(first, 4, (20, 20, 1 << 62), 3, "client", "ws.text", "type", bodies)
    expected = []
    for seq, at_ns, body in zip((4, 5, 6), (20, 20, 1 << 62), bodies, strict=True):
        expected.append(link(expected[-1] if expected else first, seq, at_ns, *EVENT[3:7], body))
    assert made == expected


def test_an_unknown_scheme_is_named() -> None:
    with pytest.raises(UnknownScheme, match=r"session s is of scheme 'sha256/3', .*: use the"):
        genesis("sha256/3", "s", "openai", 7)


def _write(store: MemoryStore, row: SessionRow, bodies: list[bytes]) -> SessionRow:
    """Begin `row`, or take it up again, and end it after `bodies`."""
    ledger = Ledger(store, SystemClock(), SECRETS, "end", lambda *_: None)
    run = this_run(SystemClock())
    ledger.start(run)
    kept = store.session(row.id) or row
    taken_up = kept._replace(run=run.id, status="recording", events=None, digest=None)
    events = [(1, 5, 1, "client", "ws.text", "", body) for body in bodies]
    channels = [] if store.channels(row.id) else [Order(1, "channel", (1, "ws", "/"))]
    orders = [Order(1, "begin", taken_up), *channels, *events, Order(1, "end", "complete")]
    ledger.write(orders, more=False)  # type: ignore[arg-type]
    ledger.finish()
    found = store.session(row.id)
    assert found
    return found


@pytest.mark.parametrize(("scheme", "size"), LINK_BYTES.items())
def test_a_tape_goes_on_by_the_scheme_it_began_with(scheme: str, size: int, tmp_path: Path) -> None:
    store, clock = MemoryStore(), SystemClock()
    row = SessionRow("01m88b4vfrjehr6we71z4tvtsa", "t", "openai", 9, scheme, "r")
    _write(store, row, [b"one"])
    ended = _write(store, row, [b"two", b"three"])
    assert (ended.scheme, ended.events, ended.digest and len(ended.digest)) == (scheme, 3, size)
    assert {len(event.digest) for event in store.events(row.id)} == {size}
    assert verify(store, ended).fault is None
    export_session(store, ended, tmp_path / "tape", clock.wall_ns())
    again, document = MemoryStore(), read_document(tmp_path / "tape")
    taken = take_in_folder(again, clock, SECRETS, tmp_path / "tape", document)
    assert (taken.row.scheme, taken.row.digest) == (scheme, ended.digest)
    assert verify(again, taken.row).fault is None


def test_a_tape_is_not_proved_by_another_scheme(tmp_path: Path) -> None:
    store = MemoryStore()
    row = SessionRow("01m88b4vfrjehr6we71z4tvtsa", "t", "openai", 9, SCHEME, "r")
    ended = _write(store, row, [b"one"])
    export_session(store, ended, tmp_path / "tape", 10)
    document = read_document(tmp_path / "tape")
    other = document._replace(row=document.row._replace(scheme="sha256/1"))
    with pytest.raises(ImportFailed, match=r"event 1 .* differs"):
        take_in_folder(MemoryStore(), SystemClock(), SECRETS, tmp_path / "tape", other)


def test_a_dead_recording_of_an_unknown_scheme_is_left_alone() -> None:
    store = MemoryStore()
    store.put_run(RunRow("dead", "nowhere", 1, 0, 0))
    known = SessionRow("01known", "t", "openai", 9, SCHEME, "dead")
    for row in (known, known._replace(id="02other", scheme="sha256/3")):
        store.commit(Batch(sessions=[row]))
    assert recover(store, SystemClock().wall_ns(), SECRETS) == ["01known"]
    assert [row.status for row in store.sessions()] == ["interrupted", "recording"]
