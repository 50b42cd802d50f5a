"""Tapes for tests of checks, without a store."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import replace
from typing import Any

from tapes import Take, conversation

from recorder.events import Event
from recorder.pricing import PriceBook
from recorder.projections import Seen
from recorder.projections.marks import MetricRow
from recorder.providers import PROVIDERS
from recorder.providers.base import Provider
from replay.checks import Tape, parse, read_tape, run
from replay.checks.outcomes import Verdict
from replay.checks.tape import NO_TIMES

MS = 1_000_000
OPENAI = PROVIDERS["openai"]


def tape(
    takes: Iterable[Take], provider: Provider = OPENAI, metrics: Iterable[MetricRow] = ()
) -> Tape:
    """A tape of `takes`, read; `metrics` were measured."""
    tracker = provider.tracker()
    seen = []
    for seq, (at_ms, channel, sender, kind, type_, body) in enumerate(takes, 1):
        name = tracker.inspect(channel, sender, kind, type_, body).type or type_
        event = Event("tape", seq, int(at_ms * MS), channel, sender, kind, name, body)
        seen.append(Seen(event, 0.0))
    return read_tape(seen, provider, PriceBook.shipped(), lambda _: metrics)


TAPE = tape(conversation())
CUT = tape(conversation(interrupted=True))
UNTIMED = replace(TAPE, untimed=NO_TIMES)


def judge(text: str, on: Tape = TAPE) -> Verdict:
    """The verdict of one check, given as the lines below `[[check]]`."""
    (result,) = run(parse(f"[[check]]\n{text}", "checks.toml"), on)
    return result.verdict


def with_message(takes: Iterable[Take], type_: str, **fields: Any) -> list[Take]:
    """`takes` with one more message of the provider before the end."""
    made = list(takes)
    body = json.dumps({"type": type_, **fields}).encode()
    made.insert(-2, made[-3]._replace(sender="provider", kind="ws.text", body=body))
    return made
