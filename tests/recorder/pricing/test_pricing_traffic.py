"""Bills of real traffic, where `RECORDER_TRAFFIC` names a folder of it, by hand-checked dollars."""

from __future__ import annotations

import json
import os
from decimal import Decimal
from pathlib import Path

import pytest
from metering import REPORT, D, meter

_FOLDER = Path(os.environ.get("RECORDER_TRAFFIC", "no-such-folder"))
_HERE = pytest.mark.skipif(not _FOLDER.is_dir(), reason="RECORDER_TRAFFIC names no folder")


@_HERE
@pytest.mark.parametrize(
    ("name", "usd"),
    [
        # 14*4 + 27*32 + 28*16 + 136*64 millionths, and 3 s of 0.017 a minute
        ("audio_in_server_vad_turn", D("0.010072") + D("0.00085")),
        # 1492 and 5849.6 millionths, and 26*2.5 + 9*10 for the transcript
        ("azure_spoken_turn_with_tool", D("0.001492") + D("0.0058496") + D("0.000155")),
        # 16*4 + 9*16 + 15*64 millionths
        ("text_in_audio_out_turn", D("0.001168")),
        # 63*4 + 22*16, then 39*4 + 64*0.4 + 13*16 millionths
        ("tool_call_round", D("0.000604") + D("0.0003896")),
        # 12*4 + 5*16 millionths
        ("sideband_text_turn", D("0.000128")),
    ],
)
def test_a_session_of_realtime(name: str, usd: Decimal) -> None:
    found = meter()
    for text in (_FOLDER / "openai" / f"{name}.jsonl").read_text().splitlines():
        frame = json.loads(text)
        if frame["dir"] == "server" and isinstance(frame.get("event"), dict):
            found.take(frame["event"]["type"], frame["event"], seq=frame["n"])
    assert found.usd == usd
    assert found.unpriced == found.notes == []


@_HERE
def test_a_report_of_2026() -> None:
    found = meter("vapi")
    path = _FOLDER / "vapi" / "20_end-of-call-report_2026.json"
    found.take(REPORT, json.loads(path.read_text()))
    assert found.usd is not None
    assert round(found.usd, 4) == D("0.1034")
    assert found.unpriced == found.notes == []


@_HERE
def test_a_call_with_a_voice_under_an_own_key() -> None:
    found = meter("vapi")
    path = _FOLDER / "vapi" / "32_get_call.json"
    found.take("GET /call/{id}", json.loads(path.read_text()))
    assert found.usd is None
    assert round(found.known_usd, 4) == D("0.0690")
    assert ["vapi voice 11labs characters" in each for each in found.unpriced] == [True]


@_HERE
def test_a_report_of_2024_tells_no_costs() -> None:
    found = meter("vapi")
    path = _FOLDER / "vapi" / "04_end-of-call-report.json"
    found.take(REPORT, json.loads(path.read_text()))
    assert found.usd is None
    assert found.notes == ["the call tells no usage"]
