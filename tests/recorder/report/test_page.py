"""The page of a session as text: what it allows, what it holds, and what it draws from."""

from __future__ import annotations

import hashlib
import json
import re
from base64 import b64decode, b64encode
from importlib.resources import files
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from commandline import out, run
from report_pages import SECONDS, Made
from tapes import conversation, record

from recorder.audio.files import decode_flac
from recorder.audio.pcm import samples
from recorder.commands import report
from recorder.derive import refresh
from recorder.errors import RecorderError
from recorder.hearing import Heard, Lanes, Stop
from recorder.projections.marks import CostRow
from recorder.recording import find_session
from recorder.report.models import kept_models, read_models
from recorder.report.page import render, tape
from recorder.report.page.bill import bill
from recorder.report.page.lanes import POINTS, drawn, envelope
from recorder.report.web import as_json
from recorder.store.memory import MemoryStore


def _block(page: str, name: str) -> str:
    found = re.search(rf'<script type="[^"]+" id="{name}">(.*?)</script>', page, re.DOTALL)
    assert found is not None
    return found[1]


def test_json_has_nothing_that_html_reads() -> None:
    data = {"<!--": "</script><script>&\u2028\u2029\ud83d", "n": [1, None, 0.5]}
    text = as_json(data)
    assert not set(text) & set("<>&\u2028\u2029\ud83d")
    assert json.loads(text) == data


def test_the_policy_allows_what_the_page_carries_and_nothing_else(call: Made) -> None:
    page = call.page.read_text()
    (policy,) = re.findall(r'http-equiv="Content-Security-Policy" content="([^"]+)"', page)
    rules = dict(rule.split(" ", 1) for rule in policy.replace("&#x27;", "'").split("; "))
    assert rules["default-src"] == "'none'"
    script = page[page.rindex("<script>") + 8 : page.rindex("</script>")]
    style = page[page.index("<style>") + 7 : page.index("</style>")]
    for name, text in (("script-src", script), ("style-src", style)):
        digest = b64encode(hashlib.sha256(text.encode()).digest()).decode()
        assert rules[name] == f"'sha256-{digest}'"


def test_the_page_needs_nothing_else(call: Made) -> None:
    page = call.page.read_text()
    without = page.replace(_block(page, "data"), "").replace(_block(page, "sound"), "")
    assert not re.findall(r"(?:src|href)=\"(?!#)[^\"]*\"|@import|url\((?!#)", without)
    assert not re.findall(r"<[^>]+\s(?:on\w+|style)=", without)
    assert "innerHTML" not in without
    assert [path.name for path in call.page.parent.iterdir() if path.suffix == ".flac"] == []


def test_it_carries_the_sound_of_both_sides(call: Made) -> None:
    frames = samples(decode_flac(b64decode(_block(call.page.read_text(), "sound")), 2))
    both = frames.reshape(-1, 2)
    assert len(both) / 16_000 == pytest.approx(SECONDS, abs=1)
    loud = np.abs(both.astype(np.int32)).max(axis=0)
    assert (loud > 3_000).all()


def test_the_same_session_gives_the_same_page(call: Made, tmp_path: Path) -> None:
    again = tmp_path / "again.html"
    out(call.store, "report", call.session, "-o", str(again))
    assert again.read_bytes() == call.page.read_bytes()


def test_every_event_with_a_meaning_has_a_sign() -> None:
    script = files("recorder.report.page").joinpath("rows.js").read_text()
    table = script[script.index("const SHAPES") : script.index("const markKind")]
    shapes = set(re.findall(r'^  "?([\w ]+?)"?: \[', table, re.MULTILINE))
    names = {name for name, _ in tape._NAMES.values()} - {"user speech"}
    assert shapes == names | {"user speech started", "user speech stopped"}


def test_envelope() -> None:
    lane = np.array([0, 100, -32768, 32767, 0, 0, 16384], np.int16)
    assert envelope(lane, 8, 4) == [[0, 0], [-127, 127], [0, 0], [0, 64]]
    assert envelope(lane, 3) == [[0, 0], [0, 0], [-127, -127]]
    assert len(envelope(np.zeros(50_000, np.int16), 50_000)) == POINTS
    assert envelope(lane, 0) == []


def _heard(at_ms: float, ms: int, stream: str = "a") -> Heard:
    return Heard(1, int(at_ms * 1e6), np.full(ms * 24, 9_000, np.int16), 24_000, stream)


def test_what_waits_in_the_player() -> None:
    played: list[Heard | Stop] = [
        _heard(100, 200),
        _heard(150, 200),  # 350 ms wait now, until 500
        _heard(600, 100),  # 100 ms too late
        Stop(4, 650_000_000, "client"),  # 50 ms of it are dropped
        _heard(900, 100, "b"),
    ]
    lanes = Lanes([], [], played, [_heard(700, 30)], end_ns=1_000_000_000)
    facts, frames = drawn(lanes)
    assert facts["stalls"] == [[500.0, 600.0]]
    assert facts["unheard"] == [[650.0, 80.0]]
    assert max(facts["buffer"]) == 350
    step = facts["end_ms"] / len(facts["buffer"])
    assert facts["buffer"][int(550 / step)] == 0
    assert facts["buffer"][int(300 / step)] == pytest.approx(200, abs=2)
    assert facts["user"] is None
    assert frames is not None
    assert frames.shape == (16_000, 2)


def test_a_session_without_sound_has_no_lanes() -> None:
    facts, frames = drawn(Lanes([], [], [], [], 5_000_000))
    assert (facts["user"], facts["agent"], facts["buffer"], frames) == (None, None, None, None)


def _line(seq: int, meter: str, usd: str | None, quantity: str = "10") -> CostRow:
    book = "shipped 2026-01-01"
    return CostRow(
        *("s", seq, 1, "openai", "m", "model", meter, quantity, "token", usd, "book", book, seq)
    )


def test_a_bill_with_an_unknown_price_has_no_total() -> None:
    at_ms = {1: 10.0, 2: 20.0, 3: 30.0}
    lines = [_line(3, "in", "0.2"), _line(1, "in", "0.1"), _line(2, "out", None)]
    made = bill(lines, at_ms)
    assert (made["total"], made["known"], made["unpriced"]) == (None, "0.3", 1)
    assert [(each["usd"], each["quantity"]) for each in made["groups"]] == [
        ("0.3", "20"),
        (None, "10"),
    ]
    assert made["steps"] == [[10.0, 0, "0.1"], [20.0, 1, None], [30.0, 0, "0.2"]]
    assert bill(lines[:2], at_ms)["total"] == "0.3"
    assert bill([], {})["total"] is None


def test_read_models_are_those_of_the_store_if_they_are_current() -> None:
    store = MemoryStore()
    row = find_session(store, record(store, conversation()))
    assert kept_models(store, row) is None
    made = read_models(store, row)
    assert not made.kept
    refresh(store)
    kept = read_models(store, row)
    assert kept.kept
    assert {name: list(map(tuple, rows)) for name, rows in made.tables.items()} == {
        name: list(map(tuple, rows)) for name, rows in kept.tables.items()
    }


def test_long_sound_lies_beside_the_page(
    call: Made, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(report, "_EMBEDDED_S", 1)
    page = tmp_path / "long.html"
    said = out(call.store, "report", call.session, "-o", str(page))
    assert said.endswith(f"sound in {tmp_path / 'long.flac'}\n")
    assert _block(page.read_text(), "sound") == ""
    assert json.loads(_block(page.read_text(), "data"))["audio"]["file"] == "long.flac"
    assert (tmp_path / "long.flac").read_bytes()[:4] == b"fLaC"


def test_a_provider_that_is_not_known_is_one_line() -> None:
    store = MemoryStore()
    row = find_session(store, record(store, conversation()))
    with pytest.raises(RecorderError, match="other"):
        read_models(store, row._replace(provider="other"))


def test_what_cannot_be_written_is_one_line(call: Made, tmp_path: Path) -> None:
    ended = run(call.store, "report", call.session, "-o", str(tmp_path / "none" / "x.html"))
    assert (ended.code, ended.error) == (
        2,
        f"cannot write {tmp_path / 'none' / 'x.html'}: No such file or directory",
    )


def _data(**changes: Any) -> dict[str, Any]:
    return {"session": {"id": "<b>"}, **changes}


def test_names_in_the_head_are_text() -> None:
    page = render(_data(words="{{script}} {{sound}}"))
    assert "<title>Session &lt;b&gt;</title>" in page
    assert json.loads(_block(page, "data"))["words"] == "{{script}} {{sound}}"
