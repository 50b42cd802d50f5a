"""How fast a store of a million events is written, and answers questions.

    python -m benchmarks.questions [--sessions 1000] [--events 1000] [--store FILE]

Each session has the same events, of the size of text deltas, and the read models of one call of a
minute, derived once. Times are the best of five runs, in a process of their own connection.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

from benchmarks.call_tape import openai_call
from recorder import derive
from recorder.capture.process import WriterProcess
from recorder.capture.writer import Writer
from recorder.clock import SystemClock
from recorder.events import Event
from recorder.pricing import PriceBook
from recorder.redact import Secrets
from recorder.store import open_store
from recorder.store.base import Models, Store
from recorder.store.model_rows import ROWS
from recorder.store.query import asking

_SECRETS = Secrets(b"key of the benchmark")
_WORDS = ("booking", "table", "weather", "Friday", "evening", "thanks", "number", "address")
_RUNS = 5


def text(number: int) -> bytes:
    """A delta of a transcript."""
    message = {
        "type": "response.output_audio_transcript.delta",
        "event_id": f"event_{number:020}",
        "response_id": "resp_00000000000000001",
        "item_id": "item_00000000000000001",
        "output_index": 0,
        "content_index": 0,
        "delta": f" {_WORDS[number % len(_WORDS)]}",
    }
    return json.dumps(message, separators=(",", ":")).encode()


async def build(url: str, sessions: int, events: int) -> float:
    """Write the tapes through the writer process, as `record proxy` does; events a second from
    the first of them until all are committed."""
    bodies = [text(number) for number in range(events)]
    writer = WriterProcess(url, SystemClock())
    await writer.start()
    begun = time.monotonic()
    for _ in range(sessions):
        tape = writer.open("openai", "benchmark", model="gpt-realtime")
        channel = tape.channel("ws", "/v1/realtime")
        for body in bodies:
            tape.record(channel, "provider", "ws.text", "", body)
        tape.end()
        await asyncio.sleep(0)
        if writer.full:
            await writer.room()
    await writer.close()
    return sessions * events / (time.monotonic() - begun)


def call_models() -> Models:
    """The read models of a call of a minute."""
    memory = open_store("memory:", create=True)
    writer = Writer(memory, SystemClock(), _SECRETS)
    writer.start()
    tape = writer.open("openai", "benchmark", model="gpt-realtime")
    channel = tape.channel("ws", "/v1/realtime")
    told: list[Event] = openai_call(60)
    start = writer.now_ns()
    for event in told:
        moment = start + event.at_ns
        tape.record_late(moment, channel, event.sender, event.kind, event.type, event.body)
    tape.end()
    writer.close()
    (row,) = memory.sessions()
    return derive.derive(memory, row, PriceBook.shipped())


def said(session: str, number: int) -> Iterator[tuple[Any, ...]]:
    """Six turns of words, which differ from session to session."""
    for at in range(1, 13):
        words = (f"{_WORDS[(number + at * k) % 8]} {(number * at + k) % 997}" for k in range(12))
        role = ("user", "assistant")[at % 2]
        sentence = " ".join(words)
        times = (0, 0, None, None)
        yield (session, at, at // 2, role, "speech", None, None, sentence, *times, 1, 2)


def keep(store: Store, models: Models) -> float:
    """Give every session the read models; sessions a second."""
    begun = time.monotonic()
    rows = store.sessions()
    for number, row in enumerate(rows):
        mine: dict[str, list[tuple[Any, ...]]] = {
            table: [(row.id, *each[1:]) for each in models.get(table, [])] for table in ROWS
        }
        mine["transcript"] = list(said(row.id, number))
        store.put_models(row.id, mine)
    return len(rows) / (time.monotonic() - begun)


def best_ms(ask: Callable[[], int]) -> tuple[float, int]:
    """The best time of some runs, and how many rows came."""
    times, rows = [], 0
    for _ in range(_RUNS):
        begun = time.perf_counter()
        rows = ask()
        times.append((time.perf_counter() - begun) * 1000)
    return min(times), rows


def answers(url: str, session: str) -> None:
    """Ask, and print how long it took."""
    latency = "SELECT metric, count(*), avg(value_ms), max(value_ms) FROM v_latency GROUP BY metric"
    cost = "SELECT provider, model, meter, sum(quantity), sum(usd) FROM v_cost GROUP BY 1, 2, 3"
    search = (
        "SELECT session, turn, transcript.text FROM transcript_search JOIN transcript"
        " ON transcript.rowid = transcript_search.rowid"
        " WHERE transcript_search MATCH 'booking AND weather AND 42' LIMIT 100"
    )
    timeline = "SELECT seq, at_ms, sender, type FROM v_events WHERE session_id = '{}' ORDER BY seq"
    questions = {
        "timeline of a session": timeline.format(session),
        "v_latency, all sessions, by metric": latency,
        "v2v_ms of all turns": "SELECT * FROM v_latency WHERE metric = 'v2v_ms'",
        "v_cost, all sessions, by meter": cost,
        "v_sessions, all": "SELECT * FROM v_sessions",
        "v_turns, all": "SELECT * FROM v_turns",
        "v_turns of a session": f"SELECT * FROM v_turns WHERE session_id = '{session}'",
        "full-text search, 100 hits": search,
    }
    for name, sql in questions.items():

        def ask(sql: str = sql) -> int:
            with asking(url, sql) as (_, rows):
                return len(list(rows))

        took, rows = best_ms(ask)
        print(f"{name:<36} {took:9.1f} ms  {rows:>8} rows")


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--sessions", type=int, default=1_000)
    parser.add_argument("--events", type=int, default=1_000)
    parser.add_argument("--store", type=Path)
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        path = given.store or Path(name) / "questions.db"
        open_store(str(path), create=True).close()
        rate = asyncio.run(build(str(path), given.sessions, given.events))
        print(f"written: {rate:,.0f} events/s")
        size = path.stat().st_size / given.sessions / given.events
        body = len(text(0))
        print(f"file: {size:.0f} bytes an event, of which {body} are its text")
        with closing(open_store(str(path), create=False)) as store:
            print(f"read models kept: {keep(store, call_models()):,.0f} sessions/s")
            session = store.sessions()[given.sessions // 2].id
        whole = path.stat().st_size / given.sessions / given.events
        print(f"file with read models: {whole:.0f} bytes an event")
        answers(str(path), session)


if __name__ == "__main__":
    main()
