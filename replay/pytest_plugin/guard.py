"""No network while a tape plays: what this process connects to, or looks up, must be local.

It stands on the Python level of `socket`, through which asyncio, ssl and every pure client go. A
library with sockets of its own (uvloop, gRPC, curl) and other processes are out of its reach.
"""

from __future__ import annotations

import socket
from collections.abc import Iterable
from ipaddress import IPv6Address, ip_address
from typing import Any, Self

import pytest

from recorder.errors import RecorderError

_LOCAL = frozenset({"localhost", "localhost.localdomain", "ip6-localhost", ""})


class NetworkBlocked(RecorderError):
    """Something reached for the network outside of its tape. No `OSError`, so that no client takes
    it for a bad line and tries again."""


class NetworkGuard:
    """While it is open, only the loopback interface and `allowed` hosts can be reached.
    `attempts` are those that were refused, for an application that swallows the error."""

    def __init__(self, allowed: Iterable[str] = ()) -> None:
        self.attempts: list[str] = []
        self._allowed = {host.lower() for host in allowed}
        self._patch = pytest.MonkeyPatch()

    def __enter__(self) -> Self:
        real_lookup = socket.getaddrinfo

        def getaddrinfo(host: Any, port: Any, *args: Any, **options: Any) -> Any:
            name = _text(host)
            if not (_is_address(name) or self._is_open(name)):
                self._refuse(name, port)
            found = real_lookup(host, port, *args, **options)
            if name.lower() in self._allowed:
                self._allowed |= {str(each[4][0]) for each in found}
            return found

        self._patch.setattr(socket, "getaddrinfo", getaddrinfo)
        for name in ("connect", "connect_ex", "sendto"):
            self._patch.setattr(socket.socket, name, self._checked(getattr(socket.socket, name)))
        return self

    def __exit__(self, *_: object) -> None:
        self._patch.undo()

    def _checked(self, real: Any) -> Any:
        def checked(sock: socket.socket, *args: Any) -> Any:
            address = args[-1]
            is_internet = sock.family in (socket.AF_INET, socket.AF_INET6)
            if is_internet and isinstance(address, tuple) and not self._is_open(_text(address[0])):
                self._refuse(_text(address[0]), address[1])
            return real(sock, *args)

        return checked

    def _is_open(self, host: str) -> bool:
        name = host.lower().rstrip(".")
        if name in _LOCAL or name in self._allowed:
            return True
        if _is_address(name):
            return _is_own(name)
        return name.endswith(".localhost") or name == socket.gethostname().lower()

    def _refuse(self, host: str, port: object) -> None:
        place = f"{host}:{port}" if port else host
        if place not in self.attempts:
            self.attempts.append(place)
        raise NetworkBlocked(f"{place} is outside of the tape: {remedy(host)}")


def remedy(host: str) -> str:
    """What to do about a host that is not on the tape."""
    return (
        "lead the client to the tape's server (tape_server, OPENAI_BASE_URL, VAPI_BASE_URL), put a "
        f"double in its place, or allow it with --tape-allow-hosts {host}"
    )


def _text(host: Any) -> str:
    if host is None:
        return ""
    return host.decode(errors="replace") if isinstance(host, bytes) else str(host)


def _is_own(address: str) -> bool:
    """Whether an address is of this machine: the loopback interface, or "any" (0.0.0.0)."""
    found = ip_address(address.partition("%")[0])
    mapped = found.ipv4_mapped if isinstance(found, IPv6Address) else None
    return (mapped or found).is_loopback or found.is_unspecified


def _is_address(host: str) -> bool:
    try:
        ip_address(host.partition("%")[0])
    except ValueError:
        return False
    return True
