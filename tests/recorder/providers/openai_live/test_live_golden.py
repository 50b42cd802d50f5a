"""A GPT-Live session by hand: what the kept tape comes to, and what other parameters change.

Times are ms of the tape (fixtures/make_live_tape.py). The user's audio begins at 400, so that 600
of it is 1000 on the tape.

turns         the user is loud from 1000 to 2000: turn 1. From 3800 on the user talks over the
              agent, who is silent from 4200 on, for 600 at 4800: the piece that comes at 4700 ends
              then. So the agent was interrupted (it spoke on for 400), and turn 2 begins. "Mhm" at
              6600 is over after 500 of silence, at 7300, while the agent goes on: an aside.
v2v           2800 - 2000 = 800, 6500 - 4500 = 2000
yield         4200 - 3800 = 400
overlap       4200 - 3800 = 400 and the whole of "mhm", 200
speech        user 1000 + 700 + 200, agent 1400 + 1000; all of it lasts from 1000 to 7500
tool          called at 5100 (600 after 4500), answered at 5400 (300), heard at 6500 (1100, and one
              sample at 24 kHz: a tone begins with 0)
seconds       7, then 9: the last one is all
dollars       9 s at 0.05 a minute = 0.0075; gpt-4.1-mini at 0.40, 0.10 cached, 1.60 a million:
              60 x 0.40 + 40 x 0.10 + 20 x 1.60 = 60, 80 x 0.40 + 80 x 0.10 + 30 x 1.60 = 88
"""

from __future__ import annotations

import importlib.util
import json
import sys
import wave
from collections.abc import Iterator
from contextlib import closing
from decimal import Decimal
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pytest
from commandline import out
from tapes import conversation, record

from recorder import derive
from recorder.hearing import Sorter
from recorder.providers import openai_live, provider
from recorder.providers.openai_live.turns import Rule
from recorder.recording import Recording
from recorder.report.models import read_models
from recorder.report.page.gather import gather
from recorder.store import open_store
from recorder.store.base import Store

SCRIPT = Path(__file__).parents[4] / "fixtures" / "make_live_tape.py"
METRICS = {
    ("v2v_ms", 1): 800,
    ("v2v_ms", 2): 2000,
    ("yield_ms", 1): 400,
    ("overlap_ms", None): 400 + 200,
    ("user_speech_ms", None): 1000 + 700 + 200,
    ("agent_speech_ms", None): 1400 + 1000,
    ("silence_ms", None): 6500 - 1900 - 2400 + 600,
    ("tool_decide_ms", 2): 600,
    ("tool_exec_ms", 2): 300,
    ("tool_resume_ms", 2): 1100 + 1 / 24,
    ("first_substantive_ms", 2): 2000 + 1 / 24,
    ("turns", None): 2,
    ("turns_answered", None): 2,
    ("tool_calls", None): 1,
    ("setup_ms", None): 300,
    ("usd", None): 0.007648,
}
ABSENT = {  # the provider tells nothing of it: docs/openai-live.md
    "eos_delay_ms",
    "onset_delay_ms",
    "event_ms",
    "event_committed_ms",
    "event_created_ms",
    "first_token_ms",
    "yield_detect_ms",
    "yield_act_ms",
    "server_tail_ms",
    "truncate_error_ms",
    "unheard_ratio",
    "cached_ratio",
}


def _script() -> ModuleType:
    spec = importlib.util.spec_from_file_location("make_live_tape", SCRIPT)
    assert spec
    assert spec.loader
    module = sys.modules[spec.name] = importlib.util.module_from_spec(spec)
    sys.path.append(str(SCRIPT.parent))  # as if it were run: it uses the script beside it
    try:
        spec.loader.exec_module(module)
    finally:
        sys.path.remove(str(SCRIPT.parent))
    return module


LIVE = _script()


def derived(only: Any = None) -> Store:
    """A store with the session, or with those of its events for which `only` holds, and its read
    models."""
    return derived_from([take for take in LIVE.moments() if only is None or only(take)])


def derived_from(takes: list[Any]) -> Store:
    """A store with a session of these events, and its read models."""
    store = open_store("memory:", create=True)
    record(store, takes, provider="openai-live", wall_ns=LIVE.WALL_NS)
    derive.refresh(store)
    return store


@pytest.fixture(scope="module")
def golden() -> Iterator[Store]:
    with closing(derived()) as store:
        yield store


def rows(store: Store, table: str) -> list[Any]:
    return list(store.models(table))


def test_turns(golden: Store) -> None:
    told = [
        (turn.user_text, turn.agent_text.strip(), turn.was_interrupted, turn.tool_calls)
        for turn in rows(golden, "turn")
    ]
    assert told == [
        ("What is the weather?", "The weather is fine today", True, 0),
        ("No, in Oslo. Mhm.", "It rains in Oslo.", False, 1),
    ]
    assert [turn.user_stopped_ns for turn in rows(golden, "turn")] == [None, None]


def test_a_turn_begins_with_its_sound_not_when_the_rule_is_sure_of_it(golden: Store) -> None:
    began = [(turn.user_started_ns or 0) / 1e6 for turn in rows(golden, "turn")]
    assert began == pytest.approx([1000, 3800])


def test_words_that_were_held_back_are_told_though_the_tape_breaks_off() -> None:
    with closing(derived(lambda take: take.at_ms <= 4600)) as store:  # nobody could settle it
        assert [turn.user_text for turn in rows(store, "turn")] == [
            "What is the weather?",
            "No, in",
        ]
        assert rows(store, "interruption") == []
        [row] = store.sessions()
        signs = gather(store, row, read_models(store, row)).facts["marks"]
        assert [ms for _, ms, name, _ in signs if name == "user speech"] == [1000, 3800]


def test_what_a_muted_user_says_begins_no_turn() -> None:
    def take(at_ms: float, sender: Any, kind: str) -> Any:
        body = json.dumps({"type": f"session.input_audio.{kind}", "event_id": kind}).encode()
        return LIVE.Moment(at_ms, 1, sender, "ws.text", "", body)

    def turns(*more: Any) -> list[float]:
        store = open_store("memory:", create=True)
        takes = [each for each in LIVE.moments() if b"transcript" not in each.body]
        takes = sorted([*takes, *more], key=lambda each: each.at_ms)
        record(store, takes, provider="openai-live", wall_ns=LIVE.WALL_NS)
        derive.refresh(store)
        return [(turn.user_started_ns or 0) / 1e6 for turn in rows(store, "turn")]

    assert turns() == pytest.approx([1000, 3800])
    muted, unmuted = take(3_010, "provider", "muted"), take(6_000, "provider", "unmuted")
    assert turns(muted, unmuted) == pytest.approx([1000])
    assert turns(take(3_010, "client", "mute")) == pytest.approx([1000, 3800])  # not granted yet
    assert turns(muted, unmuted._replace(at_ms=3_050)) == pytest.approx([1000, 3800])


def test_the_signs_of_a_page_are_where_the_tables_say(golden: Store) -> None:
    [row] = golden.sessions()
    facts = gather(golden, row, read_models(golden, row)).facts
    signs = [(name, word, ms) for _, ms, name, word in facts["marks"]]
    spoke = [ms for name, word, ms in signs if (name, word) == ("user speech", "started")]
    assert spoke == pytest.approx([turn["user_started_ms"] for turn in facts["turns"]])
    [cut] = facts["cuts"]
    assert [ms for name, _, ms in signs if name == "interrupted"] == [pytest.approx(4200)]
    assert cut["at_ms"] == pytest.approx(4100)  # the last piece with sound came then


def test_an_interruption_tells_what_is_known_of_it_and_no_more(golden: Store) -> None:
    [cut] = rows(golden, "interruption")
    assert (cut.turn, cut.by, cut.response, cut.generated_ms) == (1, "provider", "speech_1", 1400)
    assert (cut.detected_ns, cut.acted_ns, cut.ended_ns, cut.heard_ms) == (None, None, None, None)


def test_metrics_each_equal(golden: Store) -> None:
    values = {(row.metric, row.turn): row.value for row in rows(golden, "metric")}
    assert {key: values.get(key) for key in METRICS} == pytest.approx(METRICS, abs=1e-5)
    assert not ABSENT & {metric for metric, _ in values}


def test_a_call_of_the_backend_and_its_answers(golden: Store) -> None:
    [call] = rows(golden, "tool_call")
    assert (call.call, call.name, call.arguments) == ("call_1", "look", '{"city":"Oslo"}')
    assert (call.response, call.output, call.turn) == ("resp_1", '"rain"', 2)
    told = [(each.response, each.status) for each in rows(golden, "response")]
    speeches = [("speech_1", None), ("speech_2", None)]
    answers = [("resp_1", "completed"), ("resp_2", "completed")]
    assert sorted(told, key=str) == sorted([*answers, *speeches], key=str)
    assert rows(golden, "item") == []
    assert rows(golden, "unknown") == []


def test_seconds_and_dollars(golden: Store) -> None:
    used = [(each.component, each.meter, Decimal(each.quantity)) for each in rows(golden, "usage")]
    assert used == [
        ("session", "active", 9),
        ("backend", "text_in", 60),
        ("backend", "text_cached", 40),
        ("backend", "text_out", 20),
        ("backend", "text_in", 80),
        ("backend", "text_cached", 80),
        ("backend", "text_out", 30),
    ]
    paid = sum(Decimal(line.usd) for line in rows(golden, "cost_line"))
    assert paid == Decimal("0.0075") + Decimal("0.000060") + Decimal("0.000088")


def test_a_sideband_adds_nothing_that_the_primary_has_told(golden: Store) -> None:
    with closing(derived(lambda take: take.channel == LIVE.PRIMARY)) as alone:
        for table in ("turn", "transcript", "tool_call", "interruption", "response"):
            names = [name for name in rows(golden, table)[0]._fields if not _is_place(name)]
            assert _cells(golden, table, names) == _cells(alone, table, names)


def _is_place(name: str) -> bool:
    return name.endswith("_seq") or name == "session"


def _cells(store: Store, table: str, names: list[str]) -> list[list[Any]]:
    return [[getattr(row, name) for name in names] for row in rows(store, table)]


def test_two_sidebands_tell_no_more_than_one() -> None:
    """The second one comes in the midst, and a little after the first."""
    own = [take for take in LIVE.moments() if take.channel == LIVE.SIDEBAND]
    half = own[0].at_ms + 1500
    again = [
        take._replace(channel=9, at_ms=take.at_ms + 3)
        for take in own
        if take.kind == "ws.open" or take.at_ms >= half
    ]
    both = sorted([*own, *again], key=lambda take: take.at_ms)
    with closing(derived_from(own)) as one, closing(derived_from(both)) as two:
        for table in ("turn", "transcript", "interruption", "response"):
            names = [name for name in rows(one, table)[0]._fields if not _is_place(name)]
            assert _cells(two, table, names) == _cells(one, table, names)
        assert measured(two) == measured(one)
        lanes = [sorted_lanes(store) for store in (one, two)]
    assert len(lanes[0][0]) > 24_000
    for mine, other in zip(*lanes, strict=True):
        assert np.array_equal(mine, other[: mine.size])
        assert not other[mine.size :].any()


def measured(store: Store) -> dict[tuple[str, int | None], float]:
    places = {"user_speech_ms", "agent_speech_ms", "overlap_ms", "v2v_ms", "yield_ms"}
    return {
        (row.metric, row.turn): row.value for row in rows(store, "metric") if row.metric in places
    }


def sorted_lanes(store: Store) -> tuple[Any, Any]:
    [row] = store.sessions()
    sorter = Sorter(provider(row.provider).listener())
    for moment in Recording(store, row.id).moments():
        sorter.take(moment)
    return sorter.lanes.sides(24_000)


def test_a_sideband_alone_has_both_lanes_and_the_same_words_from_there_on() -> None:
    with closing(derived(lambda take: take.channel == LIVE.SIDEBAND)) as store:
        assert [turn.user_text for turn in rows(store, "turn")][-1] == "No, in Oslo. Mhm."
        [cut] = rows(store, "interruption")
        assert cut.generated_ms == 1200  # 3000 to 4200
        values = {(row.metric, row.turn): row.value for row in rows(store, "metric")}
        assert values["v2v_ms", 2] == pytest.approx(2000, abs=200)  # pieces of 200 ms


@pytest.mark.parametrize("channels", [(1, 2), (2,)])
def test_both_lanes_are_in_the_audio(tmp_path: Path, channels: tuple[int, ...]) -> None:
    with closing(open_store(f"sqlite:///{tmp_path}/tape.db", create=True)) as store:
        takes = [take for take in LIVE.moments() if take.channel in channels]
        record(store, takes, provider="openai-live", wall_ns=LIVE.WALL_NS)
    out(tmp_path / "tape.db", "audio", "last", "-o", str(tmp_path / "both.wav"))
    with wave.open(str(tmp_path / "both.wav")) as file:
        assert file.getnchannels() == 2
        rate, data = file.getframerate(), file.readframes(file.getnframes())
    samples = np.frombuffer(data, "<i2").reshape(-1, 2).astype(int)
    both = samples[int(3.9 * rate) : int(4.1 * rate)]
    assert (np.abs(both).mean(axis=0) > 1000).all()


def test_other_parameters_change_what_they_should(monkeypatch: pytest.MonkeyPatch) -> None:
    def told(**given: Any) -> tuple[list[str], int, str]:
        monkeypatch.setattr(openai_live, "RULE", Rule(**given))
        with closing(derived()) as store:
            [mark] = rows(store, "mark")
            turns = [turn.user_text for turn in rows(store, "turn")]
            return turns, len(rows(store, "interruption")), mark.projections

    plain = ["What is the weather?", "No, in Oslo. Mhm."]
    turns, cuts, version = told()
    assert (turns, cuts) == (plain, 1)
    assert "live-floor/2" in version
    assert "backchannel_ms=1000" in version
    turns, cuts, other = told(backchannel_ms=150)
    assert turns == ["What is the weather?", "No, in Oslo.", "Mhm."]
    assert "backchannel_ms=150" in other
    assert told(yield_ms=300)[1] == 0  # the agent spoke on for longer
    assert told(overlap_ms=450)[1] == 0
    assert told(user_dbfs=-5.0)[:2] == (plain, 0)  # by words alone, which came after the cut


def test_another_rule_makes_read_models_anew(
    golden: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    [row] = golden.sessions()
    before = derive.mark(golden, row, derive.PriceBook.shipped())
    monkeypatch.setattr(openai_live, "RULE", Rule(gap_ms=700))
    assert derive.mark(golden, row, derive.PriceBook.shipped()).projections != before.projections


def test_the_kept_tape_is_what_the_script_makes(tmp_path: Path) -> None:
    LIVE.make(tmp_path)
    assert LIVE.make_tapes.differences(tmp_path, LIVE.FOLDER) == []
    path = tmp_path / "tape.db"
    out(path, "import", str(LIVE.FOLDER / LIVE.NAME))
    assert "ok" in out(path, "verify", "last")
    with closing(open_store(f"sqlite:///{path}", create=False, readonly=True)) as store:
        [row] = store.sessions()
        assert (row.external_id, row.model) == (LIVE.SESSION, "gpt-live-1")
        sent = [take.body for take in LIVE.moments() if take.kind == "ws.text"]
        kept = [
            event.body for event in Recording(store, row.id).events() if event.kind == "ws.text"
        ]
        assert kept == sent
    assert provider("openai-live").TITLE == "OpenAI GPT-Live"


@pytest.mark.parametrize(
    ("provider_name", "others"),
    [("openai-live", {"openai", "vapi"}), ("openai", {"openai-live", "vapi"})],
)
def test_what_it_would_have_cost_elsewhere(
    tmp_path: Path, provider_name: str, others: set[str]
) -> None:
    path = tmp_path / "tape.db"
    with closing(open_store(f"sqlite:///{path}", create=True)) as store:
        takes = LIVE.moments() if provider_name == "openai-live" else conversation()
        record(store, takes, provider=provider_name, wall_ns=LIVE.WALL_NS)
        [row] = store.sessions()
    told = json.loads(out(path, "estimate", "last", "--json"))
    found = told["elsewhere"]["models"]
    assert {each["provider"] for each in found} == others
    for each in found:
        if each["model"] == "gpt-live-1":  # the seconds of the tape at 0.05 a minute
            seconds = Decimal(row.ended_ns or 0) / 1_000_000_000
            assert Decimal(each["usd"]) == pytest.approx(seconds * Decimal("0.05") / 60)
    assert all(each["usd"] is not None for each in found)
