"""A TCP relay that keeps what crossed it, and reads WebSocket frames out of that (RFC 6455).

It knows nothing of the libraries at either end, so it can witness what each of them sent.
"""

from __future__ import annotations

import socket
import threading
import zlib
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import NamedTuple

_KINDS = {1: "ws.text", 2: "ws.binary", 8: "ws.close"}


class Frame(NamedTuple):
    """One message: the kind as on a tape, and its payload, unmasked and uncompressed."""

    kind: str
    payload: bytes


@dataclass
class Call:
    """The bytes of one connection, by who sent them."""

    client: bytearray = field(default_factory=bytearray)
    provider: bytearray = field(default_factory=bytearray)
    threads: list[threading.Thread] = field(default_factory=list)

    @property
    def is_socket(self) -> bool:
        return b"\r\nupgrade: websocket\r\n" in bytes(self.client[:8192]).lower()

    @property
    def compressed(self) -> bool:
        head = bytes(self.provider).partition(b"\r\n\r\n")[0]
        return b"permessage-deflate" in head.lower()

    def frames(self, sender: str) -> list[Frame]:
        """The messages of one side, without pings and pongs."""
        for thread in self.threads:
            thread.join(10)
            assert not thread.is_alive(), "the connection is still open"
        raw = bytes(self.client if sender == "client" else self.provider)
        return list(_messages(raw.partition(b"\r\n\r\n")[2]))


def _messages(data: bytes) -> Iterator[Frame]:
    inflater = zlib.decompressobj(-15)
    kind, squeezed, parts = 0, False, b""
    for first, payload in _frames(data):
        opcode = first & 15
        if opcode in (9, 10):
            continue
        if opcode:
            kind, squeezed, parts = opcode, bool(first & 0x40), b""
        parts += payload
        if first & 0x80:
            # RFC 7692, 7.2.2: the sender left out the end of the last block
            whole = inflater.decompress(parts + b"\0\0\xff\xff") if squeezed else parts
            yield Frame(_KINDS[kind], whole)


def _frames(data: bytes) -> Iterator[tuple[int, bytes]]:
    at = 0
    while at < len(data):
        first, second = data[at], data[at + 1]
        size, at = second & 127, at + 2
        extra = {126: 2, 127: 8}.get(size, 0)
        if extra:
            size, at = int.from_bytes(data[at : at + extra], "big"), at + extra
        key = b""
        if second & 128:
            key, at = data[at : at + 4], at + 4
        assert at + size <= len(data), "the last frame is cut off"
        yield first, _unmasked(data[at : at + size], key)
        at += size


def _unmasked(payload: bytes, key: bytes) -> bytes:
    if not key or not payload:
        return payload
    pad = (key * (len(payload) // 4 + 1))[: len(payload)]
    mixed = int.from_bytes(payload, "big") ^ int.from_bytes(pad, "big")
    return mixed.to_bytes(len(payload), "big")


class Wiretap:
    """Listens on `url` and passes all to a port of this machine while its context is open."""

    def __init__(self, target: str) -> None:
        self._port = int(target.rpartition(":")[2])
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{self._listener.getsockname()[1]}"
        self.calls: list[Call] = []

    def __enter__(self) -> Wiretap:
        threading.Thread(target=self._accept, daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()

    @property
    def sockets(self) -> list[Call]:
        """The WebSockets, in the order of their opening."""
        return [call for call in self.calls if call.is_socket]

    def _accept(self) -> None:
        while True:
            try:
                near, _ = self._listener.accept()
            except OSError:
                return
            far = socket.create_connection(("127.0.0.1", self._port), 10)
            far.settimeout(None)
            call = Call()
            call.threads = [
                threading.Thread(target=_pass, args=each, daemon=True)
                for each in ((near, far, call.client), (far, near, call.provider))
            ]
            self.calls.append(call)
            for thread in call.threads:
                thread.start()


def _pass(source: socket.socket, sink: socket.socket, kept: bytearray) -> None:
    try:
        while piece := source.recv(1 << 16):
            kept += piece
            sink.sendall(piece)
        sink.shutdown(socket.SHUT_WR)
    except OSError:  # reset by one side: the other is to know
        for each in (source, sink):
            each.close()
