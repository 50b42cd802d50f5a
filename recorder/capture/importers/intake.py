"""Storing imported conversations: all of a file or nothing, through encoder and redactor."""

from __future__ import annotations

from collections.abc import Sequence

from recorder.capture.encode import Draft, Encoder
from recorder.capture.importers.conversation import Conversation
from recorder.capture.runs import this_run
from recorder.capture.sealing import seal
from recorder.chain import SCHEME
from recorder.clock import Clock
from recorder.ids import session_id
from recorder.providers.base import Provider
from recorder.redact import Redactor, Secrets, redact_text
from recorder.store.base import ChannelRow, SessionRow, Store

_DAY_NS = 86_400_000_000_000


def take_in(
    store: Store,
    clock: Clock,
    secrets: Secrets,
    provider: Provider,
    trial: str,
    conversations: Sequence[Conversation],
) -> list[SessionRow]:
    """Store each conversation as a session of origin `import` and return their final rows.

    A session's id is of now, so that what was imported last is the last session; its wall anchor
    is the file's, or the second in which the provider made its id, or now. SecretLeft or
    StoreError leaves the store as it was.
    """
    run = this_run(clock)
    draft = Draft()
    rows = []
    for number, conversation in enumerate(conversations):
        wall_ns = _wall_ns(conversation, provider, run.started_ns)
        row = SessionRow(
            session_id(run.started_ns + number * 1_000_000),  # ids of one file sort in its order
            trial,
            provider.NAME,
            wall_ns,
            SCHEME,
            run.id,
            external_id=conversation.facts.get("external_id"),
            model=conversation.facts.get("model"),
            origin="import",
        )
        rows.append(_encode(row, provider, secrets, conversation, draft))
    draft.batch.sealed = [seal(job) for job in draft.jobs]
    store.commit(draft.batch)
    store.put_run(run._replace(beat_ns=clock.wall_ns(), ended_ns=clock.wall_ns()))
    return rows


def _encode(
    row: SessionRow,
    provider: Provider,
    secrets: Secrets,
    conversation: Conversation,
    draft: Draft,
) -> SessionRow:
    encoder = Encoder(row, provider.tracker(), Redactor(secrets, provider.PERSONAL))
    encoder.begin(draft)
    for number, (kind, target) in enumerate(conversation.channels, 1):
        encoder.channel(ChannelRow(row.id, number, kind, redact_text(secrets, target)), draft)
    for take in conversation.takes:
        encoder.add(*take, draft)
    encoder.finish("complete", draft)
    return encoder.row


def _wall_ns(conversation: Conversation, provider: Provider, now_ns: int) -> int:
    """When the conversation began, ns since 1970. An id from the future does not count."""
    if conversation.wall_ns is not None:
        return conversation.wall_ns
    external = conversation.facts.get("external_id") or _external_id(conversation, provider)
    minted = provider.minted_ns(external) if external else None
    return minted if minted is not None and minted < now_ns + _DAY_NS else now_ns


def _external_id(conversation: Conversation, provider: Provider) -> str | None:
    """The provider's id of the session, from the first event that tells it."""
    tracker = provider.tracker()
    for _, channel, sender, kind, type_, body in conversation.takes:
        facts = tracker.inspect(channel, sender, kind, type_, body).facts
        if facts and "external_id" in facts:
            return facts["external_id"]
    return None
