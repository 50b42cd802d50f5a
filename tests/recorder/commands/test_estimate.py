"""`record estimate`: sessions, trials, plans, and the other way to have a call."""

from __future__ import annotations

import json
from contextlib import closing
from decimal import Decimal
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from commandline import Kept, out, run
from tapes import SECRETS, WALL_NS, Script, record, session_object

from recorder.capture.writer import Writer
from recorder.clock import VirtualClock
from recorder.heads import RequestHead, ResponseHead
from recorder.store import open_store

D = Decimal
GOLDEN = Path(__file__).parents[3] / "fixtures" / "tapes-live" / "openai-live-golden"
PLAN = ("estimate", "--minutes", "10000", "--talk-ratio", ".4", "--turns-per-minute", "6")


def answered(model: str, cached: int = 0) -> list[Any]:
    """Two answers of a model: 100 text in, then 200 of which some are cached; 10 out each."""
    script = Script().open()
    script.provider("session.created", session=session_object(model=model))
    for number, (given, spared) in enumerate(((100, 0), (200, cached))):
        details = {"text_tokens": given, "cached_tokens": spared}
        details["cached_tokens_details"] = {"text_tokens": spared}  # type: ignore[assignment]
        usage = {"total_tokens": given + 10, "input_tokens": given, "output_tokens": 10}
        usage |= {"input_token_details": details, "output_token_details": {"text_tokens": 10}}
        done = {"id": f"resp_{number}", "status": "completed", "usage": usage}
        script.provider("response.done", response=done)
    return script.close().takes


def message(role: str, text: str, start: float, ms: int) -> dict[str, Any]:
    return {"role": role, "message": text, "secondsFromStart": start, "duration": ms}


REPORT = {
    "type": "end-of-call-report",
    "call": {"id": "c1", "cost": 0},
    "endedReason": "customer-ended-call",
    "cost": 0.0161,
    "costs": [
        {"type": "vapi", "subType": "normal", "minutes": 0.2, "cost": 0.01},
        {
            "type": "transcriber",
            "transcriber": {"provider": "deepgram", "model": "flux-general-en"},
            "minutes": 0.2,
            "cost": 0.002,
        },
        {
            "type": "model",
            "model": {"provider": "openai", "model": "gpt-4.1"},
            "promptTokens": 800,
            "completionTokens": 40,
            "cost": 0.002,
        },
        {
            "type": "voice",
            "voice": {"provider": "11labs", "voiceId": "v", "model": "eleven_turbo_v2_5"},
            "characters": 41,
            "cost": 0.00205,
        },
    ],
    "messages": [
        message("bot", "Hello, how can I help you today?", 1.0, 2000),
        message("user", "What is the weather?", 4.0, 1500),
        message("bot", "It rains.", 6.0, 1000),
    ],
}


def called(store: Any, report: dict[str, Any]) -> str:
    """A call on Vapi that is known by its report alone."""
    clock = VirtualClock(wall_ns=WALL_NS)
    writer = Writer(store, clock, SECRETS)
    writer.start()
    tape = writer.open("vapi", "calls")
    channel = tape.channel("webhook", "/webhooks/vapi")
    name, body = "end-of-call-report", json.dumps({"message": report}).encode()
    head = RequestHead("POST", "/webhooks/vapi").encode()
    tape.record(channel, "provider", "webhook.request", name, head)
    tape.record(channel, "provider", "http.chunk", name, body)
    tape.record(channel, "provider", "http.chunk", name, b"")
    clock.advance_to(30_000_000_000)
    tape.record(channel, "client", "webhook.response", "200", ResponseHead(200, "OK").encode())
    tape.end("complete")
    writer.close()
    return tape.session


class Billed(NamedTuple):
    """A store, and the ids of its sessions."""

    path: Path
    spoken: str
    mini: str
    unknown: str
    call: str
    silent: str


@pytest.fixture(scope="module")
def billed(tmp_path_factory: pytest.TempPathFactory) -> Billed:
    path = tmp_path_factory.mktemp("bills") / "tapes.db"
    with closing(open_store(str(path), create=True)) as store:
        return Billed(
            path,
            record(store, answered("gpt-realtime", cached=64), trial="priced"),
            record(store, answered("gpt-realtime-mini"), trial="priced"),
            record(store, answered("my-deployment"), trial="unpriced"),
            called(store, REPORT),
            called(store, {**REPORT, "messages": []}),
        )


def facts(billed: Billed, *words: str) -> Any:
    return json.loads(out(billed.path, "estimate", *words, "--json"))


def test_a_session_is_told_by_meter_with_its_total(billed: Billed) -> None:
    told = out(billed.path, "estimate", billed.spoken)
    assert "(openai): $0.0013; shipped" in told
    assert "text_cached" in told
    assert "cached: 21.3% of the model's input; how it grew:" in told


def test_a_session_as_json_is_exact_and_leads_to_its_events(billed: Billed) -> None:
    told = facts(billed, billed.spoken)
    # 236*4 + 64*0.4 + 20*16 millionths
    assert told["usd"] == "0.0012896"
    assert D(told["usd"]) == sum(D(line["usd"]) for line in told["lines"])
    assert {line["seq"] for line in told["lines"]} == {point["seq"] for point in told["curve"]}
    assert told["curve"][-1] == {
        "seq": told["curve"][-1]["seq"],
        "usd": told["usd"],
        "uncached_usd": "0.00152",
    }
    assert told["unpriced"] == told["notes"] == []


def test_an_unknown_model_is_told_and_fails_only_when_that_is_asked(billed: Billed) -> None:
    lenient = run(billed.path, "estimate", "--trial", "unpriced")
    assert lenient.code == 0
    assert "unpriced: no price for openai model my-deployment text_in (token)" in lenient.out
    strict = run(billed.path, "estimate", "--trial", "unpriced", "--strict")
    assert strict.code == 1
    assert strict.out == lenient.out
    assert facts(billed, "--trial", "unpriced")["usd"] is None


def test_what_a_provider_names_is_printed_as_text_only(tmp_path: Path) -> None:
    path = tmp_path / "odd.db"
    with closing(open_store(str(path), create=True)) as store:
        record(store, answered("gpt\x1b[2J"))
    told = out(path, "estimate", "last")
    assert "\x1b" not in told
    assert "gpt\\x1b[2J" in told


def test_a_trial_is_the_sum_of_its_sessions(billed: Billed) -> None:
    told = facts(billed, "--trial", "priced")
    assert len(told["sessions"]) == 2
    # mini: 300*0.6 + 20*2.4 millionths
    assert D(told["usd"]) == D("0.0012896") + D("0.000228")
    assert "trial priced: 2 sessions, $0.0015" in out(billed.path, "estimate", "--trial", "priced")


def test_strict_passes_where_all_has_a_price(billed: Billed) -> None:
    assert run(billed.path, "estimate", "--trial", "priced", "--strict").code == 0


def test_a_call_on_vapi_tells_both_bills_and_where_they_are_even(billed: Billed) -> None:
    told = out(
        billed.path, "estimate", billed.call, "--transcriber", "none", "--model", "gpt-realtime"
    )
    assert "(vapi): $0.0160; shipped" in told
    for part in ("deepgram/flux-general-en", "openai/gpt-4.1", "11labs/eleven_turbo_v2_5"):
        assert part in told
    assert "the same conversation on Realtime ($0.0160 on Vapi):" in told
    assert "on gpt-realtime, by component:" in told
    assert "assumed: 2 turns in 12.0 s, somebody speaks in 37.5% of it" in told
    assert "assumed: 3 of 3 utterances as long as Vapi says" in told


def test_gpt_live_is_told_of_only_where_it_had_a_price(billed: Billed) -> None:
    lines = {
        day: out(billed.path, "estimate", billed.call, "--prices", day).splitlines()
        for day in ("2026-06-01", "2026-11-24")
    }
    begin = "the same conversation elsewhere: 12.0 s"
    assert not any(each.startswith(begin) for each in lines["2026-06-01"])
    assert f"{begin}, of GPT-Live the session alone" in lines["2026-11-24"]


def test_for_a_session_of_gpt_live_the_others_are_told(tmp_path: Path) -> None:
    out(tmp_path / "live.db", "import", str(GOLDEN))
    told = out(tmp_path / "live.db", "estimate", "last").splitlines()
    assert "the same conversation elsewhere: 9.0 s" in told
    assert "how it grew:" in told  # the voice has no input that could be cached


def test_the_other_bill_is_what_a_hand_computes(billed: Billed) -> None:
    told = facts(billed, billed.call, "--transcriber", "none", "--model", "gpt-realtime")
    other = told["realtime"]["models"][0]
    # 728*4 + 480*0.4 + 10.25*16 + 55*32 + 60*64 millionths
    assert D(other["usd"]) == D("0.008868")
    # without cache 1208*4 instead of 728*4 + 480*0.4; all: 608*4 + 600*0.4
    assert D(other["uncached_usd"]) == D("0.010596")
    assert D(other["cached_usd"]) == D("0.008436")
    assert other["even_cached_ratio"] is None  # Realtime is the cheaper one at any ratio
    assert D(told["usd"]) == D("0.01605")
    assert other["even_talk_ratio"] is None  # and however much is said


def test_a_call_is_even_where_speech_outweighs_the_minutes(billed: Billed) -> None:
    model = "gpt-4o-realtime-preview"
    told = facts(billed, billed.call, "--transcriber", "none", "--model", model)
    assert D(told["realtime"]["talk_ratio"]) == D("0.375")
    # of the call 0.012 is by time and 0.00405 by use; of Realtime 720*5 + 480*2.5 millionths are
    # instructions, and 8*5 + 10.25*20 + 55*40 + 60*80 grow with the speech
    growing = (D("0.007245") - D("0.00405")) / D("0.375")
    even = D(told["realtime"]["models"][0]["even_talk_ratio"])
    assert abs(even - (D("0.012") - D("0.0048")) / growing) < D("1e-9")


def test_assumptions_can_be_set(billed: Billed) -> None:
    words = (billed.call, "--transcriber", "none", "--model", "gpt-realtime")
    told = facts(billed, *words, "--cached-ratio", "0", "--instruction-tokens", "0")
    # 8*4 + 10.25*16 + 55*32 + 60*64 millionths
    assert D(told["realtime"]["models"][0]["usd"]) == D("0.005796")
    assert "0 tokens of instructions and tools" in told["realtime"]["assumptions"]


def test_a_call_without_words_cannot_be_compared(billed: Billed) -> None:
    assert "nothing that was said is on the tape" in out(billed.path, "estimate", billed.silent)
    assert facts(billed, billed.silent)["realtime"] == {}


def test_a_plan_tells_all_models_and_the_curve() -> None:
    told = run(Path("unused.db"), *PLAN)
    assert told.code == 0
    assert "gpt-realtime " in told.out
    assert "$664.72" in told.out
    assert "60 MIN" in told.out
    assert "assumed: somebody speaks in 40.0% of the time" in told.out
    offers = json.loads(out(Path("unused.db"), *PLAN, "--json"))["offers"]
    one = next(offer for offer in offers if offer["model"] == "gpt-realtime")
    assert D(one["usd"]) == (D("0.3304852") + D("0.001875")) * 2000
    assert {offer["provider"] for offer in offers} == {"openai", "openai-live", "vapi"}


def test_a_plan_for_some_models() -> None:
    words = (*PLAN, "--model", "gpt-realtime", "--model", "openai/gpt-4.1", "--json")
    told = json.loads(out(Path("unused.db"), *words))
    assert [offer["model"] for offer in told["offers"]] == ["gpt-realtime", "openai/gpt-4.1"]
    wrong = run(Path("unused.db"), *PLAN, "--model", "nobody")
    assert (wrong.code, "has no model nobody" in wrong.error) == (2, True)


def test_a_plan_with_something_unpriced_fails_if_strict() -> None:
    told = run(Path("unused.db"), *PLAN, "--vapi-voice", "11labs/unheard", "--strict")
    assert told.code == 1
    assert "unpriced: no price for vapi voice 11labs/unheard characters (character)" in told.out


def test_prices_of_another_day_and_another_book(billed: Billed, tmp_path: Path) -> None:
    early = facts(billed, billed.spoken, "--prices", "2025-01-01")
    assert early["usd"] is None
    assert early["price_book"].endswith("prices of 2025-01-01")
    book = tmp_path / "ours.toml"
    book.write_text(
        'as_of = 2026-11-01\n[[price]]\nprovider = "openai"\ncomponent = "model"\n'
        'names = ["gpt-realtime"]\nbasis = "list"\nsource = "contract"\nseen = 2026-11-01\n'
        "per_million_tokens = { text_in = 1, text_cached = 1, text_out = 1 }\n",
        encoding="utf-8",
    )
    ours = facts(billed, billed.spoken, "--book", str(book))
    assert D(ours["usd"]) == D("0.00032")
    book.write_text(book.read_text().replace("per_million_tokens", "per_minute"))
    refused = run(billed.path, "estimate", billed.spoken, "--book", str(book))
    assert refused.code == 2
    assert "ours.toml: price[1].per_minute.text_in: wrong unit" in refused.error


@pytest.mark.parametrize(
    "words",
    [
        (),
        ("last", "--minutes", "5"),
        ("--trial", "x", "--minutes", "5"),
        ("--minutes", "0"),
        ("--minutes", "many"),
        ("--minutes", "5", "--talk-ratio", "1.5"),
        ("--minutes", "5", "--cached-ratio", "-1"),
        ("--minutes", "5", "--chars-per-token", "nan"),
        ("last", "--prices", "yesterday"),
        ("--trial", "nobody"),
        ("nobody",),
    ],
)
def test_wrong_usage_is_one_line(kept: Kept, words: tuple[str, ...]) -> None:
    ended = run(kept, "estimate", *words)
    assert ended.code == 2
    assert ended.out == ""
    assert "Traceback" not in ended.error
