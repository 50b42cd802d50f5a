"""`record show --turns`, latency in the time line, and `record report`."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from commandline import Kept, out, run


def test_turns_for_people(kept: Kept) -> None:
    lines = out(kept, "show", kept.spoken, "--turns").splitlines()
    assert lines[0].startswith(f"session {kept.spoken}")
    first = lines.index(next(line for line in lines if line.startswith("turn 1")))
    assert lines[first + 1 : first + 3] == ["  user   Hello there.", "  agent  Good morning."]
    assert "  user   What is the time in Łódź?" in lines
    assert any(line.startswith('  tool   clock({"city":"Łódź"}) gave "12:00" ') for line in lines)


def test_turns_for_machines(kept: Kept) -> None:
    found = [
        json.loads(line)
        for line in out(kept, "show", kept.spoken, "--turns", "--json").splitlines()
    ]
    assert [turn["turn"] for turn in found] == list(range(1, len(found) + 1))
    assert found[0]["agent"] == "Good morning."
    assert found[0]["values"]["v2v_ms"] > 0


def test_the_time_line_tells_latency_where_a_turn_was_answered(kept: Kept) -> None:
    out(kept, "show", kept.spoken, "--turns")  # which keeps the read models
    lines = out(kept, "show", kept.spoken).splitlines()
    (at,) = [place for place, line in enumerate(lines) if "▸ turn 1: voice to voice" in line]
    assert "response.output_audio.delta" in lines[at - 1]
    assert "▸" not in out(kept, "show", kept.spoken, "--json")


def test_no_turns_are_said_to_be_none(kept: Kept) -> None:
    assert "no turns" in out(kept, "show", kept.raw, "--turns")
    assert out(kept, "show", kept.raw, "--turns", "--json") == ""


@pytest.mark.parametrize("other", ["--all", "--follow"])
def test_turns_go_with_nothing_else(kept: Kept, other: str) -> None:
    ended = run(kept, "show", kept.spoken, "--turns", other)
    assert ended.code == 2
    assert "--turns goes with none of" in ended.error


def test_report_of_a_session_that_never_ended(kept: Kept, tmp_path: Path) -> None:
    page = tmp_path / "x.html"
    said = out(kept, "report", kept.left, "-o", str(page))
    assert said.startswith(f"{page}: ")
    assert "40 events" in said
    assert page.stat().st_size > 10_000


def test_report_needs_a_place(kept: Kept) -> None:
    ended = run(kept, "report", kept.spoken)
    assert (ended.code, "--output" in ended.error) == (2, True)
