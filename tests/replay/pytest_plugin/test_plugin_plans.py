"""What a mode does with a tape, what a tape's folder is called, what the network guard refuses."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Iterator
from itertools import product
from typing import Any, get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st

from replay.pytest_plugin.guard import NetworkBlocked, NetworkGuard
from replay.pytest_plugin.modes import MODES, Mode, Plan, State, in_ci, plan
from replay.pytest_plugin.names import folder_name

# Modes

TABLE: dict[tuple[Mode, State], tuple[Plan, Plan]] = {
    # mode, state of the tape: what is done, and what in CI
    ("replay", "kept"): ("replay", "replay"),
    ("replay", "missing"): ("missing", "missing"),
    ("replay", "damaged"): ("damaged", "damaged"),
    ("record", "kept"): ("skip", "skip"),
    ("record", "missing"): ("record", "refused"),
    ("record", "damaged"): ("damaged", "damaged"),
    ("new", "kept"): ("replay", "replay"),
    ("new", "missing"): ("record", "refused"),
    ("new", "damaged"): ("damaged", "damaged"),
    ("live", "kept"): ("live", "live"),
    ("live", "missing"): ("live", "live"),
    ("live", "damaged"): ("live", "live"),
}


def test_the_table_of_modes_is_whole() -> None:
    assert set(TABLE) == set(product(MODES, get_args(State)))
    assert {each for pair in TABLE.values() for each in pair} == set(get_args(Plan))


@pytest.mark.parametrize(("mode", "state"), TABLE)
def test_a_mode_does_what_the_table_says(mode: Mode, state: State) -> None:
    assert (plan(mode, state, False), plan(mode, state, True)) == TABLE[mode, state]


@pytest.mark.parametrize(
    ("value", "is_ci"),
    [(None, False), ("", False), ("0", False), ("False", False), ("true", True), ("1", True)],
)
def test_ci_is_what_the_variable_says(value: str | None, is_ci: bool) -> None:
    assert in_ci({} if value is None else {"CI": value}) is is_ci


# Names


@pytest.mark.parametrize("name", ["booking", "late-call_2", "7"])
def test_a_safe_name_is_its_folder(name: str) -> None:
    assert folder_name(name) == name


def test_odd_names_have_safe_and_distinct_folders() -> None:
    odd = ["Booking", "BOOKING", "a/b", "a\\b", "a b", "../up", ".", "", "con", "nul", "Łódź"]
    odd += ["x" * 300, "x" * 301, "tests/test_a.py::TestB::test_c[en-1]", "a.rest", "booking "]
    folders = [folder_name(name) for name in (*odd, "booking", "a-b")]
    assert len({folder.lower() for folder in folders}) == len(folders)
    assert "booking" not in folders[:-2]


@given(st.text(max_size=200))
def test_every_folder_is_safe(name: str) -> None:
    folder = folder_name(name)
    assert 1 <= len(folder) <= 64
    assert set(folder) <= set("abcdefghijklmnopqrstuvwxyz0123456789-_")
    assert folder not in {"con", "prn", "aux", "nul", "com1", "lpt1"}
    assert folder_name(folder) == folder, "a folder's name is a name of that folder"


# The guard


@pytest.fixture
def guard() -> Iterator[NetworkGuard]:
    with NetworkGuard(["db.example"]) as guard:
        yield guard


def connect(address: Any, family: int = socket.AF_INET) -> None:
    with socket.socket(family) as sock:
        sock.settimeout(0.2)
        sock.connect(address)


async def aconnect(host: str) -> None:
    await asyncio.open_connection(host, 443)


WAYS: dict[str, Any] = {
    "name": lambda: socket.create_connection(("api.example.com", 443), timeout=1),
    "address": lambda: connect(("192.0.2.1", 443)),
    "address of IPv6": lambda: connect(("2001:db8::1", 443, 0, 0), socket.AF_INET6),
    "connect_ex": lambda: socket.socket().connect_ex(("192.0.2.1", 443)),
    "datagram": lambda: socket.socket(type=socket.SOCK_DGRAM).sendto(b"", ("192.0.2.1", 53)),
    "look-up": lambda: socket.getaddrinfo("api.example.com", 443),
    "asyncio, name": lambda: asyncio.run(aconnect("api.example.com")),
    "asyncio, address": lambda: asyncio.run(aconnect("192.0.2.1")),
}


@pytest.mark.parametrize("way", WAYS)
def test_the_network_is_out_of_reach(guard: NetworkGuard, way: str) -> None:
    with pytest.raises(NetworkBlocked, match=r"is outside of the tape: .*tape_server") as caught:
        WAYS[way]()
    (place,) = guard.attempts
    host = place.rpartition(":")[0]
    assert host in ("api.example.com", "192.0.2.1", "2001:db8::1")
    assert f"--tape-allow-hosts {host}" in str(caught.value)


def test_this_machine_stays_in_reach(guard: NetworkGuard) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        for host in ("127.0.0.1", "localhost", "0.0.0.0"):
            socket.create_connection((host, port), timeout=5).close()
        with pytest.raises(OSError, match="refused"):
            connect(("::1", 1, 0, 0), socket.AF_INET6)
    one, other = socket.socketpair()
    one.close()
    other.close()
    assert guard.attempts == []


def test_an_allowed_host_stays_in_reach(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing is really connected: what the guard lets through ends in doubles."""
    reached: list[Any] = []

    def lookup(host: str, port: int) -> Any:
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", ("192.0.2.9", port))]

    monkeypatch.setattr(socket, "getaddrinfo", lookup)
    monkeypatch.setattr(socket.socket, "connect", lambda sock, to: reached.append(to))
    with NetworkGuard(["DB.example"]) as guard:
        with pytest.raises(NetworkBlocked):
            connect(("192.0.2.9", 5432))
        (found,) = socket.getaddrinfo("db.example", 5432)
        connect(found[4])
        connect(("db.example", 5432))
    assert reached == [("192.0.2.9", 5432), ("db.example", 5432)]
    assert guard.attempts == ["192.0.2.9:5432"]


def test_all_is_as_before_when_the_guard_is_gone() -> None:
    before = (socket.getaddrinfo, socket.socket.connect)
    with NetworkGuard():
        assert socket.getaddrinfo is not before[0]
    assert (socket.getaddrinfo, socket.socket.connect) == before
    assert "connect" not in vars(socket.socket)
