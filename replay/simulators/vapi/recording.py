"""The files that a finished call left: recordings as WAV, the log as gzipped lines of JSON."""

from __future__ import annotations

import gzip

import numpy as np

from replay.simulators.vapi.call import Call
from replay.simulators.vapi.errors import encode
from replay.simulators.vapi.sound import Samples, mixed, speak, wav


def content(call: Call, kind: str) -> tuple[str, bytes]:
    """Media type and bytes of an artifact (a key of `documents.FILES`)."""
    if kind == "log":
        lines = b"".join(encode(row) + b"\n" for row in call.log)
        return "application/gzip", gzip.compress(lines, mtime=0)
    rate = call.form.rate
    if call.customer.length or call.bot.length:
        length = max(call.customer.length, call.bot.length)
        customer, bot = call.customer.part(0, length), call.bot.part(0, length)
    else:
        customer, bot = _voiced(call, "user"), _voiced(call, "bot")
    if kind == "stereo":
        return "audio/wav", wav(np.stack((customer, bot), axis=1), rate, 2)
    one = {"mono": mixed(customer, bot), "customer": customer, "assistant": bot}[kind]
    return "audio/wav", wav(one, rate)


def _voiced(call: Call, role: str) -> Samples:
    """One side of a call of which no audio is held: its messages, spoken at their times."""
    rate, start = call.form.rate, call.started_ms or call.created_ms
    lane = np.zeros(call.duration_ms * rate // 1000, dtype=np.int16)
    for item in call.history.items:
        if item["role"] == role:
            place, end = ((item[key] - start) * rate // 1000 for key in ("time", "endTime"))
            samples = speak(item["message"], rate, {})[: max(0, min(end, lane.size) - place)]
            lane[place : place + samples.size] = samples
    return lane
