"""When the client of a tape acts in a run: once what it had waited for is there again."""

from __future__ import annotations

from typing import NamedTuple

from recorder.counting import counted
from replay.caller.acts import Act
from replay.caller.scene import Scene

_WORDS = {
    "ready": "the session did not begin",
    "settings": "the settings were not confirmed",
    "speech": "no interruption came",
    "silence": "the end of what was said was not heard",
    "input": "what was said was not taken up",
    "acks": "what was sent was not acknowledged",
}
_FATAL = ("ready",)


class Missing(NamedTuple):
    """What an act still waits for, in words; without it the conversation can `go_on` or not."""

    text: str
    can_go_on: bool


def missing(act: Act, scene: Scene) -> Missing | None:
    """What has not come yet; None if all is there."""
    cue = act.cue
    if cue.begun and not scene.begun and scene.playout.count == scene.since:
        return Missing("no reply came", False)
    for sign, count in cue.signs.items():
        if _have(scene, sign) < count:
            return Missing(_WORDS[sign], sign not in _FATAL)
    if cue.heard_ns is not None:
        return None
    if cue.ended and not scene.is_idle:
        return Missing("the reply did not end", False)
    if cue.ended > scene.ended:
        replies = counted(scene.ended, "reply", "replies")
        return Missing(f"{replies} came, on the tape {cue.ended}", True)
    return None


def _have(scene: Scene, sign: str) -> int:
    if sign == "ready":
        return int(scene.is_ready)
    return scene.acks if sign == "acks" else scene.signs[sign]


def opens_at(act: Act, scene: Scene, causes: list[int]) -> int | None:
    """When (ns) an act is due for which nothing is missing; `causes` are what happened here. None
    while it waits to hear enough."""
    cue = act.cue
    if scene.last_ns:
        causes = [*causes, scene.last_ns]
    if cue.heard_ns is not None:
        reached = scene.playout.heard_at(scene.since, cue.heard_ns)
        if reached is None and scene.is_idle and (scene.ended or not cue.begun):
            reached = scene.playout.ends_at  # the reply was shorter
        return None if reached is None else max(reached + cue.gap_ns, causes[0])
    if cue.played:
        causes.append(scene.playout.ends_at)
    return max(causes) + cue.gap_ns
