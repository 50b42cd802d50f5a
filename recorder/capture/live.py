"""A tape as the writer sees it: its encoder, and what becomes of it when storing fails."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Sequence

from recorder.capture.encode import Draft, Encoder, SecretLeft
from recorder.capture.resume import acquaint, open_segments, resume
from recorder.capture.sealing import seal
from recorder.capture.tap import Happened, Order
from recorder.characters import storable
from recorder.errors import RecorderError, StoreError
from recorder.providers import PROVIDERS
from recorder.redact import Redactor, Secrets, redact_text
from recorder.store.base import ChannelRow, SessionRow, Status, Store

NOTES = 0  # the channel of the recorder's own notes


class LiveTape:
    """Used by one thread only; `fail` tells whoever holds the tape that it is over.

    A tape that broke takes no events until `mend` has written a note of how many are missing;
    then it is over, or goes on after the hole if it `may_go_on`. Such a tape ends `incomplete`.
    """

    def __init__(
        self,
        row: SessionRow,
        secrets: Secrets,
        store: Store,
        fail: Callable[[RecorderError], None],
        *,
        may_go_on: bool,
    ) -> None:
        tracker = PROVIDERS[row.provider].tracker()
        self.session = row.id
        self.over = False
        self.broken: RecorderError | None = None
        self._tracker, self._secrets, self._store, self._fail = tracker, secrets, store, fail
        self._redactor = Redactor(secrets, PROVIDERS[row.provider].PERSONAL)
        self._encoder = Encoder(row, tracker, self._redactor)
        self._channels: list[ChannelRow] = []  # those that the store may not have yet
        self._may_go_on = may_go_on
        self._acquainted = False
        self._goes_on = False
        self._holed = False
        self._lost = 0
        self._last_ns = 0
        self._wanted: Status | None = None

    def take(self, items: Iterable[Happened | Order], draft: Draft) -> None:
        """Add queued items to `draft`, in order."""
        events: list[Happened] = []
        for item in items:
            if isinstance(item, Order):
                self._add(events, draft)
                events = []
                self._obey(item, draft)
            else:
                events.append(item)
        self._add(events, draft)

    def flush(self, draft: Draft) -> None:
        """Add the audio that open segments gained."""
        if not self.broken:
            self._encoder.flush(draft)

    def settle(self) -> None:
        """All that was taken is committed."""
        if not self.broken:
            self._channels.clear()

    def break_off(self, error: RecorderError, *, may_go_on: bool = True) -> None:
        """Storing failed. What was prepared and not stored counts as lost. The tape goes on after
        the hole if both this and whoever made it allow that."""
        goes_on = may_go_on and self._may_go_on
        if self.broken is None:
            self._goes_on = goes_on
            self._last_ns = max(self._last_ns, self._encoder.at_ns)
        self.broken, self.over, self._holed = error, False, True
        if not goes_on:
            self._fail(error)

    def mend(self) -> None:
        """Write the note of the hole; StoreError while the store is still out of reach."""
        reason = str(self.broken)
        stored = self._store.session(self.session)
        if stored and stored.digest is not None:
            stored = None  # it had ended, and that it goes on is not stored yet
            self._acquaint()
        prepared = self._encoder.seq
        row = self._encoder.row._replace(status="recording", events=None, digest=None)
        encoder = resume(self._store, stored or row, self._tracker, self._redactor)
        draft = Draft()
        if stored is None:
            encoder.begin(draft)
        self._restore_channels(encoder, draft)
        draft.batch.sealed = [seal(job) for job in open_segments(self._store, row.id)]
        note = {"lost_events": self._lost + max(prepared - encoder.seq, 0), "reason": reason}
        at_ns = max(self._last_ns, encoder.at_ns)
        encoder.add(at_ns, NOTES, "recorder", "note", "hole", json.dumps(note).encode(), draft)
        ends = self._wanted is not None or not self._goes_on
        if ends:
            encoder.finish("incomplete", draft)
        self._store.commit(draft.batch)
        self._channels.clear()
        self._encoder, self.broken, self._lost, self.over = encoder, None, 0, ends

    def _add(self, events: Sequence[Happened], draft: Draft) -> None:
        """Add events; those of a tape that broke are lost."""
        if not self.broken:
            before = self._encoder.seq
            try:
                self._encoder.take(events, draft)
                return
            except SecretLeft as error:
                self.break_off(error, may_go_on=False)
                events = events[self._encoder.seq - before + 1 :]
        if events:
            self._lost += len(events)
            self._last_ns = events[-1][1]

    def _obey(self, order: Order, draft: Draft) -> None:
        if order.action == "channel":
            number, kind, target = order.value
            shown = storable(redact_text(self._secrets, target))
            row = ChannelRow(self.session, number, kind, shown)
            self._channels.append(row)
            if not self.broken:
                self._encoder.channel(row, draft)
        elif order.action == "end":
            self._wanted = order.value
            if not self.broken:
                self._encoder.finish("incomplete" if self._holed else order.value, draft)
                self.over = True
        elif self.broken:
            return
        elif order.action == "begin":
            self._begin(draft)
        elif order.action == "end_channel":
            self._encoder.end_channel(order.value, draft)
        elif order.action == "learn":
            self._encoder.learn(order.value, draft)

    def _begin(self, draft: Draft) -> None:
        """A new session, or one that had ended and goes on."""
        row = self._encoder.row
        if row.ended_ns is not None:
            try:
                self._acquaint()
                self._encoder = resume(self._store, row, self._tracker, self._redactor)
            except StoreError as error:
                self.break_off(error)
                return
        self._encoder.begin(draft)

    def _acquaint(self) -> None:
        """Show the tracker, once, what a session that goes on had told."""
        if not self._acquainted:
            acquaint(self._store, self.session, self._tracker)
            self._acquainted = True

    def _restore_channels(self, encoder: Encoder, draft: Draft) -> None:
        have = {row.channel for row in self._store.channels(self.session)}
        notes = ChannelRow(self.session, NOTES, "notes", "")
        for row in (notes, *self._channels):
            if row.channel not in have:
                encoder.channel(row, draft)
