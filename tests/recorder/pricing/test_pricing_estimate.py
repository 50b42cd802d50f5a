"""Estimates, against sums made the way a spreadsheet makes them: a row for each turn."""

from __future__ import annotations

from decimal import Decimal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from metering import BOOK, D
from thoroughness import examples

from recorder.pricing import CostLine
from recorder.pricing.compare import cached_ratio, compared, growth
from recorder.pricing.conversation import Assumptions, Conversation, Turn, answers, planned
from recorder.pricing.estimate import Chain, by_second, chain, crossing, realtime
from recorder.pricing.plan import MARKS, Plan, Setting, offers

ASSUMED = Assumptions()
MINI = "gpt-4o-mini-transcribe"
PLAN = Plan(D(10_000), D("0.4"), D(6))
SETTING = Setting(ASSUMED, BOOK, MINI)


def talk(minutes: int = 5) -> Conversation:
    return planned(D(minutes), D(6), D("0.4"), D("0.5"), ASSUMED)


def test_a_plan_is_equal_turns_that_fill_the_time() -> None:
    found = talk()
    assert found.turns == (Turn(D(2), D(2), D(30), D(30)),) * 30
    assert found.talk_ratio == D("0.4")
    assert found.seconds == 300
    assert len(planned(D("0.01"), D(6), D(1), D(1), ASSUMED).turns) == 1


def sheet(ratio: Decimal, turns: int = 30) -> Decimal:
    """Realtime, row by row: text and audio in, cached and out, in dollars."""
    usd = Decimal(0)
    before_text = before_audio = Decimal(0)
    for row in range(1, turns + 1):
        text, audio = 600 + (row - 1) * D("7.5"), D(20 + (row - 1) * 60)
        spared_text, spared_audio = before_text * ratio, before_audio * ratio
        usd += (text - spared_text) * D(4) + spared_text * D("0.4") + D("7.5") * 16
        usd += (audio - spared_audio) * D(32) + spared_audio * D("0.4") + 40 * D(64)
        before_text, before_audio = text, audio
    return usd / 1_000_000


def test_realtime_is_what_a_spreadsheet_says() -> None:
    bill = realtime(talk(), "gpt-realtime", ASSUMED, BOOK)
    assert bill.usd == sheet(D("0.8")) == D("0.3304852")
    uncached = realtime(talk(), "gpt-realtime", ASSUMED._replace(cached_ratio=D(0)), BOOK)
    assert uncached.usd == sheet(D(0))
    assert {line.meter: line.quantity for line in bill.lines} == {
        "text_in": D("4906.5"),
        "text_cached": D(16356),
        "text_out": D(225),
        "audio_in": D(6748),
        "audio_cached": D(19952),
        "audio_out": D(1200),
    }


def test_the_user_is_transcribed_by_tokens_or_by_whole_seconds_of_a_turn() -> None:
    by_tokens = realtime(talk(), "gpt-realtime", ASSUMED, BOOK, MINI)
    # 600 audio tokens at 1.25 and 225 of text at 5 a million
    assert by_tokens.usd == sheet(D("0.8")) + D("0.001875")
    brief = Conversation((Turn(D("2.1"), D(0), D(0), D(0)),) * 10, D(60))
    by_time = realtime(brief, "gpt-realtime", ASSUMED, BOOK, "gpt-realtime-whisper")
    heard = next(line for line in by_time.lines if line.component == "transcriber")
    assert (heard.quantity, heard.unit, heard.usd) == (30, "second", D("0.0085"))


def test_a_chain_on_vapi_is_what_a_spreadsheet_says() -> None:
    usd, before = Decimal(0), Decimal(0)
    for row in range(30):
        text = 600 + D("7.5") + row * 15
        usd += (text - before * D("0.8")) * 2 + before * D("0.8") * D("0.5") + D("7.5") * 8
        before = text
    usd = usd / 1_000_000 + 900 * D(50) / 1_000_000  # the model, and 900 characters spoken
    usd += 5 * D("0.05") + 5 * D("0.010646275")
    bill = chain(talk(), "openai/gpt-4.1", ASSUMED, BOOK, Chain())
    assert bill.usd == usd == D("0.371082375")
    assert not bill.is_rough
    rough = chain(talk(), "openai/gpt-4.1", ASSUMED, BOOK, Chain(transport="twilio"))
    assert rough.usd == usd + D("0.05")
    assert rough.is_rough


def test_an_open_session_is_charged_by_the_second() -> None:
    assert by_second(talk(), "gpt-live-1", BOOK).usd == D("0.25")


def test_a_plan_tells_every_model_the_cheapest_first() -> None:
    found = offers(PLAN, SETTING)
    named = {offer.bill.model: offer for offer in found}
    assert set(named) >= {"gpt-realtime", "gpt-realtime-mini", "gpt-live-1", "openai/gpt-4.1"}
    totals = [offer.usd for offer in found if offer.usd is not None]
    assert totals == sorted(totals)
    assert len(totals) == len(found)
    one = D("0.3304852") + D("0.001875")
    assert named["gpt-realtime"].usd == one * 2000
    assert named["gpt-realtime"].uncached_usd == (sheet(D(0)) + D("0.001875")) * 2000
    assert named["gpt-realtime"].usd_per_minute == one / 5
    assert named["gpt-live-1"].usd == 500


def test_the_curve_bends_up_as_a_conversation_grows() -> None:
    offer = offers(PLAN, SETTING, ["gpt-realtime"])[0]
    points = {point.minutes: point for point in offer.curve}
    assert tuple(points) == MARKS
    transcribed = D("0.001875") / 30
    assert points[10].usd == sheet(D("0.8"), 60) + transcribed * 60
    assert points[10].uncached_usd == sheet(D(0), 60) + transcribed * 60
    rates = [(point.usd or D(0)) / point.minutes for point in offer.curve]
    assert rates == sorted(rates)


def test_a_component_that_the_book_lacks_leaves_a_plan_without_a_total() -> None:
    setting = SETTING._replace(parts=Chain(voice="11labs/unheard_of"), transcriber="unheard-of")
    found = offers(PLAN, setting, ["openai/gpt-4.1", "gpt-realtime", "gpt-live-1"])
    assert [offer.usd for offer in found] == [500, None, None]


def test_beyond_what_a_model_takes_the_oldest_is_left_out_and_the_cache_is_lost() -> None:
    long = planned(D(60), D(6), D(1), D("0.5"), ASSUMED)
    found = list(answers(long, ASSUMED, speaks=True, limit=28_672))
    assert max(answer.given.total for answer in found) <= 28_672
    full = [answer for answer in found if answer.turn > 300]
    assert {answer.cached.text for answer in full} == {D(600) * D("0.8")}
    assert {answer.cached.audio for answer in full} == {0}
    assert min(answer.given.total for answer in full) > 28_000


def test_a_function_is_an_answer_more() -> None:
    turn = Turn(D(2), D(2), D(30), D(30), tool_calls=1)
    called, spoken = answers(Conversation((turn,), D(10)), ASSUMED, speaks=True)
    assert (called.given.text, called.given.audio, called.made.text) == (600, 20, 24)
    assert called.made.audio == called.cached.total == 0
    assert (spoken.given.text, spoken.given.audio) == (600 + 24 + 50, 20)
    assert (spoken.cached.text, spoken.cached.audio) == (480, 16)
    assert (spoken.made.text, spoken.made.audio) == (D("7.5"), 40)


def charged(usd: str, unit: str = "minute") -> CostLine:
    return CostLine("vapi", "normal", "vapi", "duration", D(5), unit, D(usd), "provider", None, 3)


def test_break_even_in_the_cached_ratio_is_where_both_cost_the_same() -> None:
    found = compared([charged("0.5")], talk(), "gpt-realtime", ASSUMED, BOOK)
    none, full = sheet(D(0)), sheet(D(1))
    assert (found.uncached_usd, found.cached_usd) == (none, full)
    expected = (none - D("0.5")) / (none - full)  # it falls in a straight line
    assert found.even_cached_ratio is not None
    assert abs(found.even_cached_ratio - expected) < D("1e-9")


def test_break_even_in_the_talk_ratio_is_where_both_cost_the_same() -> None:
    bill = [charged("0.30"), charged("0.02", "character")]
    found = compared(bill, talk(), "gpt-realtime", ASSUMED, BOOK)
    assert found.even_talk_ratio is not None
    usd = realtime(talk().talking(found.even_talk_ratio), "gpt-realtime", ASSUMED, BOOK).usd
    vapi = D("0.30") + D("0.02") * found.even_talk_ratio / D("0.4")
    assert usd is not None
    assert abs(usd - vapi) < D("1e-9")


@pytest.mark.parametrize("paid", ["0.0001", "900"])
def test_without_a_break_even_there_is_none(paid: str) -> None:
    found = compared([charged(paid)], talk(), "gpt-realtime", ASSUMED, BOOK)
    assert found.even_cached_ratio is None
    assert found.even_talk_ratio is None


def test_a_bill_that_is_not_known_has_no_break_even() -> None:
    unknown = charged("1")._replace(usd=None)
    found = compared([unknown], talk(), "gpt-realtime", ASSUMED, BOOK)
    assert found.bill.usd == sheet(D("0.8"))
    assert found.even_cached_ratio is found.even_talk_ratio is None
    missing = compared([charged("1")], talk(), "no-such-model", ASSUMED, BOOK)
    assert missing.bill.usd is missing.uncached_usd is missing.even_cached_ratio is None


def test_a_crossing_is_found_either_way() -> None:
    for sign in (1, -1):
        found = crossing(lambda x, sign=sign: sign * (x - D("0.3")))  # type: ignore[misc]
        assert found is not None
        assert abs(found - D("0.3")) < D("1e-9")
    assert crossing(lambda x: x + 1) is None


def line(meter: str, amount: int, usd: str | None, seq: int) -> CostLine:
    known = None if usd is None else D(usd)
    return CostLine(
        "openai", "gpt-realtime", "model", meter, D(amount), "token", known, "book", "b", seq
    )


def test_a_recorded_bill_grows_event_by_event() -> None:
    told = [
        line("text_in", 1000, "0.004", 5),
        line("text_cached", 1000, "0.0004", 9),
        line("text_out", 1000, "0.016", 9),
        line("text_in", 1, None, 12),
        line("text_in", 1000, "0.004", 15),
    ]
    assert growth(told, BOOK) == [
        (5, D("0.004"), D("0.004")),
        (9, D("0.0204"), D("0.024")),  # not cached it would be 0.004 more, less 0.0004
        (12, None, None),
        (15, None, None),
    ]
    assert cached_ratio(told) == D(1000) / D(3001)
    assert cached_ratio([]) is None


shares = st.decimals("0.01", 1, places=2)


@settings(max_examples=examples(40))
@given(st.integers(1, 12), shares, shares, shares, shares)
def test_more_speech_costs_more_and_more_cache_costs_less(
    turns: int, user: Decimal, agent: Decimal, ratio: Decimal, more: Decimal
) -> None:
    turn = Turn(user * 10, agent * 10, user * 150, agent * 150)
    said = Conversation((turn,) * turns, D(20 * turns))
    assumed = ASSUMED._replace(cached_ratio=ratio)
    usd = realtime(said, "gpt-realtime", assumed, BOOK).usd
    longer = realtime(said._replace(turns=(*said.turns, turn)), "gpt-realtime", assumed, BOOK)
    cheaper = realtime(said, "gpt-realtime", assumed._replace(cached_ratio=max(ratio, more)), BOOK)
    assert usd is not None
    assert longer.usd is not None
    assert cheaper.usd is not None
    assert usd < longer.usd
    assert cheaper.usd <= usd
    assert longer.usd == sum((each.usd or D(0) for each in longer.lines), Decimal(0))
