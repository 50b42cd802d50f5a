"""The writer's process as a thread: the same frames and the same code, without starting Python."""

from __future__ import annotations

import asyncio
import os
import socket
from contextlib import closing
from typing import Any, Self

import pytest

from recorder.capture.ledger import OnFailure
from recorder.capture.process import WriterProcess
from recorder.capture.process_main import FedWriter, Pipe
from recorder.capture.secrets import store_secrets
from recorder.errors import StoreError
from recorder.redact import Secrets
from recorder.store import open_store
from recorder.store.base import Store


class ThreadWriter(WriterProcess):
    """A `WriterProcess` whose other end is in this process."""

    async def start(self) -> list[str]:
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(asyncio, "create_subprocess_exec", _Thread.start)
            return await super().start()


class _Thread:
    """What `WriterProcess` uses of a process."""

    def __init__(self, sock: socket.socket) -> None:
        self._ended = asyncio.create_task(asyncio.to_thread(_write, sock))

    @classmethod
    async def start(cls, *words: str, **_: object) -> Self:
        """Begin with a socket of its own, as a process gets; its number is the last word."""
        return cls(socket.socket(fileno=os.dup(int(words[-1]))))

    async def wait(self) -> int:
        await self._ended
        return 0


class _Writer(FedWriter):
    """One that cannot go on closes its socket, where a process would end."""

    def __init__(
        self, sock: socket.socket, pipe: Pipe, store: Store, secrets: Secrets, how: OnFailure
    ) -> None:
        super().__init__(pipe, store, secrets, how)
        self._sock = sock

    def _fell(self, error: StoreError) -> None:
        self._sock.shutdown(socket.SHUT_RDWR)


def _write(sock: socket.socket) -> None:
    pipe = Pipe(sock)
    first: Any = pipe.receive()
    url, on_failure, redact_pii, run = first
    with sock, closing(open_store(url, create=True)) as store:
        secrets = store_secrets(store, os.environ, personal=redact_pii)
        writer = _Writer(sock, pipe, store, secrets, on_failure)
        pipe.send("ready", writer.start(run))
        writer.close(in_order=writer.feed())
