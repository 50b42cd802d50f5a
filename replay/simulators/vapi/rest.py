"""The HTTP side: who may ask, how often, and where each path leads."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from typing import Any, Protocol

from recorder.heads import Headers, RequestHead, header
from replay.simulators.vapi import analytics, calls, past, resources
from replay.simulators.vapi.account import Account
from replay.simulators.vapi.call import Base, Call
from replay.simulators.vapi.errors import Answer, Json, Refusal, answer, missing
from replay.simulators.vapi.query import picker

_NS = 1_000_000_000
_CONTROL = re.compile(r"/[0-9a-f-]{36}/control")
_WRONG_KEY = (
    "Invalid Key. Hot tip, you may be using the private key instead of the public key, or vice "
    "versa."
)


class Lines(Protocol):
    """The live calls, for what REST does to them."""

    def start(self, call: Call, now: int) -> None:
        """A call was created."""
        ...

    def end(self, call: Call, reason: str, now: int) -> None:
        """Hang up."""
        ...

    def control(self, call: Call, message: Json, now: int) -> None:
        """An inbound message; Refusal if it is not known."""
        ...


class Rest:
    """Answers requests, one after the other."""

    def __init__(self, account: Account, lines: Lines) -> None:
        self._account, self._lines = account, lines
        self._options = account.options
        self._requests = 0
        self._window = (0, 0)  # when it began (ns), requests in it

    def handle(self, head: RequestHead, payload: bytes, now: int) -> Answer:
        """The answer to one request."""
        past.place(self._account, self._base(head))
        try:
            if head.path.startswith("/storage/"):
                return self._stored(head)
            if _CONTROL.fullmatch(head.path):
                return self._control(head, payload, now)
            self._admit(head)
            self._requests += 1
            fault = self._options.faults.get(self._requests)
            if fault == 0:
                return Answer(0)
            if fault is not None:
                raise Refusal(fault, "The simulator was told to fail.")
            self._limit(now)
            return self._routed(head, payload, now)
        except Refusal as refusal:
            return refusal.answer()

    def _base(self, head: RequestHead) -> Base:
        """Where the client reaches the simulator."""
        return Base(header(head.headers, "host") or "localhost", self._options.tls)

    def _admit(self, head: RequestHead) -> None:
        found = header(head.headers, "authorization")
        if found is None:
            raise Refusal(401, "Missing Authorization Header.")
        scheme, _, key = found.partition(" ")
        known = not self._options.keys or key.strip() in self._options.keys
        if scheme.lower() != "bearer" or not key.strip() or not known:
            raise Refusal(401, _WRONG_KEY)

    def _limit(self, now: int) -> None:
        """429 for the rest of a window once it is full."""
        limit, width = self._options.rate_limit, int(self._options.rate_window_s * _NS)
        if limit is None:
            return
        began, count = self._window
        if not count or now - began >= width:
            began, count = now, 0
        self._window = began, count + 1
        if count >= limit:
            left = str(-(-(began + width - now) // _NS))
            headers: Headers = (("retry-after", left),) if self._options.retry_after else ()
            raise Refusal(429, "Too many requests.", headers)

    def _routed(self, head: RequestHead, payload: bytes, now: int) -> Answer:
        kind, *rest = head.path.strip("/").split("/")
        if kind in resources.KINDS and len(rest) <= 1:
            return self._resource(resources.KINDS[kind], head, payload, rest, now)
        if kind == "call" and len(rest) <= 2:
            return self._call(head, payload, rest, now)
        if (head.method, kind, rest) == ("POST", "analytics", []):
            ms = self._account.wall_ms(now)
            return answer(analytics.run(self._account.calls.values(), _parsed(payload), ms))
        if (head.method, kind, rest) == ("GET", "phone-number", []):
            return answer([])
        raise _no_route(head)

    def _resource(
        self, kind: resources.Kind, head: RequestHead, payload: bytes, rest: list[str], now: int
    ) -> Answer:
        account = self._account
        routes: dict[tuple[str, int], Callable[[], Answer]] = {
            ("POST", 0): lambda: resources.create(account, kind, _parsed(payload), now),
            ("GET", 0): lambda: resources.listed(account, kind, picker(head.query)),
            ("GET", 1): lambda: resources.get(account, kind, rest[0]),
            ("PATCH", 1): lambda: resources.update(account, kind, rest[0], _parsed(payload), now),
            ("DELETE", 1): lambda: resources.delete(account, kind, rest[0]),
        }
        return _chosen(routes, head, rest)

    def _call(self, head: RequestHead, payload: bytes, rest: list[str], now: int) -> Answer:
        account = self._account
        routes: dict[tuple[str, int], Callable[[], Answer]] = {
            ("POST", 0): lambda: self._create_call(head, _parsed(payload), now),
            ("GET", 0): lambda: calls.listed(account, head.query, now),
            ("GET", 1): lambda: calls.get(account, rest[0], now),
            ("PATCH", 1): lambda: calls.update(account, rest[0], _parsed(payload), now),
            ("DELETE", 1): lambda: self._delete_call(rest[0], now),
            ("GET", 2): lambda: calls.artifact(account, rest[0], rest[1], now),
        }
        return _chosen(routes, head, rest)

    def _create_call(self, head: RequestHead, body: Any, now: int) -> Answer:
        call = calls.create(self._account, body, self._base(head), now)
        made = calls.created(self._account, call)
        self._lines.start(call, now)
        return made

    def _delete_call(self, key: str, now: int) -> Answer:
        """A live call is hung up and stays; one that has ended is erased."""
        call = calls.find(self._account, key)
        if not call.live:
            return calls.delete(self._account, key, now)
        self._lines.end(call, "manually-canceled", now)
        return calls.get(self._account, key, now)

    def _control(self, head: RequestHead, payload: bytes, now: int) -> Answer:
        """`controlUrl`, which is its own key: 200 without a body, and the connection closes."""
        call = self._account.calls.get(head.path.strip("/").split("/")[0])
        if head.method != "POST" or call is None or not call.live:
            raise missing("Call")
        body = _parsed(payload)
        if not isinstance(body, dict):
            raise Refusal(400, "The body must be a JSON object.")
        self._lines.control(call, body, now)
        return Answer(200, b"", (("connection", "close"),))

    def _stored(self, head: RequestHead) -> Answer:
        with_key = header(head.headers, "authorization") is not None
        if head.method != "GET":
            raise _no_route(head)
        return calls.stored(self._account, head.path, with_key=with_key)


def _chosen(
    routes: dict[tuple[str, int], Callable[[], Answer]], head: RequestHead, rest: list[str]
) -> Answer:
    route = routes.get((head.method, len(rest)))
    if route is None:
        raise _no_route(head)
    return route()


def _no_route(head: RequestHead) -> Refusal:
    return Refusal(404, f"Cannot {head.method} {head.path}")


def _not_json(name: str) -> None:
    raise ValueError(f"{name} is no JSON")


def _parsed(payload: bytes) -> Any:
    try:
        return json.loads(payload or b"{}", parse_constant=_not_json)
    except ValueError as problem:
        raise Refusal(400, f"The body is not JSON: {problem}") from None
