"""The recorder beside other programs, in one run: `make bench`, or with a part's name.

    python -m benchmarks.run [throughput|latency|memory] [--pairs N] [--messages N]

Rows are ratios; contenders take turns (A B C A B C …) so that a noisy moment hits them all.
"""

from __future__ import annotations

import argparse
import asyncio
import statistics
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import NamedTuple

from benchmarks import processes
from benchmarks.latency import CALLS, PER_SECOND, Late, latency
from benchmarks.memory import growth
from benchmarks.peers import Collector, Source, connect, serve
from benchmarks.processes import Contender
from benchmarks.traffic import messages

Start = Callable[[int, Path], Contender]
ALL: dict[str, Start] = {
    "websockets": processes.websockets_relay,
    "recorder": processes.recorder,
    "mitmproxy": processes.mitmproxy,
    "orm": processes.orm_recorder,
}
_SLOW = {"mitmproxy": 8, "orm": 10}  # how much less these are given


class Figures(NamedTuple):
    """One contender, one run."""

    rate: float  # messages a second, the drain to disk included
    cpu_us: float  # a message
    stored: int  # bytes on disk


async def throughput(start: Start, texts: Sequence[bytes]) -> Figures:
    """One direction, as fast as it goes; the clock stops when the contender has exited."""
    with tempfile.TemporaryDirectory() as name:
        server, port = await serve(lambda: Source(texts))
        contender = start(port, Path(name))
        client = Collector(len(texts))
        transport = await connect(contender.base, client)
        await asyncio.sleep(0.2)
        begun = time.monotonic()
        transport.send(1, b'{"type":"response.create"}')  # type: ignore[arg-type]
        await asyncio.wait_for(client.done.wait(), 300)
        transport.disconnect()
        used = await asyncio.to_thread(contender.stop)
        took = time.monotonic() - begun
        server.close()
        expected = sum(map(len, texts))
        if client.size != expected:
            raise SystemExit(f"{contender.name} delivered {client.size} of {expected} bytes")
        stored = _check(contender, len(texts))
    return Figures(len(texts) / took, used.cpu_s / len(texts) * 1e6, stored)


def _check(contender: Contender, count: int) -> int:
    """That the recorder's store holds what was sent; bytes on disk."""
    if contender.name == "recorder" and contender.store:
        import sqlite3

        with sqlite3.connect(contender.store) as store:
            found = store.execute("select count(*) from event where sender='provider'").fetchone()
        if found[0] != count + 1:
            raise SystemExit(f"the store holds {found[0]} of {count + 1} events")
    return contender.store.stat().st_size if contender.store else 0


def table(title: str, rows: dict[str, list[Figures]]) -> None:
    """Medians, and each rate against the unrecorded relay of the same round."""
    print(f"\n{title}")
    print(f"{'':12}{'msg/s':>9}{'CPU µs':>8}{'x websockets (min-max)':>26}{'KB on disk':>12}")
    base = rows["websockets"]
    for name, figures in rows.items():
        ratios = [mine.rate / theirs.rate for mine, theirs in zip(figures, base, strict=True)]
        rate = statistics.median(f.rate for f in figures)
        cpu = statistics.median(f.cpu_us for f in figures)
        spread = f"{statistics.median(ratios):.2f} ({min(ratios):.2f}-{max(ratios):.2f})"
        print(f"{name:12}{rate:9,.0f}{cpu:8.1f}{spread:>26}{figures[-1].stored / 1024:12,.0f}")


async def run_throughput(count: int, pairs: int, sizes: Sequence[float], names: list[str]) -> None:
    """Throughput of every contender at each message size."""
    for size in sizes:
        share = count * 5 if size < 1 else count if size < 64 else count // 5
        rows: dict[str, list[Figures]] = {name: [] for name in names}
        for _ in range(pairs):
            for name in names:
                texts = messages(share // _SLOW.get(name, 1), size)
                try:
                    rows[name].append(await throughput(ALL[name], texts))
                except FileNotFoundError as missing:
                    print(f"left out: {missing} is not installed")
                    names.remove(name)
                    del rows[name]
        table(f"{size} KB messages, drained", rows)


async def run_latency(seconds: int, pairs: int, names: list[str]) -> None:
    """Latency at 20 calls, each contender beside no relay at all."""
    starts: dict[str, Start | None] = {"direct": None}
    starts |= {name: ALL[name] for name in names if name != "orm"}
    rows: dict[str, list[Late]] = {name: [] for name in starts}
    for _ in range(pairs):
        for name, start in starts.items():
            rows[name].append(await latency(start, seconds))
    print(f"\n{CALLS} calls x {PER_SECOND} messages/s each way, ms late")
    print(f"{'':12}{'p50':>8}{'p99':>8}{'p99.9':>8}{'worst':>8}{'p99 added':>11}")
    direct = statistics.median(late.p99 for late in rows["direct"])
    for name, lates in rows.items():
        p50, p99, p999, worst = (statistics.median(column) for column in zip(*lates, strict=True))
        print(f"{name:12}{p50:8.2f}{p99:8.2f}{p999:8.2f}{worst:8.2f}{p99 - direct:11.2f}")


async def run_memory() -> None:
    """Memory growth of the recorder over 100,000 messages."""
    for size in (0.2, 8):
        grown = await growth(processes.recorder, size)
        print(f"memory growth per 100,000 messages of {size} KB: {grown / 1e6:.1f} MB")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("part", nargs="?", default="all")
    parser.add_argument("--pairs", type=int, default=5)
    parser.add_argument("--messages", type=int, default=40_000)
    parser.add_argument("--sizes", default="0.2,8,64")
    parser.add_argument("--only", default=",".join(ALL))
    parser.add_argument("--seconds", type=int, default=10)
    asked = parser.parse_args()
    sizes = [float(size) for size in asked.sizes.split(",")]
    if asked.part in {"all", "throughput"}:
        asyncio.run(run_throughput(asked.messages, asked.pairs, sizes, asked.only.split(",")))
    if asked.part in {"all", "latency"}:
        asyncio.run(run_latency(asked.seconds, asked.pairs, asked.only.split(",")))
    if asked.part in {"all", "memory"}:
        asyncio.run(run_memory())


if __name__ == "__main__":
    main()
