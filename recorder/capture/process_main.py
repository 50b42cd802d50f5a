"""The writer's process: `python -m recorder.capture.process_main FD`. See `process.py`.

It ignores the terminal's Ctrl-C: it ends when the recording side says so, or has gone.
"""

from __future__ import annotations

import contextlib
import gc
import logging
import os
import signal
import socket
import sys
from typing import Any

from recorder.capture.framing import PREFIX, Items, unpack, word
from recorder.capture.ledger import OVERHEAD, OnFailure
from recorder.capture.logs import log_to_stderr
from recorder.capture.process import CLOSE
from recorder.capture.secrets import store_secrets
from recorder.capture.writer import Writer
from recorder.clock import SystemClock
from recorder.errors import RecorderError, StoreError
from recorder.redact import Secrets, redact_text
from recorder.store import open_store
from recorder.store.base import Store

_BUFFER = 4 << 20
_GC_EVERY = 100_000  # allocations; rows live for one batch and hold no rings
Frame = Any  # `Items`, or a tuple that is a word to the writer itself


class Pipe:
    """Frames from and to the recording side."""

    def __init__(self, sock: socket.socket) -> None:
        self._sock = sock
        self._buffer = bytearray(_BUFFER)

    def send(self, *value: object) -> None:
        """Say something to the recording side; whoever has gone needs not to hear it."""
        with contextlib.suppress(OSError):
            self._sock.sendall(word(value))

    def receive(self) -> Frame | None:
        """The next frame, or None when the recording side has gone."""
        prefix = self._exactly(PREFIX.size)
        if prefix is None:
            return None
        head, bodies, count = PREFIX.unpack(prefix)
        data = self._exactly(head + bodies)
        return None if data is None else unpack(bytes(data), head, count)

    def _exactly(self, size: int) -> memoryview | None:
        if size > len(self._buffer):
            self._buffer = bytearray(size)
        view = memoryview(self._buffer)[:size]
        came = 0
        while came < size:
            try:
                more = self._sock.recv_into(view[came:], size - came, socket.MSG_WAITALL)
            except OSError:
                return None
            if not more:
                return None
            came += more
        return view


class FedWriter(Writer):
    """The writer of this process; the tapes themselves are on the recording side."""

    def __init__(self, pipe: Pipe, store: Store, secrets: Secrets, on_failure: OnFailure) -> None:
        super().__init__(store, SystemClock(), secrets, on_failure=on_failure)
        self._pipe, self._secrets = pipe, secrets

    def feed(self) -> bool:
        """Queue what the pipe brings: True when the recording side says goodbye, False when it
        has gone."""
        while (frame := self._pipe.receive()) is not None:
            if not self._absorb(frame):
                return True
            if self.full:
                self.wait_room()
        return False

    def _absorb(self, frame: Frame) -> bool:
        """Queue one frame; False when it says goodbye."""
        if isinstance(frame, Items):
            with self.lock:
                self.put_all(frame, frame.size + OVERHEAD * frame.count)
        elif frame[0] == "flush":
            self.flush()
            self._pipe.send("flushed", frame[1])
        return bool(frame != CLOSE)

    def _fell(self, error: StoreError) -> None:
        logging.critical("%s", error, exc_info=True)
        os._exit(3)  # the recording side sees the end of the pipe and fails every tape

    def _failed(self, number: int, error: RecorderError) -> None:
        self._pipe.send("failed", number, redact_text(self._secrets, str(error)))


def main() -> None:
    """Open the store, say so, and write until told to stop."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    log_to_stderr(logging.WARNING, os.environ)
    pipe = Pipe(socket.socket(fileno=int(sys.argv[1])))
    first = pipe.receive()
    if first is None:
        return
    url, on_failure, redact_pii, run = first
    try:
        store = open_store(url, create=True)
        secrets = store_secrets(store, os.environ, personal=redact_pii)
        writer = FedWriter(pipe, store, secrets, on_failure)
        ended = writer.start(run)
    except RecorderError as error:
        pipe.send("error", str(error))
        sys.exit(2)
    pipe.send("ready", ended)
    gc.freeze()
    gc.set_threshold(_GC_EVERY)
    writer.close(in_order=writer.feed())
    try:
        store.close()
    except RecorderError as error:
        logging.error("%s", error)
        sys.exit(2)


if __name__ == "__main__":
    main()
