"""Explains what of the client does not fit: what was expected, what came, and what to do."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from itertools import islice
from typing import Any, NamedTuple

from recorder.counting import counted
from recorder.events import Message
from recorder.heads import LOST, RequestHead
from recorder.providers.base import Provider
from replay.match.compare import Difference, Matcher
from replay.match.hearing import AudioMode
from replay.match.requests import response_value
from replay.match.voice import Voice
from replay.player.deliveries import Answer
from replay.player.line import Line
from replay.report import Failure, Missing, cut, difference_lines, labelled
from replay.script import Expected, Planned, Script

_LOOKED_AT = 200  # steps that are compared to find the nearest
_ERROR_WIDTH = 600
_REASON_BYTES = 123  # RFC 6455, 5.5: a control frame holds 125 bytes, two of them the code
CODE = "replay_mismatch"
_NAMED = 3  # targets that are listed
_SAME, _DONE, _LATER = "the same as", "(sent already)", "(not due yet)"
_RULE = "mend the client; or, if this is meant, add the rule above (--rule, --rules FILE)"
_REFERENCE = "use each id for what it stands for on the tape"
_ANEW = "mend the client; or, if this is meant, record the tape anew"
_MODES: dict[AudioMode, str] = {
    "exact": "send the recorded audio; --audio energy compares pieces of speech only",
    "energy": "say what was recorded; --audio duration compares how much sound there is",
    "duration": "send as much sound as was recorded; --audio ignore only counts audio",
    "ignore": "",
}


class Explainer(NamedTuple):
    """Makes failures. `hide` takes the secrets out of a text."""

    script: Script
    provider: Provider
    matcher: Matcher
    hide: Callable[[str], str]

    # Messages and audio

    def message(self, line: Line, message: Message) -> Failure:
        """A client message, or streamed audio, that does not fit on `line`."""
        if line.voice.found:
            return self.audio(line.voice)
        type_ = self.matcher.type_of(message.body) if message.kind == "ws.text" else message.kind
        waited = (at for at in line.open_steps() if at >= line.cleared)
        expected = next((line.script.expected[at] for at in waited), None)
        nearest = self._nearest(line, expected, message, type_)
        if expected is None:
            came = self._came(message, type_)
            headline = f"the client sent {came}, and the tape has no further client message"
            return Failure(headline, self._lines(nearest=nearest, next=_ANEW))
        if expected.kind == message.kind and expected.type == type_:
            return self._differing(expected, message, type_, nearest)
        return self._other(expected, message, type_, nearest)

    def _differing(self, expected: Expected, message: Message, type_: str, nearest: str) -> Failure:
        """A message of the expected type that says something else, or says it too early."""
        found = self._difference(expected, message, type_)
        named = f"step {expected.seq} {expected.type or expected.kind}"
        if found is None:
            return Failure(
                f"{named} came out of turn",
                self._lines(nearest=nearest, next="send messages in the order of the tape"),
            )
        found = self._referring(found)
        advice = _REFERENCE if found.reference else _RULE if found.accept else _ANEW
        lines = self._lines(nearest=nearest, next=advice)
        return Failure(f"{named} differs", (*difference_lines(found, self.hide), *lines))

    def _referring(self, found: Difference) -> Difference:
        """A wrong reference without its rule, which would hide that another thing is meant."""
        if not found.reference:
            return found
        is_known = self._is_known(found.reference)
        got = found.got if is_known else f"{found.got}, an id that the provider never gave"
        return found._replace(got=got, accept="")

    def _is_known(self, reference: str) -> bool:
        """Whether a live id was said by the provider, or stands for one of the tape."""
        if reference in self.matcher.bindings.renamed.values():
            return True
        name = json.dumps(reference).encode()
        return any(name in step.body for socket in self.script.sockets for step in socket.planned)

    def _other(self, expected: Expected, message: Message, type_: str, nearest: str) -> Failure:
        """A message of another type or opcode than the expected one."""
        came = self._came(message, type_)
        headline = f"step {expected.seq} expected {expected.type or expected.kind}, got {came}"
        if expected.kind != message.kind:
            what = "text frames, one JSON message each" if expected.kind == "ws.text" else "binary"
            sides = {"expected": expected.kind, "got": message.kind}
            return Failure(headline, self._lines(**sides, next=f"send {what}, as on the tape"))
        advice = _ANEW
        if nearest.startswith(_SAME):
            ways = {_LATER: f"send step {expected.seq} first", _DONE: "send this only once"}
            fitting = " or ".join(text for state, text in ways.items() if state in nearest)
            advice = f"{fitting}, as on the tape"
        said = {"expected": self._said(expected.type, expected.body)}
        said["got"] = self._said(type_, self._clean(message.body))
        return Failure(headline, self._lines(**said, nearest=nearest, next=advice))

    def audio(self, voice: Voice) -> Failure:
        """Audio that is not that of the tape."""
        found = voice.found
        assert found, "there is no difference to explain"
        lines = self._lines(expected=found.expected, got=found.got, next=_MODES[voice.mode])
        return Failure(f"step {found.seq} {found.text}", lines)

    def audio_end(self, voice: Voice) -> Failure | None:
        """The failure if nothing more comes and some of the audio did not; None if all came."""
        if voice.end():
            return None
        failure = self.audio(voice)
        return Missing(failure.headline, failure.details)

    # Waits and closes

    def wait(self, line: Line, patience_s: float) -> Failure:
        """The client was waited for in vain."""
        awaited, step = line.awaited(), line.next_step()
        within = f"within {patience_s:g} s of its time"
        if awaited:
            text = f"the client did not send {self._told(awaited)} {within}"
            return Missing(text, self._lines(next=_slow("send it")))
        assert step is not None, "nothing is waited for"
        text = f"{_step(step)} waits for audio that did not come {within}"
        lines = self._lines(
            expected=f"{counted(step.loud, 'byte')} of audio that are not silence",
            got=counted(line.ear.loud, "byte"),
            next=_slow("stream all of the recorded audio"),
        )
        return Missing(text, lines)

    def closed(self, line: Line, code: int) -> Failure | None:
        """The client closed; None if it had nothing more to get or to send."""
        unused, missing = line.unused(), line.missing()
        if not unused and not missing:
            return self.audio_end(line.voice)
        advice = "send the rest before closing" if missing else "wait for the rest before closing"
        lines = self._lines(
            missing=_counted(missing, "client"),
            audio=_unstreamed(line),
            unused=_counted(unused, "provider"),
            next=f"{advice}; or, if this is meant, record the tape anew",
        )
        is_sending = not unused or bool(missing and missing[0].seq < unused[0].seq)
        first = f"sent {_step(missing[0])}" if is_sending else f"got {_step(unused[0])}"
        before = f"the client closed ({code}) before it"
        if code == LOST:
            before = "the connection was lost before the client"
        return Missing(f"{before} {first}", lines)

    def ended(self, lines: Sequence[Line]) -> Failure:
        """The client ended the conversation before all of it was over."""
        unused: list[Expected | Planned] = [step for line in lines for step in line.unused()]
        missing: list[Expected | Planned] = [step for line in lines for step in line.missing()]
        first = min([*unused, *missing], key=lambda step: step.seq)
        by = next((line.ended for line in lines if line.ended), "a close")
        told = self._lines(
            missing=_counted(missing, "client"),
            unused=_counted(unused, "provider"),
            next=f"send {by} later; or, if this is meant, record the tape anew",
        )
        return Missing(f"the client ended the session ({by}) before {_step(first)}", told)

    def not_begun(self, rest: str | None, patience_s: float) -> Failure:
        """A connection or request that the client never began."""
        text = f"the client did not begin {rest} within {patience_s:g} s"
        return Missing(text, self._lines(next=_slow("begin it, at this server")))

    # Targets

    def socket(self, head: RequestHead, found: Difference | None) -> Failure:
        """An upgrade that the tape does not have, or not any more."""
        what = f"WebSocket to {self.hide(head.path)}"
        sockets = [script.request for script in self.script.sockets if script.request]
        return self._target(what, found, [_where(request) for request in sockets])

    def request(self, head: RequestHead, found: Difference | None) -> Failure:
        """A request that the tape does not have, or not any more."""
        what = f"{head.method} {self.hide(head.path)}"
        asked = [script.request for script in self.script.exchanges]
        return self._target(what, found, [f"{each.method} {_where(each)}" for each in asked])

    def _target(self, what: str, found: Difference | None, known: Sequence[str]) -> Failure:
        if found is None:
            advice = "do it as often as on the tape; or, if this is meant, record anew"
            return Failure(f"the tape has no further {what}", self._lines(next=advice))
        if not found.path.startswith(("$.method", "$.path")):
            lines = self._lines(next=_RULE if found.accept else _ANEW)
            part = found.path.split(".")[1].split("[")[0]
            headline = f"{what} with this {part} is not on the tape"
            return Failure(headline, (*difference_lines(found, self.hide), *lines))
        names = list(dict.fromkeys(known))
        more = f" and {len(names) - _NAMED} more" if len(names) > _NAMED else ""
        has = f"{', '.join(names[:_NAMED])}{more}" if names else "none"
        lines = self._lines(**{"on tape": has}, next="ask for what is on the tape; or record anew")
        return Failure(f"{what} is not on the tape", lines)

    # Webhooks

    def answer(self, answer: Answer) -> Failure | None:
        """The failure if the application's answer to a webhook is not the one on the tape. Where
        the tape has none of an application, any will do, and none."""
        script = answer.script
        what = f"step {script.seq} {script.type or 'webhook'}"
        if script.answer is None:
            return None
        if not answer.head.status:
            reason = cut(self.hide(answer.head.reason))
            lines = self._lines(next="start the application's server first, at --webhook-to")
            return Failure(f"{what} could not be delivered: {reason}", lines)
        want = response_value(script.answer, script.received)
        got = response_value(answer.head, answer.body)
        status = ({"status": side["status"]} for side in (want, got))  # says most, so is first
        found = self.matcher.match_values(script.type, *status)
        found = found or self.matcher.match_values(script.type, want, got)
        if found is None:
            return None
        lines = self._lines(next=_RULE.replace("client", "application") if found.accept else _ANEW)
        headline = f"the answer to webhook {what} differs"
        return Failure(headline, (*difference_lines(found, self.hide), *lines))

    # Texts

    def error(self, failure: Failure, body: bytes | None = None) -> bytes:
        """A failure as an error of the provider; `body` is the client's message to blame."""
        details = (line.strip() for line in failure.details)
        text = cut("; ".join((failure.headline, *details)), _ERROR_WIDTH)
        event_id = self.matcher.event_id(body) if body else None
        return self.provider.error_event(CODE, f"replay: {text}", event_id=event_id, by_client=True)

    def _lines(self, **texts: str) -> tuple[str, ...]:
        return tuple(labelled(name, self.hide(text)) for name, text in texts.items() if text)

    def _came(self, message: Message, type_: str) -> str:
        if type_:
            return cut(self.hide(type_))
        is_object = _read(message.body) is not None
        return "a message without a type" if is_object else "text that is no JSON object"

    def _told(self, expected: Expected) -> str:
        """An expected message by type, step, and what it says: `session.update (step 3): …,`."""
        named = f"{expected.type or expected.kind} (step {expected.seq})"
        said = self._said(expected.type, expected.body) if expected.kind == "ws.text" else ""
        return f"{named}: {cut(self.hide(said))}," if said else named

    def _said(self, type_: str, body: bytes) -> str:
        message = _read(body)
        return self.provider.describe(type_, message) if message is not None else ""

    def _clean(self, body: bytes) -> bytes:
        return self.hide(body.decode("utf-8", "replace")).encode("utf-8", "replace")

    def _difference(self, step: Expected, message: Message, type_: str) -> Difference | None:
        return self.matcher.difference(type_ or step.type, step.body, message.body)

    def _nearest(self, line: Line, expected: Expected | None, message: Message, type_: str) -> str:
        """The steps that fit but are not due or were sent already, else one of the same type."""
        alike = ""
        fitting: dict[str, str] = {}
        steps = (
            (step, done)
            for step, done in zip(line.script.expected, line.matched, strict=True)
            if step is not expected and step.kind == message.kind and step.type == type_
        )
        parts = _parts(message.body)
        for step, done in islice(steps, _LOOKED_AT):
            found = self._difference(step, message, type_)
            state = _DONE if done else _LATER
            if found is None:
                fitting.setdefault(state, f"step {step.seq} {state}")
            elif not alike and _parts(step.body) == parts:
                alike = f"{_step(step)} {state} differs at {found.path}"
        return f"{_SAME} {' and '.join(fitting.values())}" if fitting else alike


def close_reason(failure: Failure) -> str:
    """A failure as the reason of a close."""
    return f"replay: {failure.headline}".encode()[:_REASON_BYTES].decode(errors="ignore")


def _read(body: bytes) -> dict[str, Any] | None:
    try:
        message = json.loads(body)
    except (ValueError, RecursionError):
        return None
    return message if isinstance(message, dict) else None


def _unstreamed(line: Line) -> str:
    """The first stretch of audio of which some sound was not streamed; ``""`` if all was."""
    script, ear, rest = line.script, line.ear, line.ear.heard
    if line.voice.mode == "ignore" or not script.byte_rate or ear.loud >= script.sums[1][-1]:
        return ""
    for stretch in script.stretches:
        want, got = len(stretch.audio), min(rest, len(stretch.audio))
        if got < want:
            seconds = f"{got / script.byte_rate:.1f} s of {want / script.byte_rate:.1f} s"
            return f"step {stretch.seqs[0]}'s audio was not streamed ({seconds})"
        rest -= got
    return ""


def _parts(body: bytes) -> dict[str, Any]:
    """Of what type each object in a message is, such as its item: only the same are near."""
    message = _read(body) or {}
    return {key: each.get("type") for key, each in message.items() if isinstance(each, dict)}


def _counted(steps: Sequence[Expected | Planned], side: str) -> str:
    """How many steps of a side, and the first of them."""
    first = min(steps, key=lambda step: step.seq, default=None)
    return f"{len(steps)} of the {side}, next {_step(first)}" if first else ""


def _slow(what: str) -> str:
    return f"{what}; a client that needs longer is given it by --patience S"


def _step(step: Expected | Planned) -> str:
    return f"step {step.seq} {step.type or step.kind}"


def _where(head: RequestHead) -> str:
    return f"{head.path}?{head.query}" if head.query else head.path
