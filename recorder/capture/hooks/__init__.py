"""In-process hooks, for programs that cannot be pointed at the proxy (docs/hooks.md).

with Recorder("sqlite:///conversations.db", trial="demo") as recorder:
    client = httpx.Client(transport=recorder.httpx_transport())
    ws = recorder.wrap(await websockets.connect(url))
"""

from __future__ import annotations

import os
from collections.abc import Callable
from contextlib import ExitStack
from types import TracebackType
from typing import TYPE_CHECKING, Self, overload

from recorder.capture.hooks.gate import Gate, SessionEnded
from recorder.capture.ledger import OnFailure
from recorder.capture.secrets import store_secrets
from recorder.capture.tap import Tape
from recorder.capture.writer import Writer
from recorder.clock import Clock, SystemClock
from recorder.providers import provider as provider_called
from recorder.providers.base import Provider
from recorder.store import open_store

if TYPE_CHECKING:
    import httpx
    from websockets.asyncio.client import ClientConnection as AsyncClientConnection
    from websockets.sync.client import ClientConnection

    from recorder.capture.hooks.httpx import AsyncRecordingTransport, RecordingTransport
    from recorder.capture.hooks.websockets import AsyncRecordedConnection, RecordedConnection

__all__ = ["Recorder", "Session", "SessionEnded"]


class Session:
    """One session being recorded through hooks; a context manager that ends it."""

    def __init__(self, gate: Gate) -> None:
        self._gate = gate

    @property
    def id(self) -> str:
        """The session's id, for `record show` and the like."""
        return self._gate.tape.session

    def httpx_transport(self, transport: httpx.BaseTransport | None = None) -> RecordingTransport:
        """A transport for `httpx.Client`, around `transport` or a new `httpx.HTTPTransport`."""
        from recorder.capture.hooks.httpx import RecordingTransport

        return RecordingTransport(self._gate, transport)

    def async_httpx_transport(
        self, transport: httpx.AsyncBaseTransport | None = None
    ) -> AsyncRecordingTransport:
        """A transport for `httpx.AsyncClient`, likewise."""
        from recorder.capture.hooks.httpx import AsyncRecordingTransport

        return AsyncRecordingTransport(self._gate, transport)

    @overload
    def wrap(self, connection: ClientConnection) -> RecordedConnection: ...

    @overload
    def wrap(self, connection: AsyncClientConnection) -> AsyncRecordedConnection: ...

    def wrap(
        self, connection: ClientConnection | AsyncClientConnection
    ) -> RecordedConnection | AsyncRecordedConnection:
        """An open `websockets` client connection, recorded; use the result in its place."""
        return _wrap(self._gate, connection, lambda: None)

    def end(self) -> None:
        """End the session: nothing more can be recorded in it."""
        self._gate.end()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.end()


class Recorder:
    """Opens a store and records into it until it is closed.

    What a hook was given outside a `session()` is sorted as the proxy sorts it: a WebSocket is a
    session of its own, HTTP exchanges share one. Credentials in the environment are removed
    wherever they stand. With `on_failure="end"` a hook raises when events cannot be stored; with
    `"pass"` the program goes on and the tape gets a marked hole.
    """

    def __init__(
        self,
        store_url: str = "sqlite:///conversations.db",
        *,
        trial: str = "default",
        provider: str = "openai",
        on_failure: OnFailure = "end",
        clock: Clock | None = None,
    ) -> None:
        self._provider: Provider = provider_called(provider)
        self._trial = trial
        with ExitStack() as undo:
            self._store = open_store(store_url, create=True)
            undo.callback(self._store.close)
            secrets = store_secrets(self._store, os.environ)
            self._writer = Writer(
                self._store, clock or SystemClock(), secrets, on_failure=on_failure
            )
            self._writer.start()
            undo.pop_all()
        self._closed = False
        self._control = Session(Gate(self._writer, self._opener()))

    def session(self, *, external_id: str | None = None, model: str | None = None) -> Session:
        """A session of its own, for several connections and exchanges that belong together."""
        opener = self._opener(external_id=external_id, model=model)
        return Session(Gate(self._writer, opener, self._provider))

    def httpx_transport(self, transport: httpx.BaseTransport | None = None) -> RecordingTransport:
        """`Session.httpx_transport` of the session that all such exchanges share."""
        return self._control.httpx_transport(transport)

    def async_httpx_transport(
        self, transport: httpx.AsyncBaseTransport | None = None
    ) -> AsyncRecordingTransport:
        """`Session.async_httpx_transport`, likewise."""
        return self._control.async_httpx_transport(transport)

    @overload
    def wrap(self, connection: ClientConnection) -> RecordedConnection: ...

    @overload
    def wrap(self, connection: AsyncClientConnection) -> AsyncRecordedConnection: ...

    def wrap(
        self, connection: ClientConnection | AsyncClientConnection
    ) -> RecordedConnection | AsyncRecordedConnection:
        """`Session.wrap` in a session that ends when the connection closes."""
        gate = Gate(self._writer, self._opener(), self._provider)
        return _wrap(gate, connection, gate.end)

    def flush(self) -> None:
        """Block until all that was recorded so far is stored; the StoreError if it could not be."""
        self._writer.flush()
        self._writer.check()

    def close(self) -> None:
        """End every session, store all that is waiting, close the store. Twice does no harm."""
        if not self._closed:
            self._closed = True
            try:
                self._writer.close()
                self._writer.check()
            finally:
                self._store.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def _opener(self, **facts: str | None) -> Callable[[], Tape]:
        def opener() -> Tape:
            if self._closed:
                raise SessionEnded("the recorder is closed: open another to record more")
            return self._writer.open(self._provider.NAME, self._trial, origin="hook", **facts)

        return opener


def _wrap(
    gate: Gate,
    connection: ClientConnection | AsyncClientConnection,
    on_close: Callable[[], None],
) -> RecordedConnection | AsyncRecordedConnection:
    from websockets.sync.client import ClientConnection

    from recorder.capture.hooks.websockets import AsyncRecordedConnection, RecordedConnection

    if isinstance(connection, ClientConnection):
        return RecordedConnection(connection, gate, on_close)
    return AsyncRecordedConnection(connection, gate, on_close)
