"""The modes of the plug-in, named for what they allow, and what each does with a tape."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal, get_args

Mode = Literal["replay", "record", "new", "live"]
"""`replay`: no network but the loopback interface. `record`: only the recorder reaches the
provider, for tapes that are missing. `new`: as `record`, and tapes that are there are replayed.
`live`: everything goes through, and nothing is compared."""
MODES: tuple[Mode, ...] = get_args(Mode)

State = Literal["kept", "missing", "damaged"]
Plan = Literal["replay", "record", "live", "skip", "missing", "damaged", "refused"]
"""What a test gets: a replay, a recording, the live service; or it is skipped, or fails because
its tape is missing or damaged, or would have to be recorded where that is refused."""


def plan(mode: Mode, state: State, is_ci: bool) -> Plan:
    """What to do for a test whose tape is in a state. A tape that is there is never recorded
    again, and a CI run never records."""
    if mode == "live":
        return "live"
    if state == "damaged":
        return "damaged"
    if state == "kept":
        return "skip" if mode == "record" else "replay"
    if mode == "replay":
        return "missing"
    return "refused" if is_ci else "record"


def in_ci(environ: Mapping[str, str]) -> bool:
    """Whether this is a CI run: `CI` is set, and not to something that means no."""
    return environ.get("CI", "").strip().lower() not in ("", "0", "false", "no", "off")
