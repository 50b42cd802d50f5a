"""D. Transcription: when the words were known, and how many were wrong."""

from __future__ import annotations

import re
from collections.abc import Iterator

from recorder.metrics.acoustics import TurnSound
from recorder.metrics.evidence import Evidence
from recorder.metrics.values import Value, over

_NS = 1e6
_NO_WORD = re.compile(r"[^\w']+")


def measure(evidence: Evidence, turns: list[TurnSound]) -> Iterator[Value]:
    """`stt_delay_ms` of each turn, and `wer` where it is known what was said."""
    for sound in turns:
        turn = sound.turn
        finals = [
            each
            for each in evidence.models.transcripts
            if (each.turn, each.role, each.via) == (turn.turn, "user", "speech")
            and each.final_ns is not None
        ]
        if sound.user_off is not None and finals and evidence.is_timed:
            last = finals[-1]
            value = (last.final_ns or 0) / _NS - sound.user_off
            seqs = over(sound.seqs["user_off"], last.last_seq)
            yield Value("stt_delay_ms", value, *seqs, turn.turn, ("vad",))
        reference = evidence.references.get(turn.turn)
        if reference is not None and turn.user_text:
            seqs = turn.first_seq, turn.last_seq
            value = _wer(reference, turn.user_text)
            yield Value("wer", value, *seqs, turn.turn)


def _wer(reference: str, heard: str) -> float:
    """Word error rate, without case and punctuation; above 1 where more was heard than said."""
    import jiwer  # heavy, and only of use with a script

    return float(jiwer.wer(_plain(reference), _plain(heard)))


def _plain(text: str) -> str:
    return " ".join(_NO_WORD.sub(" ", text.casefold()).split())
