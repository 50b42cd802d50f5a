"""Bills of Realtime sessions, by hand-checked dollars."""

from __future__ import annotations

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st
from metering import (
    BOOK,
    TRANSCRIBED,
    D,
    done,
    kinds,
    meter,
    realtime,
    usage,
)

CENT_HUNDREDTH = D("0.0001")


def test_a_spoken_turn_costs_what_a_hand_computes() -> None:
    """27 audio and 14 text tokens in, 136 audio and 28 text out, 3 s transcribed."""
    found = realtime(transcriber="gpt-realtime-whisper")
    found.take(TRANSCRIBED, {"item_id": "i", "usage": {"type": "duration", "seconds": 3}})
    found.take("response.done", done(usage(kinds(14, 27), kinds(28, 136))))
    # 14*4 + 27*32 + 28*16 + 136*64 = 56 + 864 + 448 + 8704 millionths, and 3/60 * 0.017
    assert found.usd == D("0.010072") + D("0.00085")
    assert found.unpriced == []


def test_a_turn_with_a_cached_prefix_costs_less() -> None:
    """122 in of which 64 text are cached, 97 out; 26 audio tokens transcribed."""
    found = realtime(transcriber="gpt-4o-transcribe")
    told = {"type": "tokens", "total_tokens": 35, "input_tokens": 26, "output_tokens": 9}
    told |= {"input_token_details": {"text_tokens": 0, "audio_tokens": 26}}
    found.take(TRANSCRIBED, {"item_id": "i", "usage": told})
    found.take("response.done", done(usage(kinds(96, 26), kinds(28, 69), kinds(64))))
    # 32*4 + 64*0.4 + 26*32 + 28*16 + 69*64 = 128 + 25.6 + 832 + 448 + 4416 millionths
    # 26*2.5 + 9*10 = 65 + 90 millionths
    assert found.usd == D("0.0058496") + D("0.000155")
    assert {line.meter: line.usd for line in found.lines if line.component == "model"} == {
        "text_in": D("0.000128"),
        "text_cached": D("0.0000256"),
        "audio_in": D("0.000832"),
        "text_out": D("0.000448"),
        "audio_out": D("0.004416"),
    }


def test_text_alone_costs_what_a_hand_computes() -> None:
    """The second answer of a round with a function: 103 in, 64 of them cached, 13 out."""
    found = realtime()
    found.take("response.done", done(usage(kinds(103), kinds(13), kinds(64))))
    assert found.usd == D("0.0003896")  # 39*4 + 64*0.4 + 13*16
    assert round(found.usd, 4) == CENT_HUNDREDTH * 4


def test_an_answer_counts_once_however_often_it_is_told() -> None:
    found = realtime()
    found.take("response.created", {"response": {"id": "resp_1"}}, seq=4)
    assert found.usd is None  # it goes on
    assert found.known_usd == 0
    first = found.take("response.done", done(usage(kinds(100), kinds(10))), seq=7)
    again = found.take("response.done", done(usage(kinds(100), kinds(10))), seq=9)
    found.take("response.created", {"response": {"id": "resp_1"}})  # by another connection
    assert len(first) == 2
    assert again == []
    assert found.usd == D("0.00056")
    assert {line.seq for line in found.lines} == {7}
    assert [(seq, used.key) for seq, used in found.usages] == [(7, "response resp_1")]


def test_answers_without_an_id_are_not_taken_for_each_other() -> None:
    found = realtime()
    for _ in range(2):
        found.take("response.done", done(usage(kinds(100), kinds(10)), name=""))
    assert found.usd == D("0.00112")


def test_the_model_is_that_of_the_session_at_the_time() -> None:
    found = realtime("gpt-realtime-mini")
    found.take("response.done", done(usage(kinds(1_000_000), kinds())))
    found.take("session.updated", {"session": {"model": "gpt-realtime-2025-08-28"}})
    found.take("response.done", done(usage(kinds(1_000_000), kinds()), "resp_2"))
    named = done(usage(kinds(1_000_000), kinds()), "resp_3")
    named["response"]["model"] = "gpt-realtime-2.1-mini"
    found.take("response.done", named)
    assert [line.usd for line in found.lines] == [D("0.6"), D(4), D("0.6")]


@pytest.mark.parametrize("model", ["gpt-realtime-2099-01-01", "GPT-REALTIME", "my-deployment"])
def test_an_unknown_model_has_no_price_and_says_so(model: str) -> None:
    found = realtime(model)
    lines = found.take("response.done", done(usage(kinds(100), kinds(10))))
    assert [line.usd for line in lines] == [None, None]
    assert found.usd is None
    assert found.unpriced == [
        f"no price for openai model {model} text_in (token) in {BOOK.label}",
        f"no price for openai model {model} text_out (token) in {BOOK.label}",
    ]


def test_a_session_that_never_named_its_model_has_no_price() -> None:
    found = meter()
    found.take("response.done", done(usage(kinds(100), kinds())))
    assert found.usd is None
    assert "of unknown name" in found.unpriced[0]


def test_without_the_kinds_of_what_was_cached_the_full_rate_holds() -> None:
    told = usage(kinds(100), kinds(10))
    told["input_token_details"] = {"text_tokens": 100, "cached_tokens": 64}
    found = realtime()
    found.take("response.done", done(told))
    assert found.usd == D("0.00056")
    assert found.notes == [
        "response resp_1: 64 cached tokens of unknown kind priced at the full rate"
    ]


def test_tokens_of_no_known_kind_have_no_price() -> None:
    told = {"total_tokens": 110, "input_tokens": 100, "output_tokens": 10}
    found = realtime()
    found.take("response.done", done(told))
    assert {line.meter: line.quantity for line in found.lines} == {"other_in": 100, "other_out": 10}
    assert found.usd is None


@pytest.mark.parametrize("bad", [None, -5, "12", True, float("nan"), {}])
def test_a_count_that_is_none_is_not_taken_for_0(bad: object) -> None:
    found = realtime()
    found.take("response.done", done({"input_tokens": bad, "output_tokens": 3}))
    assert found.usd is None
    assert found.notes == ["response resp_1 tells no usage"]


def test_an_answer_that_tells_nothing_has_no_known_price() -> None:
    found = realtime()
    found.take("response.done", done(None))
    found.take(TRANSCRIBED, {"item_id": "item_1"})
    assert found.usd is None
    assert found.notes == ["answer resp_1 tells no usage", "transcript of item_1 tells no usage"]


def test_an_answer_that_was_cancelled_before_it_began_costs_nothing() -> None:
    found = realtime()
    found.take("response.created", {"response": {"id": "resp_1"}})
    found.take("response.done", done(None, status="cancelled"))
    assert found.usd == 0
    assert found.lines == []


def test_a_transcriber_that_is_not_named_has_no_price() -> None:
    found = realtime()
    found.take(TRANSCRIBED, {"item_id": "i", "usage": {"type": "duration", "seconds": 3}})
    assert found.usd is None


def test_beta_sessions_name_their_transcriber_elsewhere() -> None:
    found = meter()
    session = {"model": "gpt-4o-realtime-preview-2024-12-17"}
    session["input_audio_transcription"] = {"model": "whisper-1"}  # type: ignore[assignment]
    found.take("session.created", {"session": session})
    found.take(TRANSCRIBED, {"item_id": "i", "usage": {"type": "duration", "seconds": 60}})
    found.take("response.done", done(usage(kinds(0, 1000), kinds(0, 1000), kinds(0, 500))))
    assert found.usd == D("0.006") + D("0.02") + D("0.00125") + D("0.08")


@pytest.mark.parametrize("message", [{}, {"response": None}, {"response": []}, {"session": 3}])
def test_messages_of_another_shape_do_no_harm(message: dict[str, object]) -> None:
    found = realtime()
    for type_ in ("session.updated", "response.created", TRANSCRIBED, "response.done", "nonsense"):
        found.take(type_, message)
    assert found.usd is None or found.usd == 0


counts = st.integers(0, 200_000)


@st.composite
def answers(draw: st.DrawFn) -> dict[str, object]:
    taken = kinds(*(draw(counts) for _ in range(3)))
    cached = kinds(*(draw(st.integers(0, most)) for most in taken.values()))
    return usage(taken, {"text_tokens": draw(counts), "audio_tokens": draw(counts)}, cached)


@given(st.lists(answers(), max_size=6))
def test_the_total_is_the_sum_of_its_lines_and_only_grows(told: list[dict[str, object]]) -> None:
    found, before, seen = realtime(), Decimal(0), Decimal(0)
    for number, each in enumerate(told):
        new = found.take("response.done", done(each, f"resp_{number}"))
        seen += sum((line.usd or Decimal(0) for line in new), Decimal(0))
        assert found.usd is not None
        assert found.usd >= before
        before = found.usd
    assert before == sum((line.usd or Decimal(0) for line in found.lines), Decimal(0)) == seen
    assert found.beside == [(line, line.usd) for line in found.lines]


@given(answers(), counts)
def test_what_is_cached_never_costs_more(told: dict[str, object], more: int) -> None:
    uncached = {**told, "input_token_details": {**told["input_token_details"]}}  # type: ignore[dict-item]
    uncached["input_token_details"].pop("cached_tokens_details")  # type: ignore[attr-defined]
    uncached["input_token_details"].pop("cached_tokens")  # type: ignore[attr-defined]
    spared, full = realtime(), realtime()
    spared.take("response.done", done(told))
    full.take("response.done", done(uncached))
    assert spared.usd is not None
    assert full.usd is not None
    assert spared.usd <= full.usd
