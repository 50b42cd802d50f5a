"""A simulated Vapi without sockets, and pulls from it, on a virtual clock."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any, NamedTuple

import httpx

from recorder.clock import VirtualClock
from recorder.events import Machine, Message
from recorder.heads import Close, RequestHead, ResponseHead
from recorder.providers import provider
from recorder.pull.client import Api
from recorder.pull.pacing import Pacer
from recorder.pull.puller import Puller, Tally, Wish
from recorder.pull.shelf import Shelf
from recorder.pull.stored import Told, exchanges
from recorder.redact import Secrets
from recorder.store import open_store
from recorder.store.base import SessionRow, Store
from replay.simulators.vapi import Options, VapiSimulator

WALL = 1_795_000_000_000_000_000
KEY = "3f0c8d0e-0000-4000-8000-000000000001"
BASE = "http://vapi.example"
_MS = 1_000_000
_S = 1_000_000_000


class Asked(NamedTuple):
    """A request as the server saw it, and the status it gave (0: the connection broke)."""

    path: str
    query: str
    has_key: bool
    status: int


class Wire(httpx.BaseTransport):
    """Carries requests to a machine; each takes a millisecond."""

    def __init__(self, machine: Machine, clock: VirtualClock) -> None:
        self.asked: list[Asked] = []
        self.before: Callable[[int], None] = lambda number: None
        self._machine, self._clock = machine, clock

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        self.before(len(self.asked) + 1)
        self._clock.advance_to(self._clock.now_ns() + _MS)
        path, _, query = request.url.raw_path.decode().partition("?")
        headers = tuple((name.decode(), value.decode()) for name, value in request.headers.raw)
        head = RequestHead(request.method, path, query, headers)
        answer = self.ask(head, request.read())
        response = ResponseHead.decode(answer.body) if answer.kind == "http.response" else None
        status = response.status if response else 0
        self.asked.append(Asked(path, query, "authorization" in request.headers, status))
        if response is None:
            assert answer.kind == "ws.close"
            raise httpx.RemoteProtocolError(f"connection lost ({Close.decode(answer.body).code})")
        return httpx.Response(response.status, headers=response.headers, content=answer.payload)

    def ask(self, head: RequestHead, payload: bytes = b"") -> Message:
        now = self._clock.now_ns()
        channel = len(self.asked) + 1
        self._machine.receive(Message(channel, "http.request", head.encode(), payload), now)
        (answer,) = [each for each in self._machine.due(now) if each.channel == channel]
        return answer


class World:
    """A service, a store, and pulls that never really wait."""

    def __init__(self, options: Options | None = None, store: Store | None = None) -> None:
        self.clock = VirtualClock(wall_ns=WALL)
        self.wire = Wire(VapiSimulator(7, WALL, options), self.clock)
        self.store = store or open_store("memory:", create=True)
        self.secrets = Secrets(b"key of these tests", (KEY,))
        self.waits: list[float] = []

    def wait(self, seconds: float) -> None:
        """Let time pass."""
        self.waits.append(seconds)
        self.clock.advance_to(self.clock.now_ns() + round(seconds * _S))

    def rest(self, method: str, path: str, body: object = None) -> Any:
        """A request of somebody else; not counted, and not on any tape."""
        headers = (("Authorization", f"Bearer {KEY}"), ("Host", "vapi.example"))
        head = RequestHead(method, path, "", headers)
        answer = self.wire.ask(head, b"" if body is None else json.dumps(body).encode())
        assert ResponseHead.decode(answer.body).status < 300, answer
        return json.loads(answer.payload)

    def shelf(self, trial: str = "pulled") -> Shelf:
        return Shelf(self.store, self.clock, self.secrets, provider("vapi"), trial)

    def pull(self, wish: Wish | None = None, *, rate: float | None = None) -> Tally:
        """What `record pull vapi` does."""
        self.wire.asked.clear()
        self.waits.clear()
        shelf = self.shelf()
        with httpx.Client(transport=self.wire) as http:
            pacer = Pacer(self.clock, rate, self.wait)
            api = Api(http, BASE, KEY, self.clock, pacer)
            puller = Puller(api, shelf, self.clock, wish or Wish())
            puller.assistants()
            entries = puller.calls()
            for entry in entries:
                puller.take(entry)
            puller.analytics(entries)
        shelf.close()
        return puller.tally

    def calls(self) -> dict[str, SessionRow]:
        """The sessions of calls, by the call's id."""
        return {row.external_id: row for row in self.store.sessions() if row.external_id}

    def control(self) -> SessionRow:
        (row,) = [row for row in self.store.sessions() if row.external_id is None]
        return row

    def told(self, row: SessionRow, path: str | None = None) -> list[Told]:
        """The exchanges of a session, or those of one path."""
        return [
            each
            for each in exchanges(self.store, row.id)
            if path is None or each.request.path == path
        ]

    def digests(self) -> dict[str, bytes | None]:
        return {row.id: row.digest for row in self.store.sessions()}


def many_calls(count: int, **options: Any) -> World:
    """A service with as many finished calls that nobody joined, and nothing else of note."""
    world = World(Options(concurrency=count, log_ms=0, **options))
    assistant = world.rest("POST", "/assistant", {"name": "Desk"})
    asked = {"assistantId": assistant["id"], "transport": {"provider": "vapi.websocket"}}
    for _ in range(count):
        world.wait(0.1)
        world.rest("POST", "/call", asked)
    world.wait(120)
    return world
