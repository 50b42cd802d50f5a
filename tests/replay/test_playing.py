"""Which REST traffic is played beside a tape, and what of it is waited for."""

from __future__ import annotations

import pytest
from tapes import SECRETS

from recorder.capture.writer import Writer
from recorder.clock import VirtualClock
from recorder.heads import RequestHead, ResponseHead
from recorder.recording import Recording
from recorder.store.base import SessionRow, Store
from recorder.store.memory import MemoryStore
from replay.playing import kin_of, load_reel

_S = 10**9
CALL = "01a21102-2861-7437-af6b-e9b3c57ca391"


class Run:
    """A run of the recorder on virtual time; sessions of one request each."""

    def __init__(self) -> None:
        self.store: Store = MemoryStore()
        self._clock = VirtualClock(wall_ns=1_790_000_000 * _S)
        self._writer = Writer(self.store, self._clock, SECRETS)
        self._writer.start()

    def asks(self, at_s: float, path: str, status: int = 200, **facts: str) -> Run:
        """A session, `at_s` after the run began."""
        self._clock.advance_to(int(at_s * _S))
        tape = self._writer.open("vapi", "t", **facts)
        channel = tape.channel("http", path)
        head = RequestHead("GET", path)
        tape.record(channel, "client", "http.request", f"GET {path}", head.encode())
        answer = ResponseHead(status, "")
        tape.record(channel, "provider", "http.response", str(status), answer.encode())
        tape.end()
        return self

    def rows(self) -> list[SessionRow]:
        self._writer.close()
        return list(self.store.sessions())


def test_what_followed_a_tape_at_once_is_waited_for() -> None:
    run = Run().asks(0, "/assistant").asks(1, f"/call/{CALL}", external_id=CALL)
    run.asks(5, "/call").asks(60, "/tool")
    reel = load_reel(run.store, run.rows()[1])
    assert [each.request.path for each in reel.spare] == ["/assistant", "/call", "/tool"]
    assert [each.request.path for each in reel.after] == ["/call"]


def test_with_another_conversation_in_the_run_nothing_is() -> None:
    run = Run().asks(1, f"/call/{CALL}", external_id=CALL).asks(5, "/call")
    run.asks(9, "/call/b", external_id="b")
    reel = load_reel(run.store, run.rows()[0])
    assert [each.request.path for each in reel.spare] == ["/call"]
    assert reel.after == ()


def test_pulled_calls_are_not_beside_one_another() -> None:
    run = Run().asks(1, f"/call/{CALL}", external_id=CALL, origin="pull")
    run.asks(2, "/call", origin="pull").asks(3, "/call/b", 404, external_id="b", origin="pull")
    row, listed, _ = run.rows()
    assert kin_of(run.store, row) == [listed]


def test_calls_of_which_nothing_was_refused_are_not_read(monkeypatch: pytest.MonkeyPatch) -> None:
    run = Run().asks(1, f"/call/{CALL}", external_id=CALL)
    run.asks(2, "/call/b", external_id="b").asks(3, "/call/c", 404, external_id="c")
    row, _, refused = run.rows()
    read: list[str] = []
    events = Recording.events
    monkeypatch.setattr(
        Recording, "events", lambda self, *more: (read.append(self.id), events(self, *more))[1]
    )
    reel = load_reel(run.store, row)
    assert read == [row.id, refused.id]
    assert [each.response.status for each in reel.spare] == [404]
