"""Write docs/metrics.md from the catalogue of metrics.

python docs/make_metrics.py            write it
python docs/make_metrics.py --check    say whether it is current
"""

from __future__ import annotations

import sys
from itertools import groupby
from pathlib import Path

from recorder.metrics import VERSION
from recorder.metrics.catalogue import CATALOGUE
from recorder.metrics.evidence import Settings

TARGET = Path(__file__).parent / "metrics.md"
INTRO = """# Metrics
The table `metric` has one row a value: `session, turn, metric, value, unit, definition, parameters,
first_seq, last_seq`. A value without evidence has no row; nothing is 0 because it is not known.
`definition` is the name and the version of the definition, `parameters` what the value depends on:
values with another version or other parameters are not comparable. `first_seq` and `last_seq` are
the events that a value rests on. This page describes version {version} of all definitions together;
`record rebuild` measures old tapes anew.

**Clocks.** All times are of the recorder's own monotonic clock, save where a provider's stamp is
named. t(x) is when the recorder read x.

**Lanes.** The user's lane is what the client sent: a piece begins when it was sent, and a burst
after a stall fills the stall. The agent's lane is what a listener *heard*: a piece plays when it
comes, or when what was queued before it has been played, and an interruption drops the queue – at
the client's `truncate` or `cancel`, else at the provider's word. The player has no pre-buffer: one
that has adds it to every latency.

**Speech** is told from silence by energy: {vad}. `u_on` and `u_off` are begin and end of the user's
speech in a turn, `a_on` the begin of the agent's answer as heard. The user's part of a turn is what
began after the turn before it and before the agent was heard; where it was not, before the provider
heard the user stop.

**There is no common latency.** For one turn the definitions below differ by several hundred
milliseconds. `v2v_ms` is the one that means the same for every provider; the others are there to be
compared with what other tools publish.
"""


def text() -> str:
    """The whole page."""
    vad = Settings().vad
    told = (
        f"frames of {vad.frame_ms} ms, from {vad.open_dbfs:g} dBFS on (RMS about the mean) for"
        f" {vad.open_ms} ms, down to {vad.hysteresis_db:g} dB less while it lasts, until"
        f" {vad.close_ms} ms of silence; boundaries are those of the first and last loud frame"
    )
    parts = [INTRO.format(version=VERSION, vad=told)]
    for family, group in groupby(CATALOGUE.items(), key=lambda item: item[1].family):
        parts.append(f"\n## {family.capitalize()}\n")
        parts.append("| metric | unit | of a | definition | absent when |\n|---|---|---|---|---|")
        for name, about in group:
            parts.append(
                f"| `{name}` | {about.unit} | {about.per} | {about.what} | {about.absent} |"
            )
    return "\n".join(parts) + "\n"


def main() -> int:
    if "--check" in sys.argv[1:]:
        return 0 if TARGET.read_text() == text() else 1
    TARGET.write_text(text())
    return 0


if __name__ == "__main__":
    sys.exit(main())
