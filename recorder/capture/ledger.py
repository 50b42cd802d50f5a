"""The ledger: from queued items to committed rows, one transaction for whatever is waiting.

While a batch is being prepared (secrets, audio, digests), the audio of the batch before it is
encoded on a second thread, which holds no interpreter lock; then that batch is committed. With
nothing waiting behind it a batch is committed at once. What cannot be stored ends the tapes
concerned (`end`) or leaves a marked hole in them (`pass`).
"""

from __future__ import annotations

import logging
from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from typing import Literal

from recorder.capture.encode import Draft
from recorder.capture.live import LiveTape
from recorder.capture.resume import recover
from recorder.capture.runs import BEAT_NS
from recorder.capture.sealing import seal
from recorder.capture.tap import Happened, Order
from recorder.clock import Clock
from recorder.errors import RecorderError, StoreError
from recorder.redact import Secrets
from recorder.store.base import RunRow, Sealed, Store

OnFailure = Literal["end", "pass"]
BATCH_BYTES = 4 << 20
BATCH_ITEMS = 2000
OVERHEAD = 200  # bytes that a queued item takes beside its body
log = logging.getLogger("recorder.writer")


@dataclass
class _Pending:
    draft: Draft
    seals: list[Future[Sealed]]
    tapes: set[LiveTape]
    ending: set[int]  # tapes whose end is in it
    given_up: bool = False


class Ledger:
    """Owns the writing of a store. One thread calls it, in order: `start`, `write`…, `finish`.

    `fail(tape, error)` is called when a tape can no longer be written.
    """

    def __init__(
        self,
        store: Store,
        clock: Clock,
        secrets: Secrets,
        on_failure: OnFailure,
        fail: Callable[[int, RecorderError], None],
    ) -> None:
        self._store, self._clock, self._secrets = store, clock, secrets
        self._on_failure, self._fail = on_failure, fail
        self._live: dict[int, LiveTape] = {}
        self._pending: _Pending | None = None
        self._pool = ThreadPoolExecutor(1, "recorder-seal")
        self._beat_at = clock.now_ns() + BEAT_NS

    def start(self, run: RunRow) -> list[str]:
        """Begin `run`; returns the sessions of dead runs that were ended as interrupted."""
        ended = recover(self._store, self._clock.wall_ns(), self._secrets)
        self._run = run
        self._store.put_run(run)
        return ended

    @property
    def pending(self) -> bool:
        """Whether something is prepared and not yet committed."""
        return self._pending is not None

    def write(self, items: Sequence[Happened | Order], *, more: bool) -> None:
        """Take a batch. With `more` to come at once it is committed behind the next one."""
        fresh = self._prepare(items) if items else None
        if self._pending:
            self._commit(self._pending, fresh)
        self._pending = fresh
        if fresh and not more:
            self._commit(fresh, None)
            self._pending = None
        self._keep_house()

    def beat_in_s(self) -> float:
        """Seconds until `write` should be called even with nothing to write."""
        return max((self._beat_at - self._clock.now_ns()) / 1e9, 0.0)

    def finish(self) -> None:
        """Write what is pending, the notes of broken tapes, and the end of the run."""
        self.write((), more=False)
        self._mend()
        self._beat(self._clock.wall_ns())
        self._pool.shutdown()

    def _prepare(self, items: Sequence[Happened | Order]) -> _Pending:
        draft = Draft()
        queued: defaultdict[int, list[Happened | Order]] = defaultdict(list)
        for item in items:
            queued[item[0]].append(item)  # only the order within a tape counts
        tapes: dict[int, LiveTape] = {}
        for number, mine in queued.items():
            tape = self._live.get(number) or self._admit(mine[0])
            if tape is not None:
                tapes[number] = tape
                tape.take(mine, draft)
                tape.flush(draft)
        seals = [self._pool.submit(seal, job) for job in draft.jobs]
        ending = {number for number, tape in tapes.items() if tape.over}
        return _Pending(draft, seals, set(tapes.values()), ending)

    def _admit(self, first: Happened | Order) -> LiveTape | None:
        """A new tape; None if this is something that came after the end of one."""
        if not isinstance(first, Order) or first.action != "begin":
            return None
        number = first.tape
        tape = self._live[number] = LiveTape(
            first.value,
            self._secrets,
            self._store,
            lambda error: self._fail(number, error),
            may_go_on=self._on_failure == "pass",
        )
        return tape

    def _commit(self, pending: _Pending, behind: _Pending | None) -> None:
        """Commit. On failure what was prepared behind it is given up too: it builds on it."""
        try:
            if not pending.given_up:
                pending.draft.batch.sealed = [future.result() for future in pending.seals]
                self._store.commit(pending.draft.batch)
        except RecorderError as error:
            log.error("%s", error)
            self._give_up(pending, behind, error)
        except Exception as error:
            log.exception("a batch could not be stored; this is a bug, please report it")
            self._give_up(pending, behind, _bug(error))
        else:
            for tape in pending.tapes - (behind.tapes if behind else set()):
                tape.settle()
            self._drop(pending.ending)

    def _give_up(self, pending: _Pending, behind: _Pending | None, error: RecorderError) -> None:
        self._break_off(pending.tapes | (behind.tapes if behind else set()), error)
        if behind:
            behind.given_up = True

    def _break_off(self, tapes: Iterable[LiveTape], error: RecorderError) -> None:
        for tape in tapes:
            tape.break_off(error)

    def _drop(self, numbers: Iterable[int]) -> None:
        for number in list(numbers):
            if self._live[number].over:
                del self._live[number]

    def _keep_house(self) -> None:
        self._try(self._store.maintain)
        if self._clock.now_ns() >= self._beat_at:
            self._beat_at = self._clock.now_ns() + BEAT_NS
            self._beat(None)
            self._mend()
            if self._live and not self._store.exists():
                gone = StoreError("the store's file is gone; recording has ended")
                log.error("%s", gone)
                self._break_off(self._live.values(), gone)

    def _beat(self, ended_ns: int | None) -> None:
        self._run = self._run._replace(beat_ns=self._clock.wall_ns(), ended_ns=ended_ns)
        self._try(lambda: self._store.put_run(self._run))

    def _mend(self) -> None:
        for number, tape in list(self._live.items()):
            if not tape.broken:
                continue
            try:
                self._try(tape.mend)
            except Exception as error:
                log.exception("a tape could not be mended; this is a bug, please report it")
                tape.over = True  # whatever is in it, the others go on
                self._fail(number, _bug(error))
            self._drop([number])

    def _try(self, action: Callable[[], None]) -> None:
        """Housekeeping may fail while the store is out of reach; it is tried again later."""
        try:
            action()
        except StoreError as error:
            log.warning("%s", error)


def _bug(error: Exception) -> StoreError:
    return StoreError(f"the recorder failed: {error!r}")
