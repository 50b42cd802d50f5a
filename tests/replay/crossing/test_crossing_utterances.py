"""What the caller of a tape said, and what for each utterance had waited."""

from __future__ import annotations

from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from recorder.audio.speech import Interval
from recorder.trial.scenario import At
from replay.crossing.utterances import Agent, Typed, Utterance, ending, utterances


def cut(
    user: list[tuple[float, float]],
    agent: list[tuple[float, float]],
    cuts: list[float] | None = None,
    typed: list[Typed] | None = None,
) -> list[Utterance]:
    """The utterances of a session that is ready after a second."""
    told = Agent([Interval(*each) for each in agent], cuts or [], 1000)
    return utterances([Interval(*each) for each in user], typed or [], told)


def ats(found: list[Utterance]) -> list[tuple[str, int]]:
    return [(each.at.after, each.at.delay_ms) for each in found]


def test_who_speaks_first_counts_from_when_the_session_is_ready() -> None:
    (only,) = cut([(1400, 2000)], [(3000, 4000)])
    assert (only.mode, only.at) == ("respond", At("session_ready", 400, 15_000))


def test_an_answer_comes_after_the_recorded_reaction() -> None:
    found = cut([(1400, 2000), (4650, 5000)], [(3000, 4000)])
    assert ats(found) == [("session_ready", 400), ("agent_speech_end", 650)]


def test_a_greeting_is_waited_for() -> None:
    (only,) = cut([(4600, 5000)], [(1500, 4000)])
    assert ats([only]) == [("agent_speech_end", 600)]


def test_a_pause_is_part_of_an_utterance_where_the_agent_is_silent() -> None:
    (only,) = cut([(1400, 2000), (3800, 4200)], [(5000, 6000)])
    assert (only.start_ms, only.end_ms) == (1400, 4200)


def test_an_unanswered_caller_speaks_again_if_no_answer_comes_for_as_long() -> None:
    _, again = cut([(1400, 2000), (9000, 9500)], [(10_000, 11_000)])
    assert again.at == At("agent_speech_end", 700, 7000)


def test_an_interruption_comes_so_far_into_what_the_agent_says() -> None:
    found = cut([(1400, 2000), (4200, 5000)], [(3000, 4400), (6000, 7000)], [4350])
    assert ats(found)[1] == ("agent_speech_start", 1200)
    assert found[1].mode == "yield"


def test_an_agent_that_stops_at_once_was_interrupted_all_the_same() -> None:
    found = cut([(1400, 2000), (4200, 5000)], [(3000, 4190), (6000, 7000)], [4200])
    assert (ats(found)[1], found[1].mode) == (("agent_speech_start", 1200), "yield")


def test_without_a_cut_who_is_a_little_early_has_waited_for_the_end() -> None:
    found = cut([(1400, 2000), (3800, 5000)], [(3000, 4100), (6000, 7000)])
    assert (ats(found)[1], found[1].mode) == (("agent_speech_end", 0), "respond")


def test_an_agent_that_speaks_on_ignored_what_was_said() -> None:
    found = cut([(1400, 2000), (4000, 4300), (6200, 7000)], [(3000, 6000)])
    assert [each.mode for each in found] == ["respond", "ignore", "respond"]
    assert ats(found)[1:] == [("agent_speech_start", 1000), ("agent_speech_end", 200)]


def test_an_offset_after_something_ignored_counts_from_there() -> None:
    found = cut([(1400, 2000), (4000, 4300), (6300, 6600)], [(3000, 9000)])
    assert ats(found)[2] == ("agent_speech_start", 2000)


def test_typed_words_have_their_place() -> None:
    found = cut([(6000, 7000)], [(3000, 4000)], typed=[Typed(2000, "Hello.")])
    assert [each.text for each in found] == ["Hello.", None]
    assert ats(found) == [("session_ready", 1000), ("agent_speech_end", 2000)]


def test_the_caller_hangs_up_as_long_after_the_answer() -> None:
    (only,) = cut([(1400, 2000)], [(3000, 4000)])
    told = Agent([Interval(3000, 4000)], [], 1000)
    assert ending(only, told, 4900)[:2] == ("agent_speech_end", 900)
    assert ending(only, told, 60_000)[:2] == ("agent_speech_end", 5000)
    assert ending(only, told._replace(speech=[]), 2300)[:2] == ("prev_turn_end", 300)


@st.composite
def lanes(draw: st.DrawFn) -> list[tuple[float, float]]:
    """Intervals in order, apart from each other."""
    at, found = draw(st.integers(1000, 3000)), []
    for gap, length in draw(
        st.lists(st.tuples(st.integers(260, 6000), st.integers(50, 5000)), max_size=6)
    ):
        found.append((float(at + gap), float(at + gap + length)))
        at += gap + length
    return found


@given(lanes(), lanes(), st.lists(st.integers(0, 40_000).map(float), max_size=4))
def test_all_that_was_said_is_said_in_order(
    user: list[tuple[float, float]], agent: list[tuple[float, float]], cuts: list[float]
) -> None:
    found = cut(user, agent, cuts)
    held = [(each.start_ms, each.end_ms) for each in found]
    assert all(any(a <= start and end <= b for a, b in held) for start, end in user)
    assert all(before[1] <= after[0] for before, after in pairwise(held))
    assert {start for start, _ in held} <= {start for start, _ in user}
    assert all(each.at.delay_ms >= 0 and each.at.timeout_ms > 0 for each in found)
