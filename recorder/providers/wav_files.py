"""WAV files on their way as bodies of exchanges."""

from __future__ import annotations

from recorder.audio.wav import RECORDING, WavData, wav_data
from recorder.providers.base import Insight
from recorder.spans import AudioField, is_rate


class WavFiles:
    """Follows the files of one session: a header stays in the body, the samples are audio."""

    def __init__(self) -> None:
        self._coming: dict[int, WavData] = {}  # by channel, what is still to come

    def has(self, channel: int, body: bytes) -> bool:
        """Whether a piece of a body is one of a file."""
        return channel in self._coming or body[:4] == b"RIFF"

    def piece(self, channel: int, name: str, body: bytes) -> Insight:
        """What such a piece holds; the empty one ends the file."""
        found = self._coming.pop(channel, None) or wav_data(body)
        if not body or found is None:
            return Insight(name, ended=(RECORDING,))
        start, size, codec, rate, channels = found
        end = len(body) if size is None else min(start + size, len(body))
        left = None if size is None else size - (end - start)
        self._coming[channel] = found._replace(start=0, size=left)
        if start >= end or not is_rate(rate):
            return Insight(name)
        return Insight(name, (AudioField(start, end, "raw", RECORDING, codec, rate, channels),))
