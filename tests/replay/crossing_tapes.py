"""Tapes of a small scenario at either provider, held on virtual time and kept in a store."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping

from recorder.audio.pcm import to_bytes
from recorder.capture.log import Log
from recorder.capture.secrets import store_secrets
from recorder.capture.tap import Tape
from recorder.capture.writer import Writer
from recorder.clock import VirtualClock
from recorder.heads import RequestHead
from recorder.providers import provider
from recorder.store.base import SessionRow, Store
from recorder.trial.doubles import Doubles
from recorder.trial.rendering import Clip
from recorder.trial.scenario import Scenario, read_scenario
from recorder.trial.sides import side as trial_side
from recorder.trial.sides.base import script
from replay.crossing.desk import Beside, Desk
from replay.crossing.outgoing import Fitting, Outgoing
from replay.crossing.sides import side
from replay.crossing.sides.base import Words
from replay.loopback import Loopback
from replay.simulators.common.voice import synthesise
from replay.taping import Taped

WALL_NS = 1_790_000_000_000_000_000
REPLIES = (
    "I have booked a table for you on Monday, the code is R-17, and I wish you a very good time.",
    "Of course, I am waiting.",
)
SCENARIO = read_scenario(
    """\
schema = 1
id = "small"
title = "A booking that is interrupted"
speaks_first = "user"
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
delay_ms = 400
result = { ok = true, code = "R-17" }
[[turn]]
say = "Book a table on Monday."
[[turn]]
mode = "yield"
say = "Wait, please."
at = { after = "agent_speech_start", delay_ms = 2500, timeout_ms = 8000 }
[end]
quiet_ms = 800
max_s = 40
[provider.openai]
voice = "marin"
[provider.vapi]
voice = { provider = "vapi", voiceId = "Elliot" }
""",
    "small.toml",
)
SHORT = read_scenario(
    """\
schema = 1
id = "short"
title = "A booking"
[agent]
instructions = "You book tables."
[[agent.tools]]
name = "book_table"
description = "Book a table"
[[tool]]
name = "book_table"
delay_ms = 100
result = "done"
[[turn]]
say = "Book table."
[end]
quiet_ms = 500
max_s = 20
""",
    "short.toml",
)
_KEY = (("Host", "simulator"), ("Authorization", "Bearer sk-made-up"))
_HOOKS = "http://team.example/hooks"


def hold(
    store: Store,
    name: str,
    scenario: Scenario = SCENARIO,
    replies: tuple[str, ...] = REPLIES,
) -> SessionRow:
    """A scenario at the simulator of a provider."""
    clock, found, here = VirtualClock(0, WALL_NS), provider(name), trial_side(name)
    doubles = Doubles(scenario.doubles)
    party = here.party(scenario, script(scenario, _clips(scenario), here.RATE), doubles)
    said = tuple(turn.say for turn in scenario.turns if turn.say)
    machine = side(name).simulator(1, WALL_NS, Words(said, replies, None))
    writer = Writer(store, clock, store_secrets(store, {}))
    writer.start()
    taped: list[Tape] = []

    def tape_for(head: RequestHead) -> Tape:
        if not taped:
            taped.append(writer.open(name, "calls"))
        return taped[0]

    log = Log(tape_for, writer, found.WEBHOOKS)
    fitting = Fitting(_KEY, _HOOKS if found.WEBHOOKS else None, is_here=True)
    caller = Outgoing(party, found, fitting, 10**12, clock.advance_to)
    world = Beside(Taped(machine, log, clock), Desk(found, doubles), caller)
    for _ in Loopback(caller, world, limit_ns=120 * 10**9):
        pass
    writer.close()
    assert party.failed is None, party.failed
    row = store.session(taped[0].session)
    assert row is not None
    return row


def _clips(scenario: Scenario) -> Mapping[int, Clip]:
    """Synthetic speech, with a tail of silence."""
    found = {}
    for turn in scenario.turns:
        sound = synthesise(turn.say or "")
        pcm = to_bytes(sound) + b"\0\0" * 12_000
        found[turn.number] = Clip(pcm, sound.size // 24, hashlib.sha256(pcm).hexdigest())
    return found
