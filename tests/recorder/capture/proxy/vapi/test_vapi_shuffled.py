"""Deliveries in any order: each has its place, and what is read of a call comes out the same.

The proxy's own handlers take them, on a loop whose time is virtual; Vapi is a promise of an answer,
and the writer's ledger works in this process on a store in memory.
"""

from __future__ import annotations

import asyncio
import json
import selectors
from collections import Counter
from collections.abc import AsyncIterator, Callable, Iterable, Sequence
from contextlib import asynccontextmanager, closing
from types import SimpleNamespace
from typing import Any, NamedTuple
from unittest.mock import Mock

import pytest
from aiohttp import HttpVersion11, StreamReader, web
from aiohttp.abc import AbstractStreamWriter
from aiohttp.http import RawRequestMessage
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from multidict import CIMultiDict
from thoroughness import examples
from yarl import URL

from recorder.capture.ledger import Ledger
from recorder.capture.opening import TapeOpener
from recorder.capture.proxy import tapes
from recorder.capture.proxy.destinations import Destinations
from recorder.capture.proxy.exchange import Exchanges
from recorder.capture.proxy.options import ProxyOptions
from recorder.capture.proxy.tapes import Tapes
from recorder.capture.proxy.webhooks import Deliveries
from recorder.events import Event
from recorder.providers.vapi.account import Account, account
from recorder.providers.vapi.webhooks import unwrapped
from recorder.recording import Recording
from recorder.redact import Secrets
from recorder.store.memory import MemoryStore
from recorder.verify import verify

WALL_NS = 1_795_000_000_000_000_000
VAPI = "http://vapi.example"
_PROTOCOL: Any = Mock(transport=None, ssl_context=None, peername=None)
Json = dict[str, Any]


def call_id(number: int) -> str:
    """A call's id, as young as the run."""
    return (
        f"{WALL_NS // 10**6:012x}"[:8]
        + f"-{(WALL_NS // 10**6) & 0xFFFF:04x}-7000-8000-{number:012x}"
    )


FIRST, SECOND, STRANGER = map(call_id, (1, 2, 3))


class VirtualLoop(asyncio.SelectorEventLoop):
    """A loop whose time passes while nobody has anything to do, and whose threads are none."""

    def __init__(self) -> None:
        super().__init__(_Selector(self))
        self.now_s = 0.0

    def time(self) -> float:
        return self.now_s

    def run_in_executor(self, executor: Any, function: Callable[..., Any], *args: Any) -> Any:
        done = self.create_future()
        done.set_result(function(*args))
        return done


class _Selector(selectors.SelectSelector):
    def __init__(self, loop: VirtualLoop) -> None:
        super().__init__()
        self._loop = loop

    def select(self, timeout: float | None = None) -> list[Any]:
        assert timeout is not None, "everybody waits for somebody else"
        self._loop.now_s += max(timeout, 0)
        return super().select(0)


class LoopClock:
    """The time of a loop."""

    def __init__(self, loop: VirtualLoop) -> None:
        self._loop = loop

    def now_ns(self) -> int:
        return int(self._loop.now_s * 1e9)

    def wall_ns(self) -> int:
        return WALL_NS + self.now_ns()


class Books(TapeOpener):
    """The writer, without a process or a thread."""

    store_url = "memory:"

    def __init__(self, loop: VirtualLoop) -> None:
        clock = LoopClock(loop)
        super().__init__(clock)
        self.store = MemoryStore()
        self._items: list[Any] = []
        self._ledger = Ledger(self.store, clock, Secrets(b"key"), "end", self._failed)
        self._ledger.start(self.run)

    def put(self, item: Any, size: int) -> None:
        self._items.append(item)

    async def drained(self) -> None:
        self.write()

    def write(self) -> None:
        items, self._items = self._items, []
        self._ledger.write(items, more=False)

    def close(self) -> None:
        """End what is open."""
        for tape in list(self._tapes.values()):
            tape.end()
        self.write()
        self._ledger.finish()


class Step(NamedTuple):
    """Something that happens `at_s`: a delivery, or a request that is answered after `takes_s`."""

    at_s: float
    body: Json
    takes_s: float = 0.0
    path: str = ""
    status: int = 200


class Vapi:
    """The HTTP client of a proxy, with Vapi behind it."""

    def __init__(self) -> None:
        self.http = self
        self.steps: list[Step] = []

    @asynccontextmanager
    async def request(
        self, method: str, url: Any, *, headers: Any, **_: Any
    ) -> AsyncIterator[SimpleNamespace]:
        step = self.steps[int(headers["x-step"])]
        await asyncio.sleep(step.takes_s)
        yield SimpleNamespace(
            status=step.status,
            reason="",
            raw_headers=((b"content-type", b"application/json"),),
            content=_stream(json.dumps(step.body).encode()),
        )


def _stream(data: bytes) -> StreamReader:
    reader = StreamReader(_PROTOCOL, 1 << 20)
    reader.feed_data(data)
    reader.feed_eof()
    return reader


class House:
    """The proxy's handlers between Vapi and nobody."""

    def __init__(self, loop: VirtualLoop) -> None:
        self.books, self.vapi = Books(loop), Vapi()
        self._tapes = Tapes(self.books, "tests")  # type: ignore[arg-type]
        options, to = ProxyOptions(), Destinations({"vapi": VAPI})
        self._to = to.find("/vapi/call")
        self._deliveries = Deliveries(self._tapes, self.vapi, options)  # type: ignore[arg-type]
        self._exchanges = Exchanges(self._tapes, self.vapi, to, options)  # type: ignore[arg-type]

    async def run(self, steps: Iterable[Step]) -> None:
        """Let everything happen at its time, then end."""
        tasks = [asyncio.create_task(self._happen(step)) for step in steps]
        await asyncio.gather(*tasks)
        await asyncio.sleep(60)
        await self._deliveries.stop()
        self.books.close()

    async def _happen(self, step: Step) -> None:
        await asyncio.sleep(step.at_s)
        method, _, path = step.path.rpartition(" ")
        if not method:
            body = json.dumps({"message": step.body}).encode()
            answer = await self._deliveries.handle(_request("POST", "/webhooks/vapi", body))
            assert answer.status == 200
            return
        self.vapi.steps.append(step)
        assert self._to
        body = b"{}" if method == "POST" else b""
        number = str(len(self.vapi.steps) - 1)
        asked = _request(method, f"/vapi{path}", body, {"x-step": number})
        await self._exchanges.handle(asked, self._to)


class _Nobody(AbstractStreamWriter):
    """Whoever asked, and does not listen."""

    async def write(self, chunk: Any) -> None: ...

    async def write_eof(self, chunk: bytes = b"") -> None: ...

    async def drain(self) -> None: ...

    def enable_compression(
        self, encoding: str = "deflate", strategy: int | None = None
    ) -> None: ...

    def enable_chunking(self) -> None: ...

    async def write_headers(self, status_line: str, headers: Any) -> None: ...


def _request(method: str, path: str, body: bytes, more: dict[str, str] | None = None) -> Any:
    headers = CIMultiDict({"Content-Length": str(len(body)), **(more or {})})
    raw = tuple((name.encode(), value.encode()) for name, value in headers.items())
    message = RawRequestMessage(
        method, path, HttpVersion11, headers, raw, False, None, False, False, URL(path)
    )
    task: Any = asyncio.current_task()
    payload, loop = _stream(body), asyncio.get_running_loop()
    return web.BaseRequest(message, payload, _PROTOCOL, _Nobody(), task, loop)


# What happens


def report(call: str, *, settled: bool) -> Json:
    """What is told of a call when it is over; its costs settle later."""
    costs = [{"type": "transport", "cost": 0.01}, {"type": "vapi", "cost": 0.05}] if settled else []
    return {
        "endedReason": "customer-ended-call",
        "cost": 0.06 if settled else 0,
        "costs": costs,
        "messages": [{"role": "user", "message": f"Hello from {call}."}],
        "durationSeconds": 12.5,
    }


def told_of(call: str) -> list[Json]:
    """The webhooks of a call."""
    of_call: Json = {"call": {"id": call}}
    return [
        {"type": "assistant-request", **of_call},
        {"type": "status-update", "status": "in-progress", **of_call},
        {"type": "transcript", "transcript": "Hello.", **of_call},
        {"type": "tool-calls", "toolCallList": [], "call": {"id": call.upper()}},
        {
            "type": "status-update",
            "status": "ended",
            "endedReason": "customer-ended-call",
            **of_call,
        },
        {"type": "end-of-call-report", **report(call, settled=False), **of_call},
        {"type": "end-of-call-report", **report(call, settled=True), **of_call},
    ]


_SOON_S = 0.0001  # after what makes it possible
WITHOUT_CALL: list[Json] = [{"type": "campaign.predial"}, {"type": "chat.created", "chat": {}}]
moments = st.sampled_from([0.0, 0.001, 0.5, 3.0, 9.0, 29.5, 30.5, 31.0, 45.0, 400.0])
latencies = st.sampled_from([0.0, 0.002, 1.0, 8.0])


@st.composite
def schedules(draw: st.DrawFn) -> list[Step]:
    """Two calls that are made, one that fails, one made elsewhere: every delivery comes once or
    twice, at any time from the request that makes its call on; they are numbered."""
    steps: list[Step] = []
    for call in (FIRST, SECOND):
        began, takes = draw(moments), draw(latencies)
        steps.append(Step(began, {"id": call, "status": "queued"}, takes, "POST /call", 201))
        later = began + takes + _SOON_S + draw(moments)
        ended = {"id": call, "status": "ended", **report(call, settled=True)}
        steps.append(Step(later, ended, draw(latencies), f"GET /call/{call}"))
        steps += _sent(draw, told_of(call), began)
    error = {"statusCode": 400, "message": "no", "error": "Bad Request"}
    steps.append(Step(draw(moments), error, draw(latencies), "POST /call", 400))
    steps += _sent(draw, told_of(STRANGER), 0)
    steps += _sent(draw, WITHOUT_CALL, 0)
    numbered = [
        step._replace(body={**step.body, "number": at}) if not step.path else step
        for at, step in enumerate(steps)
    ]
    return draw(st.permutations(numbered))


def _sent(draw: st.DrawFn, bodies: Sequence[Json], since_s: float) -> list[Step]:
    return [
        Step(since_s + _SOON_S + draw(moments), body)
        for body in bodies
        for _ in range(draw(st.integers(1, 2)))
    ]


class _Reader:
    """A store opened once more."""

    def __init__(self, store: MemoryStore) -> None:
        self.sessions, self.channels = store.sessions, store.channels

    def close(self) -> None:
        """The store itself stays open."""


def played(steps: Sequence[Step]) -> MemoryStore:
    """The store after all of it."""
    loop = VirtualLoop()
    with pytest.MonkeyPatch.context() as patch, closing(loop):
        house = House(loop)
        patch.setattr(tapes, "open_store", lambda url, **_: _Reader(house.books.store))
        loop.run_until_complete(house.run(steps))
    return house.books.store


def deliveries(events: Iterable[Event]) -> list[Json]:
    """The messages of webhooks."""
    hooks: set[int] = set()
    found = []
    for event in events:
        if event.kind == "webhook.request":
            hooks.add(event.channel)
        elif event.channel in hooks and event.sender == "provider" and event.body:
            found.append(dict(unwrapped(event.body)))
    return found


def settled_account(events: Iterable[Event]) -> Account:
    """What is known of a call in the end: the fullest of all that was told of it."""
    told = [unwrapped(event.body) for event in events if event.kind == "http.chunk" and event.body]
    found = [account(each) for each in told]
    return max(found, key=lambda each: (each.total_usd or 0, len(each.lines), len(each.messages)))


def statuses(events: Iterable[Event]) -> set[tuple[str, str]]:
    return {
        (each["status"], each.get("endedReason", ""))
        for each in deliveries(events)
        if "status" in each
    }


@settings(max_examples=examples(60), deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(schedules())
def test_every_delivery_has_one_place_and_all_orders_read_alike(
    steps: list[Step],
) -> None:
    store = played(steps)
    tapes_of = {row.id: list(Recording(store, row.id).events()) for row in store.sessions()}
    rows = {row.id: row for row in store.sessions()}
    for row in rows.values():
        assert verify(store, row).fault is None
        assert row.status == "complete"
        times = [event.at_ns for event in tapes_of[row.id]]
        assert times == sorted(times)
    held = Counter(each["number"] for events in tapes_of.values() for each in deliveries(events))
    assert held == {step.body["number"]: 1 for step in steps if not step.path}
    for call in (FIRST, SECOND, STRANGER):
        (row,) = [row for row in rows.values() if row.external_id == call]
        events = tapes_of[row.id]
        _assert_all_of(call, events, steps)
        expected = account(report(call, settled=True))
        assert settled_account(events) == expected
        assert statuses(events) == {("in-progress", ""), ("ended", "customer-ended-call")}
    nameless = [row for row in rows.values() if row.external_id is None]
    kinds = sorted(len(deliveries(tapes_of[row.id])) for row in nameless)
    without = [step for step in steps if not step.path and "call" not in step.body]
    assert kinds == [0, len(without)]  # the request that failed, and the control traffic


def _assert_all_of(call: str, events: Sequence[Event], steps: Iterable[Step]) -> None:
    """A tape has what was sent of a call, and its requests if it was made here."""
    sent = [
        step.body
        for step in steps
        if not step.path and step.body.get("call", {}).get("id", "").lower() == call
    ]
    key = lambda body: body["number"]  # noqa: E731
    assert sorted(deliveries(events), key=key) == sorted(sent, key=key)
    requests = [event.type for event in events if event.kind == "http.request"]
    assert sorted(requests) == ([] if call == STRANGER else ["GET /call/{id}", "POST /call"])
