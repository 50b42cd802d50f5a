"""The rule by which turns are found: sound and words in any order."""

from __future__ import annotations

from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from recorder.providers.neutral import Interrupted, Neutral, UserSpeech, Voiced, Words
from recorder.providers.openai_live.turns import Floor, Rule

LOUD, QUIET = 5_000.0, 0.0
STEPS = st.lists(st.sampled_from([LOUD, QUIET]), min_size=1, max_size=5)
SOUND = st.tuples(st.sampled_from(["user", "agent"]), STEPS, st.integers(1, 12))
WORDS = st.tuples(st.sampled_from(["user words", "agent words"]), st.integers(0, 40), st.just(1))


def play(doings: list[Any]) -> list[Neutral]:
    now = 0.0
    floor, found = Floor(Rule()), list[Neutral]()
    for number, (what, value, times) in enumerate(doings):
        for _ in range(times):
            if what == "user":
                found += floor.user_sound(now, 20 * len(value), value)
            elif what == "agent":
                found += floor.agent_sound(now, 20 * len(value), value)
            else:
                role, start = what.split()[0], value * 200.0
                side: Any = "assistant" if role == "agent" else "user"
                place = {"start_ms": start, "end_ms": start + 200}
                words = Words(side, f"{number} ", "piece", "speech", **place)
                user = role == "user"
                found += floor.user_words(now, words) if user else floor.agent_words(words)
            now += 100
    return [*found, *floor.end()]


@given(st.lists(st.one_of(SOUND, WORDS), max_size=30))
def test_every_word_is_told_once_and_a_speech_begins_before_its_words(doings: list[Any]) -> None:
    told = play(doings)
    said = sorted(each.text for each in told if isinstance(each, Words))
    assert said == sorted(
        f"{number} " for number, (what, _, _) in enumerate(doings) if "words" in what
    )
    begun = [each.speech for each in told if isinstance(each, UserSpeech)]
    assert len(begun) == len(set(begun))
    for name in begun:
        first = next(n for n, each in enumerate(told) if getattr(each, "speech", None) == name)
        assert isinstance(told[first], UserSpeech)


@given(st.lists(st.one_of(SOUND, WORDS), max_size=30))
def test_an_interruption_cuts_a_speech_that_was_heard_and_each_once(doings: list[Any]) -> None:
    told = play(doings)
    cut = [each.response for each in told if isinstance(each, Interrupted)]
    assert len(cut) == len(set(cut))
    assert set(cut) <= {each.response for each in told if isinstance(each, Voiced)}


@given(st.lists(st.tuples(st.just("agent"), st.just([QUIET] * 5), st.integers(1, 5)), max_size=5))
def test_silence_of_the_agent_is_no_answer(doings: list[Any]) -> None:
    assert play(doings) == []


def test_an_interruption_shorter_than_a_backchannel_is_one_if_the_agent_stops() -> None:
    over: list[Any] = []
    for number in range(20):
        over.append(("agent", [LOUD if number < 8 else QUIET] * 5, 1))
        over.append(("user", [LOUD if 4 <= number < 7 else QUIET] * 5, 1))
    told = [each for each in play(over) if not isinstance(each, Voiced)]
    ns = 1_000_000  # a piece is at number x 200 on the clock, the user's 100 later
    assert told == [
        Interrupted("provider", "speech_1", is_derived=True, was_ns=1_500 * ns),
        UserSpeech("started", None, 400, speech="user_1", is_derived=True, was_ns=900 * ns),
    ]
