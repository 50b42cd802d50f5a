"""A small scenario as text, and sound for it."""

from __future__ import annotations

import numpy as np

from recorder.audio.pcm import to_bytes
from recorder.trial.rendering import Clip
from recorder.trial.scenario import Scenario, read_scenario
from replay.simulators.common.voice import synthesise

TEXT = """\
schema = 1
id = "small"
title = "A small one"
seed = 7
speaks_first = "user"
[voice]
voice = "en-us"
wpm = 180
tail_silence_ms = 600
[agent]
instructions = "You book tables."
[[agent.tools]]
name = "book_table"
description = "Book a table"
[agent.tools.parameters]
type = "object"
properties = { day = { type = "string", enum = ["Monday", "Sunday"] } }
[[tool]]
name = "book_table"
when = { day = "Monday" }
delay_ms = 400
result = { ok = true, code = "R-17" }
[[tool]]
name = "*"
error = "unavailable"
[[turn]]
say = "Book a table on Monday."
entities = { day = "Monday" }
expect = [{ calls = "book_table" }, { says = { contains = "R-17" } }]
[[turn]]
mode = "yield"
say = "Wait, please."
at = { after = "agent_speech_start", delay_ms = 700, timeout_ms = 8000 }
[end]
quiet_ms = 800
max_s = 40
[budget]
v2v_p90_ms = 3000
max_cost_usd = 0.5
[provider.openai]
voice = "marin"
[provider.vapi]
voice = { provider = "vapi", voiceId = "Elliot" }
"""


def scenario(*changes: tuple[str, str], text: str = TEXT) -> Scenario:
    """The small one, with texts replaced."""
    return read_scenario(changed(*changes, text=text), "small.toml")


def changed(*changes: tuple[str, str], text: str = TEXT) -> str:
    for old, new in changes:
        assert text.count(old) == 1, old
        text = text.replace(old, new)
    return text


def clips(of: Scenario) -> dict[int, Clip]:
    """Synthetic speech, with a tail of silence."""
    tail = b"\0\0" * 12_000
    found = {}
    for turn in of.turns:
        if turn.say is not None:
            sound = synthesise(turn.say)
            found[turn.number] = Clip(to_bytes(sound) + tail, len(sound) // 24, "made-up")
    return found


def tone(ms: int, rate: int, level: float = 0.3) -> bytes:
    """A loud tone."""
    wave = np.sin(np.arange(rate * ms // 1000) / rate * 2 * np.pi * 440) * 32767 * level
    return to_bytes(wave.astype(np.int16))
