"""The writer's process: `python -m recorder.capture.process_main FD`. See `process.py`.

It ignores the terminal's Ctrl-C: it ends when the recording side says so, or has gone.
"""

from __future__ import annotations

import gc
import logging
import os
import pickle
import signal
import socket
import sys
from typing import Any

from recorder.capture.ledger import OVERHEAD, OnFailure
from recorder.capture.process import CLOSE
from recorder.capture.secrets import store_secrets
from recorder.capture.tap import Order
from recorder.capture.writer import Writer
from recorder.clock import SystemClock
from recorder.errors import RecorderError, StoreError
from recorder.redact import Secrets, redact_text
from recorder.store import open_store
from recorder.store.base import Store

_READ = 1 << 20
_GC_EVERY = 100_000  # allocations; rows live for one batch and hold no rings
Frame = Any  # a list of items, or a tuple that is a word to the writer itself


class Pipe:
    """Frames from and to the recording side."""

    def __init__(self, sock: socket.socket) -> None:
        self._sock = sock
        self._data = bytearray()
        self.ended = False

    def send(self, *value: object) -> None:
        """Say something to the recording side; whoever has gone needs not to hear it."""
        data = pickle.dumps(value, protocol=5)
        try:
            self._sock.sendall(len(data).to_bytes(4, "big") + data)
        except OSError:
            self.ended = True

    def frames(self) -> list[Any]:
        """What has come, as far as it is whole; blocks for at least one read."""
        data = self._sock.recv(_READ)
        self.ended = not data
        self._data += data
        found = []
        at = 0
        while len(self._data) - at >= 4:
            size = int.from_bytes(self._data[at : at + 4], "big")
            if len(self._data) - at - 4 < size:
                break
            found.append(pickle.loads(memoryview(self._data)[at + 4 : at + 4 + size]))
            at += 4 + size
        del self._data[:at]
        return found


class FedWriter(Writer):
    """The writer of this process; the tapes themselves are on the recording side."""

    def __init__(self, pipe: Pipe, store: Store, secrets: Secrets, on_failure: OnFailure) -> None:
        super().__init__(store, SystemClock(), secrets, on_failure=on_failure)
        self._pipe, self._secrets = pipe, secrets

    def feed(self) -> bool:
        """Queue what the pipe brings: True when the recording side says goodbye, False when it
        has gone."""
        while not self._pipe.ended:
            for frame in self._pipe.frames():
                if not self._absorb(frame):
                    return True
            if self.full:
                self.wait_room()
        return False

    def _absorb(self, frame: Frame) -> bool:
        """Queue one frame; False when it says goodbye."""
        if isinstance(frame, list):
            items = [item if len(item) == 7 else Order(*item) for item in frame]
            size = sum(len(item[6]) for item in frame if len(item) == 7)
            with self.lock:
                self.put_all(items, size + OVERHEAD * len(items))
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
    logging.basicConfig(format="record: %(levelname)s %(message)s")
    pipe = Pipe(socket.socket(fileno=int(sys.argv[1])))
    frames: list[Any] = []
    while not frames and not pipe.ended:
        frames = pipe.frames()
    if not frames:
        return
    url, on_failure, run = frames[0]
    try:
        store = open_store(url, create=True)
        writer = FedWriter(pipe, store, store_secrets(store, os.environ), on_failure)
        ended = writer.start(run)
    except RecorderError as error:
        pipe.send("error", str(error))
        sys.exit(2)
    pipe.send("ready", ended)
    gc.freeze()
    gc.set_threshold(_GC_EVERY)
    writer.close(in_order=writer.feed())
    store.close()


if __name__ == "__main__":
    main()
