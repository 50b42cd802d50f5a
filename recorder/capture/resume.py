"""Take up a session where the store has it: to add to it later, or to end what a crash left."""

from __future__ import annotations

from recorder.capture.encode import Draft, Encoder, SealJob
from recorder.capture.runs import runs_by_id, status_now
from recorder.capture.sealing import seal
from recorder.chain import LINK_BYTES
from recorder.providers import PROVIDERS
from recorder.providers.base import Tracker
from recorder.redact import Redactor, Secrets
from recorder.store.base import SessionRow, Store, stored_body


def resume(store: Store, row: SessionRow, tracker: Tracker, redactor: Redactor) -> Encoder:
    """An encoder that goes on after the last stored event of `row`, by the rule of its chain."""
    count = store.count(row.id)
    last = next(iter(store.events(row.id, after=count - 1)), None) if count else None
    segments = store.segments(row.id)
    at_ns = last.at_ns if last else row.ended_ns
    return Encoder(
        row._replace(ended_ns=at_ns),
        tracker,
        redactor,
        seq=count,
        digest=last.digest if last else None,
        segments=max((segment.number for segment in segments), default=0),
    )


def acquaint(store: Store, session: str, tracker: Tracker) -> None:
    """Show a fresh tracker what a session has told beside its sockets, such as how the audio of a
    call is coded, so that what is added is seen in the light of it."""
    for row in store.events(session):
        if row.kind.startswith(("http.", "webhook.")):
            tracker.inspect(row.channel, row.sender, row.kind, row.type, stored_body(row))


def open_segments(store: Store, session: str) -> list[SealJob]:
    """What a dead writer left unsealed."""
    return [
        SealJob(row, store.audio(session, row.number))
        for row in store.segments(session)
        if store.sealed(session, row.number) is None
    ]


def recover(store: Store, wall_ns: int, secrets: Secrets) -> list[str]:
    """End, as interrupted, every session whose run has died; returns their ids. One with a chain of
    an unknown scheme reads as interrupted all the same."""
    runs = runs_by_id(store)
    ended = []
    for row in store.sessions():
        if row.status != "recording" or status_now(row, runs, wall_ns) == "recording":
            continue
        if row.scheme not in LINK_BYTES:
            continue  # left to a program that knows it
        draft = Draft()
        tracker = PROVIDERS[row.provider].tracker()
        resume(store, row, tracker, Redactor(secrets)).finish("interrupted", draft)
        draft.batch.sealed = [seal(job) for job in open_segments(store, row.id)]
        store.commit(draft.batch)
        ended.append(row.id)
    return ended
