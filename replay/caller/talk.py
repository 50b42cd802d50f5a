"""One WebSocket of a tape, played anew: turn by turn, and in answer to what comes."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable

from recorder.counting import counted
from recorder.events import Kind, Message
from recorder.heads import Close, ResponseHead
from recorder.providers.neutral import Fault, Neutral
from replay.caller.acts import Act, SocketPlan
from replay.caller.answering import Answering
from replay.caller.kit import LATE, Kit, Ready
from replay.caller.microphone import Microphone
from replay.caller.names import ids_of, text_of
from replay.caller.perception import Seen
from replay.caller.scene import Cut, Scene
from replay.caller.tools import Tools, drop_names, encoded, put
from replay.caller.waiting import missing, opens_at

_JITTER_NS = 40_000_000


class Talk:
    """Plays `plan` on a channel. `is_over` once it is closed, or was refused. Times in ns."""

    def __init__(self, plan: SocketPlan, channel: int, tools: Tools, kit: Kit, now: int) -> None:
        self.plan, self.scene = plan, Scene(kit.conduct, kit.scenes)
        self.is_over = False
        self.over_ns = 0
        self.at = 0  # the act that is next
        self.prev_ns = now  # when the one before was done
        self._channel, self._kit = channel, kit
        self._notes = kit.notes
        self._is_open = False
        self.turn = 0  # what the caller said last
        self._microphone = Microphone()
        self._is_heard = False  # whether what is spoken has begun to be heard
        self._answering = Answering(plan, self.scene, tools, kit, self._text)
        self._faults: Counter[str] = Counter()
        self._cut_turns: set[int] = set()
        self._ids: dict[tuple[int, str, str], int] = {}
        self._seen_ids: set[str] = set()
        self._kinds = {name: key[2] for key, names in plan.ids.items() for name in names}
        self.told: dict[str, int] = {}  # ids that the plan lends, and when each got its like here
        self._needs_ids = bool(plan.lends) or any(act.names for act in plan.acts)
        self._ready: Ready | None = None  # what can be done next, streaming aside
        self._is_awaited = True  # whether the end of what was said is not heard yet
        self._is_stale = True  # whether these have to be found anew
        self._has_streamed = False

    # What comes

    def opened(self, head: ResponseHead, payload: bytes, now: int) -> None:
        """The answer to the upgrade."""
        self.prev_ns = now
        if head.status == 101:
            self._is_open = self._is_stale = True
            return
        self._end(now)
        recorded = self.plan.answer.status if self.plan.answer else 101
        if head.status != recorded:
            told = text_of(payload) or head.reason
            self._notes.fail(0, f"the upgrade was refused with status {head.status}: {told}")

    def closed(self, close: Close, now: int) -> None:
        """The other side has closed."""
        if self.is_over:
            return
        if not self._is_expected(now):
            told = f"{close.code} {close.reason}".strip()
            self._notes.fail(self.turn, f"the provider closed the connection: {told}")
        self._end(now)

    def _is_expected(self, now: int) -> bool:
        """Whether the conversation had come to its end."""
        left = self.plan.acts[self.at :]
        has_spoken = self._microphone.loud_until <= now
        return has_spoken and all(
            act.what == "close" and missing(act, self.scene) is None for act in left
        )

    def _end(self, now: int) -> None:
        self.is_over, self.over_ns = True, now
        self._microphone.stop()

    def receive(self, seen: Seen, kind: Kind, now: int) -> None:
        """A message of the provider."""
        cuts = len(self.scene.cuts)
        self._is_stale = True
        self.scene.provider(seen, now)
        if self._needs_ids and kind == "ws.text" and not seen.heard:
            self._bind(seen, now)
        for told in seen.told:
            if isinstance(told, Fault):
                self._failed(told)
        self._answering.hear(seen.told, self.turn, now)
        if len(self.scene.cuts) > cuts:
            self._was_cut(now)

    def tell(self, told: Iterable[Neutral], now: int) -> None:
        """What was told beside the socket."""
        self._is_stale = True
        self.scene.tell(told, now)

    def _bind(self, seen: Seen, now: int) -> None:
        """Ids are paired by the place in the conversation where they first come."""
        if seen.type in self._kit.book.rules.deltas:
            return
        for kind, name in ids_of(seen.body, seen.type, self._kit.book):
            if name in self._seen_ids:
                continue
            self._seen_ids.add(name)
            key = (self.scene.turn, seen.type, kind)
            at = self._ids[key] = self._ids.get(key, -1) + 1
            recorded = self.plan.ids.get(key, ())
            if at < len(recorded):
                self._kit.names.bind(kind, recorded[at], name)
                if recorded[at] in self.plan.lends:
                    self.told[recorded[at]] = now

    def _failed(self, fault: Fault) -> None:
        self._faults[fault.code] += 1
        if self._faults[fault.code] <= self.plan.faults.get(fault.code, 0):
            return  # as on the tape
        told = f"{fault.code}: {fault.text}"
        if fault.code in self._kit.conduct.benign:
            self._notes.note(self.turn, f"an error that the tape does not have: {told}")
        else:
            self._notes.fail(self.turn, told)

    def _was_cut(self, now: int) -> None:
        """The provider stopped the reply. If the tape does not say so, how much was heard is told
        all the same, where its client does tell."""
        self._cut_turns.add(self.turn)
        upcoming = self.plan.acts[self.at :]
        turn = upcoming[0].turn if upcoming else -1
        if any(act.what == "cut" and act.turn == turn for act in upcoming):
            return
        if self.turn not in self.plan.cut_turns:
            self._notes.note(self.turn, "the reply was interrupted, on the tape it was not")
        template = next((act for act in self.plan.acts if act.what == "cut"), None)
        while self.scene.cuts:
            cut = self.scene.cuts.popleft()
            if template is not None:
                body = self._cut_body(template, cut, is_new=True)
                self._answering.add(now, body)

    # What is due

    def due(self, now: int) -> list[Message]:
        """What is to be sent by `now`, in the order of its times."""
        sent: list[Message] = []
        while (coming := self._coming()) is not None and coming[0] <= now:
            when, ready = coming
            if ready is None:
                sent.append(self._speak_on(when))
            else:
                sent += ready.run(when)
                self._is_stale = True
        return sent

    def deadline(self) -> int | None:
        """When the next thing is due by itself."""
        coming = self._coming()
        return None if coming is None else coming[0]

    def _coming(self) -> tuple[int, Ready | None] | None:
        """When the next thing is due, and what; None is the next piece of audio."""
        if self.is_over or not self._is_open or self._notes.stop is not None:
            return None
        if self._is_stale:
            self._look()
        ready, spoken = self._ready, self._microphone.next(self._is_awaited)
        if spoken is not None and (ready is None or spoken < ready[:2]):
            return spoken[0], None
        return None if ready is None else (ready.when, ready)

    def _look(self) -> None:
        """See what can be done next, streaming aside: it is the same until something happens."""
        found, act = self._answering.ready(), self._act()
        if act is not None:
            found.append(act)
        self._ready = min(found, key=lambda each: each[:2], default=None)
        self._is_awaited = not (self.scene.signs["silence"] or self.scene.signs["input"])
        self._is_stale = False

    def _speak_on(self, when: int) -> Message:
        """Give out audio; of a stream the first piece tells all that there is to know."""
        chunk = self._microphone.take()
        self._notes.audio_ns += chunk.length_ns
        if chunk.is_loud and not self._is_heard:
            self._is_heard = self._is_stale = True
            self.scene.asked()
        if self.at < len(self.plan.acts) and self.plan.acts[self.at].after:
            self._is_stale = True  # the next act has to follow some of it
        if self._has_streamed:
            return Message(self._channel, chunk.kind, chunk.body)
        self._has_streamed = True
        return self._send(chunk.kind, chunk.body, when)

    def _act(self) -> Ready | None:
        """The next act, or giving up what it waits for."""
        if self.at == len(self.plan.acts):
            return self._last()
        act = self.plan.acts[self.at]
        if act.what == "cut" and not act.own:
            return self._cut_ready(act)
        if act.after > self._microphone.sent_seq:
            return None
        lacks = missing(act, self.scene)
        if lacks is None:
            when = opens_at(act, self.scene, self._causes(act))
            if when is not None:
                when = self._in_stream(act, when)
                return Ready(when, act.seq, lambda at: self._do(act, at))
        patience = self._gives_up_at(act)
        if lacks is None or lacks.can_go_on:
            text = lacks.text if lacks else ""
            return Ready(patience, act.seq, lambda at: self._go_on(act, text, at))
        return Ready(patience, act.seq, lambda at: self._give_up(lacks.text, act))

    def _in_stream(self, act: Act, when: int) -> int:
        """Where the microphone stays open, what is said next keeps its place in the stream, unless
        that is another moment to an ear."""
        before = self._microphone.act
        if act.what != "speak" or before is None or not before.stays_open:
            return when
        place = self._microphone.began_ns + act.at_ns - before.at_ns
        return place if abs(place - when) <= _JITTER_NS else when

    def _causes(self, act: Act) -> list[int]:
        causes = [self.prev_ns]
        if act.after:
            causes.append(self._microphone.sent_ns)
        if act.what == "speak":
            causes.append(self._microphone.loud_until)
        return causes

    def _gives_up_at(self, act: Act) -> int:
        waited = self.prev_ns + act.cue.wait_ns
        heard = max(self.scene.activity_ns, self._microphone.loud_until)
        return max(waited, heard) + self._kit.patience_ns

    def _go_on(self, act: Act, text: str, now: int) -> list[Message]:
        if text:
            self._notes.note(max(self.turn, 1), text)
        return self._do(act, now)

    def _give_up(self, text: str, act: Act) -> list[Message]:
        patience = self._kit.patience_ns / 1e9
        self._notes.give_up(self.turn, f"{text} within {patience:g} s of what came before")
        return []

    def _last(self) -> Ready | None:
        """After the last act of a tape whose client did not close: wait for the provider to."""
        scene, plan = self.scene, self.plan
        end = self.prev_ns + max(0, plan.end_ns - (plan.acts[-1].at_ns if plan.acts else 0))
        quiet = max(end, scene.activity_ns, scene.playout.ends_at)
        is_due = plan.closed_by == "provider"
        when = quiet + (self._kit.patience_ns if is_due or not scene.is_idle else 0)

        def close(at: int) -> list[Message]:
            if is_due:
                self._notes.note(self.turn, "the provider did not close, on the tape it did")
            return [self._close(Close(1000).encode(), at)]

        return Ready(when, LATE, close)

    # Acts

    def _do(self, act: Act, now: int) -> list[Message]:
        refused = self._kit.refuses(act.turn) if act.turn > self.turn else None
        if refused is not None:
            self._notes.give_up(act.turn, refused)
            return []
        self._compare(act)
        self.at += 1
        self.prev_ns, self.turn = now, act.turn
        if act.what == "close":
            self._mark(act.seq)
            return [self._close(act.body, now)]
        if act.what == "speak":
            self._mark(act.seq)
            self._microphone.speak(act, now)
            self._is_heard = False
            return []
        if act.what == "cut":
            self.scene.interrupt(now)
            return self._tell_cut(act, now)
        return self._say(act, now)

    def _say(self, act: Act, now: int) -> list[Message]:
        lost = self._kit.names.missing(act.names, self._kinds)
        if lost is not None:
            self._notes.note(act.turn, f"{act.type} is left out: nothing stands for {lost} here")
            return []
        if act.what == "stop" and act.cue.begun > act.cue.ended and not self.scene.is_replying:
            self._notes.note(act.turn, f"{act.type} is left out: the reply is over")
            return []
        self._mark(act.seq)
        body = self._kit.names.body(act.body, act.type) if act.names else act.body
        sent = [self._send(act.kind, body, now)]
        if act.what == "ask":
            self.scene.asked()
        return sent

    def _compare(self, act: Act) -> None:
        """When something new is said: did the reply before it go as on the tape?"""
        cue, scene = act.cue, self.scene
        if act.what not in ("say", "ask", "speak", "close") or not self.turn:
            return
        is_silent = self._kit.conduct.heard is None  # else what it is told of that is missed
        if act.turn > self.turn or act.what == "close":
            self._answering.missed(self.turn)
            missed = self.turn in self.plan.cut_turns and self.turn not in self._cut_turns
            if missed and is_silent:
                self._notes.note(self.turn, "no interruption came")
        if cue.heard_ns is not None and scene.playout.heard_at(scene.since, cue.heard_ns) is None:
            ms = cue.heard_ns // 1_000_000
            self._notes.note(self.turn, f"the reply was over before {ms} ms of it were heard")
        elif cue.heard_ns is None and cue.ended and scene.ended > cue.ended:
            replies = counted(scene.ended, "reply", "replies")
            self._notes.note(self.turn, f"{replies} came, on the tape {cue.ended}")

    def _cut_ready(self, act: Act) -> Ready | None:
        """Telling how much was heard: once the provider has stopped the reply."""
        scene = self.scene
        if scene.cuts:
            when = max(self.prev_ns, scene.cuts[0].at_ns) + act.cue.gap_ns
            return Ready(when, act.seq, lambda at: self._cut(act, at))
        when = scene.playout.ends_at
        if scene.is_replying:
            when = max(when, scene.activity_ns + self._kit.patience_ns)
        return Ready(max(when, self.prev_ns), act.seq, lambda at: self._uncut(act, at))

    def _uncut(self, act: Act, now: int) -> list[Message]:
        self._notes.note(act.turn, "no interruption came")
        self.at += 1
        self.prev_ns = now
        return []

    def _cut(self, act: Act, now: int) -> list[Message]:
        self.at += 1
        self.prev_ns, self.turn = now, act.turn
        return self._tell_cut(act, now)

    def _tell_cut(self, act: Act, now: int) -> list[Message]:
        if not self.scene.cuts:
            self._notes.note(act.turn, f"{act.type} is left out: nothing was playing")
            return []
        self._mark(act.seq)
        body = self._cut_body(act, self.scene.cuts.popleft(), is_new=False)
        return [self._send("ws.text", body, now)]

    def _cut_body(self, act: Act, cut: Cut, *, is_new: bool) -> bytes:
        assert self._kit.conduct.heard is not None
        item, ms = self._kit.conduct.heard
        message = json.loads(act.body)
        put(message, item, cut.item)
        put(message, ms, cut.ms)
        if is_new:
            drop_names(message)
        return act.body if message == json.loads(act.body) else encoded(message)

    # Sending

    def _mark(self, seq: int) -> None:
        if seq:
            self._notes.done.add(seq)

    def _text(self, body: bytes, now: int) -> list[Message]:
        return [self._send("ws.text", body, now)]

    def _send(self, kind: Kind, body: bytes, now: int) -> Message:
        seen = self._kit.perceive(self._channel, kind, body, now)
        self.scene.client(seen, now)
        return Message(self._channel, kind, body)

    def _close(self, body: bytes, now: int) -> Message:
        self._end(now)
        return Message(self._channel, "ws.close", body)

    def hang_up(self, now: int) -> list[Message]:
        """Close now, whatever is left."""
        return [self._close(Close(1000).encode(), now)] if self._is_open else []
