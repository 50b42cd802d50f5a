"""The sound of the chosen turns, of every arm, read from the tapes."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from recorder.audio.files import encode_flac
from recorder.audio.lanes import stereo
from recorder.audio.pcm import to_bytes
from recorder.comparison.evidence import Evidence
from recorder.comparison.page import asking
from recorder.comparison.page.choosing import Choice, Scripted, choose
from recorder.comparison.page.numbers import number
from recorder.comparison.page.sections import WAIT
from recorder.comparison.sentences import quantity
from recorder.hearing import Sorter
from recorder.projections.marks import MetricRow
from recorder.projections.rows import TurnRow
from recorder.providers import provider
from recorder.recording import Recording
from recorder.report.page.lanes import RATE, envelope
from recorder.report.turns import places
from recorder.store.base import SessionRow, Store
from recorder.trial.record import Kept, kept_runs

MOST: Final = 3_000_000
"""Bytes of FLAC in a page; in the page they take a third more."""
LONGEST_S: Final = 20
"""Of one turn; what comes after it is cut off."""
_POINTS: Final = 400
_MS: Final = 1_000_000


class Spoken(NamedTuple):
    """A scripted turn in one arm. `to_ns` is where the caller came to the next turn, or the end."""

    row: SessionRow
    from_ns: int
    to_ns: int
    wait: MetricRow


class Heard(NamedTuple):
    """`turns` for the page, and the FLAC that they name by place. `left_out` are chosen turns that
    would have made the page too large; `paired` is how many turns every arm answered."""

    turns: list[dict[str, Any]]
    sounds: list[bytes]
    left_out: list[str]
    paired: int


def listen(store: Store, evidence: Evidence, arms: Sequence[str], most: int = MOST) -> Heard:
    """The turns to hear side by side, from the runs that count."""
    counting = {run.session for run in evidence.runs if run.is_valid}
    kept = (each for each in kept_runs(store, evidence.trial) if each.row.id in counting)
    spoken = _spoken(store, kept)
    waits = {
        key: {arm: each.wait.value for arm, each in found.items()} for key, found in spoken.items()
    }
    heard = Heard([], [], [], sum(len(found) == len(arms) for found in spoken.values()))
    used = 0
    for choice in choose(waits, arms):
        sides = [_clip(store, spoken[choice.scripted][arm], arm) for arm in arms]
        used += (size := sum(len(data) for _, data in sides))
        if used > most:
            used -= size
            heard.left_out.append(f"{_name(choice.scripted)} ({', '.join(choice.why)})")
            continue
        heard.turns.append(_turn(choice, [side for side, _ in sides], len(heard.sounds)))
        heard.sounds.extend(data for _, data in sides)
    return heard


def _name(scripted: Scripted) -> str:
    return f"{scripted.scenario}, run {scripted.repeat}, turn {scripted.turn}"


def _turn(choice: Choice, sides: Sequence[dict[str, Any]], place: int) -> dict[str, Any]:
    numbered = [{**side, "sound": place + number} for number, side in enumerate(sides)]
    name = _name(choice.scripted)
    return {"name": name, **choice.scripted._asdict(), "why": list(choice.why), "sides": numbered}


def _spoken(store: Store, kept: Iterable[Kept]) -> dict[Scripted, dict[str, Spoken]]:
    """Every turn with a wait, by what the script calls it, and by arm."""
    found: dict[Scripted, dict[str, Spoken]] = {}
    for each in kept:
        scenario, arm, repeat = each.key
        waits = [row for row in store.models("metric", each.row.id) if row.metric == WAIT]
        ends = [
            *each.turns[1:],
            {"seq": (each.row.events or 0) + 1, "at_ns": each.row.ended_ns or 0},
        ]
        for note, following in zip(each.turns, ends, strict=True):
            wait = _first(waits, note["seq"], following["seq"])
            if wait is not None:
                spoken = Spoken(each.row, note["at_ns"], following["at_ns"], wait)
                found.setdefault(Scripted(scenario, repeat, note["turn"]), {})[arm] = spoken
    return found


def _first(waits: Iterable[MetricRow], begin: int, end: int) -> MetricRow | None:
    """The wait that was measured from events between two notes."""
    return next((row for row in waits if begin <= row.first_seq < end), None)


def _clip(store: Store, spoken: Spoken, arm: str) -> tuple[dict[str, Any], bytes]:
    """A turn of one arm for the page, and its sound: caller left, agent right."""
    session, turn = spoken.row.id, spoken.wait.turn or 0
    row = next(each for each in store.models("turn", session) if each.turn == turn)
    frames = _cut(_sound(store, spoken.row), spoken)
    lasts = len(frames)
    facts = {
        "arm": arm,
        "session": session,
        "turn": turn,
        "ms": lasts * 1000 / RATE,
        "is_cut": spoken.to_ns - spoken.from_ns > LONGEST_S * 1000 * _MS,
        "wait": number(
            quantity(spoken.wait.value, "ms"),
            spoken.wait.value,
            f"Voice to voice: {arm}, turn {turn} of {session}",
            "From the caller's last sound until the listener hears the agent.",
            asking.measured(session, WAIT, turn),
        ),
        "user_text": row.user_text,
        "agent_text": row.agent_text,
        "user": envelope(np.ascontiguousarray(frames[:, 0]), lasts, _POINTS),
        "agent": envelope(np.ascontiguousarray(frames[:, 1]), lasts, _POINTS),
        **_marks(store, row, spoken.from_ns / _MS),
    }
    return facts, encode_flac(to_bytes(frames), RATE, 2)


def _marks(store: Store, row: TurnRow, from_ms: float) -> dict[str, float | None]:
    """Where in the clip the caller ended and the agent began."""
    values = {
        each.metric: each.value
        for each in reversed(store.models("metric", row.session))
        if each.turn == row.turn
    }
    found = places(row, values)
    return {
        name: None if (at := found[name]) is None else round(at - from_ms, 1)
        for name in ("off_ms", "on_ms")
    }


def _sound(store: Store, row: SessionRow) -> NDArray[np.int16]:
    """Both sides of a tape on its clock, at `RATE`."""
    sorter = Sorter(provider(row.provider).listener())
    for moment in Recording(store, row.id).moments():
        sorter.take(moment)
    return stereo(*sorter.lanes.sides(RATE))


def _cut(frames: NDArray[np.int16], spoken: Spoken) -> NDArray[np.int16]:
    begin = spoken.from_ns * RATE // 1_000_000_000
    end = min(spoken.to_ns * RATE // 1_000_000_000, begin + LONGEST_S * RATE)
    return frames[begin : max(begin, end)]


def components(store: Store, evidence: Evidence) -> Mapping[str, Mapping[str, float]]:
    """Dollars of the runs that count, by arm and component. A component with usage that has no
    price is left out, as it is not known."""
    found: dict[str, dict[str, float]] = {}
    unknown: set[tuple[str, str]] = set()
    for run in evidence.runs:
        for line in store.models("cost_line", run.session) if run.is_valid else ():
            if line.usd is None:
                unknown.add((run.arm, line.component))
                continue
            own = found.setdefault(run.arm, {})
            own[line.component] = own.get(line.component, 0.0) + float(line.usd)
    for arm, component in unknown:
        found.get(arm, {}).pop(component, None)
    return found
