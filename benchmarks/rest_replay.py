"""Replaying REST traffic beside VCR.py, in one run: `python -m benchmarks.rest_replay`.

    python -m benchmarks.rest_replay [--sizes 1000,10000] [--rounds N] [--sample N]

Two comparisons, each for the same recorded requests and answers:

* machine: finding the answer, in this process, without sockets or a client library;
* httpx: the same calls by the same `httpx.Client`, patched by VCR.py, or through real sockets to
  our server in a process of its own.

VCR.py looks at every recorded request from the first on, so a request costs as much as its place
is far from the beginning: it is asked for `--sample` requests spread evenly over the tape, with
all before each marked as played; ours is asked for all of them in order. Loading is apart: a YAML
cassette (by libyaml) against a tape in a store. Contenders take turns; figures are medians.
"""

from __future__ import annotations

import argparse
import json
import statistics
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import httpx

from benchmarks.rest_server import HEAD, Ask, machine, served, tape

try:
    import vcr
    import yaml
    from vcr.cassette import Cassette
    from vcr.matchers import body, host, method, path, port, query, scheme
    from vcr.request import Request
except ImportError:
    raise SystemExit(
        "the other side of this comparison is missing: pip install 'vcrpy>=8' pyyaml"
    ) from None

HOST = "http://rest.test"
_PLACE = [method, scheme, host, port, path, query]  # VCR.py's default
_EQUAL = 100  # how many different requests a repeated tape has


class Figures(NamedTuple):
    """Seconds to load, and a request, of one contender in one round."""

    load_s: float
    machine_s: float
    httpx_s: float


def distinct(count: int) -> list[Ask]:
    """Each to a path of its own."""
    return [Ask("GET", f"/call/{at:08d}", b"", answer(at)) for at in range(count)]


def posted(count: int) -> list[Ask]:
    """Each to one path with a body of its own."""
    callers = ({"name": f"call {at}", "number": f"+1555{at:07d}"} for at in range(count))
    return [
        Ask("POST", "/call", json.dumps(caller).encode(), answer(at))
        for at, caller in enumerate(callers)
    ]


def repeated(count: int) -> list[Ask]:
    """A hundred paths, asked for in turn."""
    return [Ask("GET", f"/call/{at % _EQUAL:08d}", b"", answer(at)) for at in range(count)]


def answer(at: int) -> bytes:
    """What the recorded answer says."""
    return json.dumps({"id": f"{at:08d}", "status": "ended", "cost": at / 1000}).encode()


KINDS: dict[str, Callable[[int], list[Ask]]] = {
    "a path each": distinct,
    "a body each": posted,
    f"{_EQUAL} repeated": repeated,
}


# VCR.py


def cassette_text(asks: Sequence[Ask]) -> str:
    """A cassette as VCR.py writes it."""
    interactions = [
        {
            "request": {
                "method": ask.method,
                "uri": HOST + ask.path,
                "body": ask.body.decode() or None,
                "headers": {"content-type": ["application/json"]},
            },
            "response": {
                "status": {"code": 200, "message": "OK"},
                "headers": {"content-type": ["application/json"]},
                "body": {"string": ask.answer.decode()},
            },
        }
        for ask in asks
    ]
    return yaml.dump({"version": 1, "interactions": interactions}, Dumper=yaml.CSafeDumper)


def vcrpy(asks: Sequence[Ask], folder: Path, sample: int, matchers: list[Any]) -> Figures:
    """One round of VCR.py."""
    file = folder / "cassette.yaml"
    begun = time.perf_counter()
    cassette = Cassette.load(path=str(file), match_on=matchers)
    load_s = time.perf_counter() - begun
    places = [at * len(asks) // sample for at in range(min(sample, len(asks)))]
    took = 0.0
    for at in places:
        request = Request(asks[at].method, HOST + asks[at].path, asks[at].body or None, {})
        _played(cassette, at)
        begun = time.perf_counter()
        response = cassette.play_response(request)
        took += time.perf_counter() - begun
        _check(response["body"]["string"], asks[at])
    names = [each.__name__ for each in matchers]
    return Figures(load_s, took / len(places), _vcrpy_httpx(asks, file, places, names))


def _vcrpy_httpx(asks: Sequence[Ask], file: Path, places: Sequence[int], names: list[str]) -> float:
    took = 0.0
    with (
        vcr.use_cassette(str(file), record_mode="none", match_on=names) as cassette,
        httpx.Client(base_url=HOST) as client,
    ):
        for at in places:
            _played(cassette, at)
            begun = time.perf_counter()
            response = _call(client, asks[at])
            took += time.perf_counter() - begun
            _check(response.content, asks[at])
    return took / len(places)


def _played(cassette: Any, at: int) -> None:
    cassette.play_counts.clear()
    cassette.play_counts.update(range(at))


# Ours


def ours(asks: Sequence[Ask], folder: Path) -> Figures:
    """One round of ours."""
    begun = time.perf_counter()
    player = machine(folder / "tapes.db")
    load_s = time.perf_counter() - begun
    machine_s = _machine_s(player, asks)
    with served(folder / "tapes.db") as url, httpx.Client(base_url=url) as client:
        begun = time.perf_counter()
        contents = [_call(client, ask).content for ask in asks]
        took = time.perf_counter() - begun
    for ask, content in zip(asks, contents, strict=True):
        _check(content, ask)
    return Figures(load_s, machine_s, took / len(asks))


def _machine_s(player: Any, asks: Sequence[Ask]) -> float:
    from recorder.events import Message
    from recorder.heads import RequestHead

    messages = [
        Message(at, "http.request", RequestHead(ask.method, ask.path, "", HEAD).encode(), ask.body)
        for at, ask in enumerate(asks)
    ]
    payloads: list[bytes] = []
    begun = time.perf_counter()
    for now, message in enumerate(messages):
        player.receive(message, now)
        payloads += (each.payload for each in player.due(now))
    took = time.perf_counter() - begun
    for ask, payload in zip(asks, payloads, strict=True):
        _check(payload, ask)
    return took / len(asks)


# Both


def _call(client: httpx.Client, ask: Ask) -> httpx.Response:
    return client.request(ask.method, ask.path, content=ask.body or None, headers=dict(HEAD))


def _check(content: bytes | str, ask: Ask) -> None:
    got = content.encode() if isinstance(content, str) else content
    if got != ask.answer:
        raise SystemExit(f"{ask.method} {ask.path} was answered with {got[:80]!r}")


def compare(kind: str, count: int, rounds: int, sample: int) -> None:
    """One table row per contender."""
    asks = KINDS[kind](count)
    matchers = [*_PLACE, body] if kind == "a body each" else _PLACE
    theirs: list[Figures] = []
    mine: list[Figures] = []
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "cassette.yaml").write_text(cassette_text(asks))
        tape(asks, folder / "tapes.db")
        for _ in range(rounds):
            theirs.append(vcrpy(asks, folder, sample, matchers))
            mine.append(ours(asks, folder))
    print(f"\n{count:,} recorded requests, {kind}")
    print(f"{'':10}{'load s':>9}{'machine µs':>12}{'httpx µs':>10}")
    for label, rows in (("VCR.py", theirs), ("ours", mine)):
        load, alone, called = (statistics.median(column) for column in zip(*rows, strict=True))
        print(f"{label:10}{load:9.2f}{alone * 1e6:12,.0f}{called * 1e6:10,.0f}")
    ratios = (
        [other[at] / own[at] for other, own in zip(theirs, mine, strict=True)] for at in range(3)
    )
    load, alone, called = (statistics.median(each) for each in ratios)
    print(f"{'ratio':10}{load:9.1f}{alone:12.0f}{called:10.0f}")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--sizes", default="1000,10000")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--sample", type=int, default=50)
    asked = parser.parse_args()
    for size in asked.sizes.split(","):
        for kind in KINDS:
            compare(kind, int(size), asked.rounds, asked.sample)


if __name__ == "__main__":
    main()
