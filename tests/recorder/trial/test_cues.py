"""The ear and the anchors: what the agent's voice does decides when the caller speaks."""

from __future__ import annotations

import pytest
from scenes import tone

from recorder.audio import g711, pcm
from recorder.trial.cues import Cues
from recorder.trial.doubles import Doubles
from recorder.trial.ear import Ear
from recorder.trial.scenario import Double
from recorder.trial.steps import Cue

MS = 1_000_000
RATE = 16_000
FRAME = 32


def hear(ear: Ear, *spoken: tuple[int, int], until: int) -> None:
    """Speech of `(at, ms)`, listened to every 20 ms up to `until`."""
    waiting = list(spoken)
    for now in range(0, until + 1, 20):
        while waiting and waiting[0][0] <= now:
            ear.add(tone(waiting.pop(0)[1], RATE), now * MS)
        ear.listen(now * MS)


def close_to(found: int | None, ms: int) -> bool:
    assert found is not None
    return abs(found / MS - ms) <= FRAME


def cues(*spoken: tuple[int, int], until: int, doubles: Doubles | None = None) -> Cues:
    ear = Ear("pcm16", RATE, 0)
    made = Cues(ear, doubles or Doubles(()), 0)
    hear(ear, *spoken, until=until)
    return made


def test_speech_is_heard_where_it_is_played() -> None:
    ear = Ear("pcm16", RATE, 0)
    hear(ear, (1000, 600), until=3000)
    [(on, off)] = ear.stretches
    assert close_to(on, 1000)
    assert close_to(off, 1600)
    assert not ear.is_hearing


def test_a_burst_is_played_at_its_own_pace_and_what_is_cut_is_not_heard() -> None:
    ear = Ear("pcm16", RATE, 0)
    ear.add(tone(5000, RATE), 0)
    ear.cut(1000 * MS)
    ear.listen(4000 * MS)
    [(_, off)] = ear.stretches
    assert close_to(off, 1000)


def test_a_telephone_is_heard_too() -> None:
    ear = Ear("pcmu", 8000, 0)
    ear.add(g711.encode_ulaw(pcm.samples(tone(500, 8000))), 0)
    ear.listen(2000 * MS)
    assert len(ear.stretches) == 1


def test_the_end_of_speech_counts_from_the_sound_and_is_known_later() -> None:
    made = cues((1000, 600), until=2000)
    cue = Cue("agent_speech_end", 300)
    assert made.at(cue, 2000 * MS) is None
    assert close_to(made.at(cue, 2200 * MS), 1900)


def test_an_answer_has_to_follow_the_turn() -> None:
    made = cues((0, 600), until=1500)
    made.spoke(Cue("session_ready"), 1500 * MS, 2500 * MS)
    assert made.at(Cue("agent_speech_end"), 4000 * MS) is None
    assert made.at(Cue("agent_speech_start"), 4000 * MS) is None
    made.ear.add(tone(400, RATE), 4000 * MS)
    made.ear.listen(6000 * MS)
    assert close_to(made.at(Cue("agent_speech_start", 1000), 6000 * MS), 5000)
    assert close_to(made.at(Cue("agent_speech_end"), 6000 * MS), 4400)


def test_after_something_to_be_ignored_the_agent_may_just_go_on() -> None:
    made = cues((0, 3000), until=1000)
    made.spoke(Cue("agent_speech_start", mode="ignore"), 800 * MS, 1000 * MS)
    assert close_to(made.at(Cue("agent_speech_start", 100), 1100 * MS), 1100)
    assert made.at(Cue("agent_speech_end"), 2000 * MS) is None
    assert close_to(made.at(Cue("agent_speech_end"), 3700 * MS), 3000)


def test_filler_before_a_tool_has_answered_is_no_answer() -> None:
    doubles = Doubles([Double("book", delay_ms=2000, result=1)])
    made = cues((500, 400), until=1600, doubles=doubles)
    doubles.call("a", "book", {}, 400 * MS)
    end = Cue("agent_speech_end")
    assert made.at(end, 1600 * MS) is None
    assert made.at(end, 3000 * MS) is None  # answered at 2400, and the agent has yet to speak
    made.ear.add(tone(500, RATE), 3200 * MS)
    assert close_to(made.at(end, 4400 * MS), 3700)


def test_filler_that_runs_into_the_answer_is_one_stretch_with_it() -> None:
    doubles = Doubles([Double("book", delay_ms=500, result=1)])
    made = cues((500, 2500), until=1600, doubles=doubles)
    doubles.call("a", "book", {}, 400 * MS)
    assert close_to(made.at(Cue("agent_speech_end"), 3600 * MS), 3000)


def test_quiet_is_counted_from_the_last_sound_of_either_side() -> None:
    made = cues((0, 500), until=1200)
    made.spoke(Cue("session_ready"), 600 * MS, 1200 * MS)
    quiet = Cue("agent_quiet:800")
    assert made.at(quiet, 1900 * MS) is None
    assert made.at(quiet, 2000 * MS) == 2000 * MS


def test_a_tool_call_is_an_anchor() -> None:
    doubles = Doubles([Double("*", result=1)])
    made = cues(until=100, doubles=doubles)
    made.spoke(Cue("session_ready"), 50 * MS, 100 * MS)
    assert made.at(Cue("tool_call:book"), 200 * MS) is None
    doubles.call("a", "book", {}, 150 * MS)
    assert made.at(Cue("tool_call:book", 30), 200 * MS) == 180 * MS


@pytest.mark.parametrize(("after", "at"), [("session_ready", 0), ("prev_turn_end", 300)])
def test_anchors_that_are_known_at_once(after: str, at: int) -> None:
    made = cues(until=100)
    made.spoke(Cue("session_ready"), 100 * MS, 300 * MS)
    assert made.at(Cue(after), 300 * MS) == at * MS
    assert made.gives_up(Cue(after, timeout_ms=700)) == 1000 * MS
