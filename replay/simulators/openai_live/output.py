"""The output of a session: to the primary connection a frame of 100 ms in its format, to sidebands
200 ms of PCM16 at 24 kHz with their place (recorded sessions)."""

from __future__ import annotations

from collections.abc import Callable

from replay.simulators.openai_live.mouth import FRAME_MS, Frame, Mouth, packed
from replay.simulators.openai_live.stage import STEP_MS, Stage, encoded

_DELTA = "session.output_audio.delta"


class Output:
    """Sends one frame after the other."""

    def __init__(self, stage: Stage, mouth: Mouth, is_observed: Callable[[], bool]) -> None:
        self._stage, self._mouth, self._is_observed = stage, mouth, is_observed
        self._silent_body: bytes | None = None
        self._wide = b""  # what sidebands have not got yet
        self._wide_ms = 0  # where that begins

    def frame(self) -> None:
        """Send the frame of this moment, its words before it."""
        stage = self._stage
        at_ms = int(stage.clock_ms) // FRAME_MS * FRAME_MS
        frame = self._mouth.frame(at_ms, may_speak=stage.is_flowing)
        for piece in frame.pieces:
            stage.emit(
                "session.output_transcript.delta",
                start_ms=piece.start_ms,
                end_ms=piece.end_ms,
                delta=piece.text,
            )
        if not stage.has_media:
            stage.send(self._body(frame), "primary")
        if self._is_observed():
            self._observe(frame, at_ms)
        else:
            self._wide = b""
        if frame.was_fixture:
            stage.emit("session.output_audio.fixture.played")

    def _body(self, frame: Frame) -> bytes:
        if not frame.is_silent:
            return encoded({"type": _DELTA, "delta": packed(frame.wire)})
        if self._silent_body is None:
            self._silent_body = encoded({"type": _DELTA, "delta": packed(frame.wire)})
        return self._silent_body

    def _observe(self, frame: Frame, at_ms: int) -> None:
        if not self._wide:
            self._wide_ms = at_ms
        self._wide += frame.wide
        end = at_ms + FRAME_MS
        if end - self._wide_ms >= STEP_MS:
            place = {"start_ms": self._wide_ms, "end_ms": end}
            body = encoded({"type": _DELTA, "delta": packed(self._wide), **place})
            self._stage.send(body, "sidebands")
            self._wide = b""
