"""Scenario files are read strictly, and say where they are wrong."""

from __future__ import annotations

from pathlib import Path

import pytest
from scenes import TEXT, changed, scenario

from recorder.trial.scenario import At, Budget, Double, End, is_scenario, read_scenario
from recorder.trial.toml import FileError

FOLDER = Path(__file__).parents[3] / "fixtures" / "scenarios"


def test_a_scenario_is_read_whole() -> None:
    made = scenario()
    assert (made.id, made.seed, made.speaks_first) == ("small", 7, "user")
    assert (made.voice.voice, made.voice.wpm, made.voice.tail_silence_ms) == ("en-us", 180, 600)
    assert [tool.name for tool in made.agent.tools] == ["book_table"]
    assert made.doubles[0] == Double(
        "book_table", {"day": "Monday"}, 400, {"ok": True, "code": "R-17"}
    )
    assert made.doubles[1] == Double("*", error="unavailable")
    assert [turn.at for turn in made.turns] == [
        At("session_ready"),
        At("agent_speech_start", 700, 8000),
    ]
    assert [turn.mode for turn in made.turns] == ["respond", "yield"]
    assert made.turns[0].entities == {"day": "Monday"}
    assert made.turns[0].expect[1] == {"says": {"contains": "R-17"}}
    assert made.end == End("agent_speech_end", 800, 15_000, 40)
    assert made.budget == Budget(v2v_p90_ms=3000, max_cost_usd=0.5)
    assert made.provider["openai"] == {"voice": "marin"}


def test_who_speaks_first_decides_when_the_first_turn_begins() -> None:
    made = scenario(('speaks_first = "user"', 'speaks_first = "agent"'))
    assert made.turns[0].at.after == "agent_speech_end"


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        ("delay_ms = 700", "dely_ms = 700", "small.toml:33: turn 2, at: unknown key 'dely_ms'"),
        ('title = "A small one"', "", "small.toml: title is missing"),
        ("seed = 7", 'seed = "7"', "small.toml:4: seed has to be a whole number from 0 on"),
        ("wpm = 180", "wpm = 10", "small.toml:8: voice: wpm has to be a whole number from 80 on"),
        ('mode = "yield"', 'mode = "stop"', "turn 2: mode is 'stop'; valid are respond, yield"),
        ('"agent_speech_start"', '"agent_starts"', "valid are session_ready, prev_turn_end"),
        (
            'name = "*"\nerror',
            'name = "book"\nerror',
            "no tool of the agent is called 'book'; they",
        ),
        ('error = "unavailable"', "", "tool 2: give one of result, error, status, drop"),
        ('say = "Wait, please."', 'say = "Wait."\ntext = "Wait."', "here is no file"),
        ('say = "Wait, please."', "", "a turn has one of say, file, noise, dtmf, silence_ms"),
        ("[provider.vapi]", "[provider.acme]", "provider: unknown key 'acme'; valid are openai"),
        ("schema = 1", "schema = 2", "small.toml:1: schema has to be 1"),
        ("max_s = 40", "max_s = true", "end: max_s has to be a number"),
        ('id = "small"', 'id = "so small"', "use letters, digits, - and _"),
        ("[end]", "[end", "small.toml is not TOML"),
    ],
)
def test_what_is_wrong_is_named_with_its_place(old: str, new: str, told: str) -> None:
    with pytest.raises(FileError) as refused:
        read_scenario(changed((old, new)), "small.toml")
    assert told in str(refused.value)


def test_an_unknown_key_is_told_with_those_that_are_valid() -> None:
    with pytest.raises(FileError, match=r"valid are delay_ms, drop, error, name, result, status"):
        read_scenario(changed(('error = "unavailable"', 'error = "no"\nwaits = 3')), "small.toml")


@pytest.mark.parametrize("path", sorted(FOLDER.glob("*.toml")), ids=lambda path: path.stem)
def test_the_shipped_scenarios_are_valid_and_named_like_their_files(path: Path) -> None:
    made = read_scenario(path.read_text(), path.name)
    assert made.id == path.stem
    assert [tool.name for tool in made.agent.tools] == ["book_table", "check_availability"]


def test_a_scenario_is_told_from_a_file_of_checks() -> None:
    assert is_scenario(TEXT)
    assert not is_scenario('[[check]]\ncalls = "book_table"')
    assert not is_scenario("no TOML at all [")


def test_a_double_of_an_agent_without_tools_is_refused() -> None:
    head, rest = TEXT.split("[[agent.tools]]", 1)
    text = head + rest[rest.index("[[tool]]") :]
    with pytest.raises(FileError, match="no tool of the agent is called 'book_table'; it has none"):
        read_scenario(text, "small.toml")


def test_noise_keys_and_silence_are_turns_too() -> None:
    turn = 'say = "Wait, please."'
    noise = 'noise = { kind = "door", ms = 300, level_db = -30 }'
    found = scenario((turn, noise)).turns[1].noise
    assert found is not None
    assert (found.kind, found.ms, found.level_db) == ("door", 300, -30.0)
    assert scenario((turn, 'dtmf = "12#"')).turns[1].dtmf == "12#"
    assert scenario((turn, "silence_ms = 5000")).turns[1].silence_ms == 5000
    with pytest.raises(FileError, match="valid keys are"):
        scenario((turn, 'dtmf = "12x"'))
