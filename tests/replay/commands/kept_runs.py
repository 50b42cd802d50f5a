"""Tapes in stores, for `replay run`, and what it recorded of them."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import closing
from pathlib import Path

from openai_tapes import simulator, typed
from tapes import Take, record

from recorder.events import Event
from recorder.providers import PROVIDERS
from recorder.recording import Recording
from recorder.store import open_store
from replay.digest import tape_digest
from replay.match.rulebook import Rulebook

OPENAI = PROVIDERS["openai"]
SEED = 5


def keep(url: str, tape: Sequence[Event]) -> str:
    """Put a tape into a store."""
    takes = [
        Take(each.at_ns / 1e6, each.channel, each.sender, each.kind, _type(each), each.body)
        for each in tape
    ]
    with closing(open_store(url, create=True)) as store:
        return record(store, takes, trial="first")


def _type(event: Event) -> str:
    return "" if event.kind == "ws.text" else event.type


def keep_typed(folder: Path) -> tuple[str, str]:
    """A store with one typed conversation with a simulator of `SEED`, and its session."""
    url = f"sqlite:///{folder / 'tapes.db'}"
    return url, keep(url, typed(simulator(SEED, replies=())))


def recorded(url: str, session: str) -> list[Event]:
    """The events of a session."""
    with closing(open_store(url, create=False, readonly=True)) as store:
        return list(Recording(store, session).events())


def digest(url: str, session: str) -> str:
    """The canonical digest of a session."""
    return tape_digest(recorded(url, session), OPENAI, Rulebook(OPENAI.RULES)).digest
