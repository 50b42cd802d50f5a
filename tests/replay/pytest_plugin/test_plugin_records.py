"""The plug-in in pytest runs: the modes that record, and what no mode does."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from plugin_world import INI, World, greeting, keep, provider
from tapes import WALL_NS

from replay.pytest_plugin.settings import value_of

pytest_plugins = ["pytester"]
_DAY_NS = 86_400_000_000_000

TESTS = """
KEY = "sk-a-key-of-the-plugin-tests"

@pytest.fixture(autouse=True)
def key(monkeypatch):
    monkeypatch.setenv("OPENAI_API_KEY", KEY)

@pytest.mark.tape("good")
def test_kept(tape_server, tape):
    assert talk() == "session.updated"

@pytest.mark.tape("Fresh one")
def test_fresh(tape_server, tape, tape_report):
    import httpx
    answer = httpx.post(
        tape_server.openai_base_url + "/realtime/client_secrets",
        headers=HEADERS,
        json={"session": {"type": "realtime", "model": "gpt-realtime"}},
    )
    assert answer.json()["value"].startswith("ek_")
    assert talk() == "session.updated"
    assert tape_server.wait()
    assert "session.update" in [event.type for event in tape.events]

@pytest.mark.tape("failing")
def test_fails():
    talk()
    assert 1 == 2, "its own reason"
"""


@pytest.fixture
def world(pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch) -> World:
    return World(pytester, monkeypatch)


@pytest.fixture(scope="module")
def upstream() -> Iterator[str]:
    with provider() as url:
        yield url


def content(folder: Path) -> dict[str, bytes]:
    """The files of a folder."""
    files = (path for path in folder.rglob("*") if path.is_file())
    return {str(path.relative_to(folder)): path.read_bytes() for path in files}


@pytest.mark.slow
def test_new_and_record_keep_what_is_missing_only(world: World, upstream: str) -> None:
    world.write(TESTS)
    before = content(world.tapes / "good")
    words = ("-p", "no:xdist", "--tape-mode", "new", "--tape-openai-url", upstream)
    ran = world.run(*words)
    assert ran.became == {
        "test_kept": ["PASSED"],
        "test_fresh": ["PASSED"],
        "test_fails": ["FAILED"],
    }, ran.out
    assert "its own reason" in ran.section("test_fails")
    assert "not kept, because the test failed (--tape-record-on-error" in ran.section("test_fails")
    kept = sorted(path.name for path in world.tapes.iterdir())
    assert len(kept) == 3, "the failing test has left a tape"
    assert kept[2] == "good"
    assert [name.partition("-")[0] for name in kept[:2]] == ["fresh", "fresh"]
    assert kept[1] == f"{kept[0]}.rest", "the REST traffic is kept beside the tape"
    assert content(world.tapes / "good") == before
    fresh = content(world.tapes / kept[0])
    assert json.loads(fresh["session.json"])["trial"] == "Fresh one"
    assert not any(b"sk-a-key" in each for each in content(world.tapes).values())

    replayed = world.run_here("-k", "not fails")
    assert replayed.code == 0, replayed.out

    again = world.run(*words, "--tape-mode", "record", "--tape-record-on-error")
    assert again.became == {"test_fails": ["FAILED"]}, again.out
    assert "kept as tests/tapes/failing, although the test failed" in again.section("test_fails")
    assert (world.tapes / "failing" / "session.json").exists()
    assert "2 skipped" in again.out
    assert "is there: delete tests/tapes/good to record it again" in again.out
    assert content(world.tapes / kept[0]) == fresh
    assert content(world.tapes / "good") == before


@pytest.mark.slow
def test_live_goes_through_and_compares_nothing(world: World, upstream: str) -> None:
    world.write("""
@pytest.mark.tape("good")
def test_other_than_the_tape(tape_server, tape):
    assert talk(text="Long.") == "session.updated"
    assert any(b"Long." in event.body for event in tape.events)
""")
    before = content(world.tapes)
    ran = world.run("-p", "no:xdist", "--tape-mode", "live", "--tape-openai-url", upstream)
    assert ran.became == {"test_other_than_the_tape": ["PASSED"]}, ran.out
    assert content(world.tapes) == before


def test_ci_never_records_and_old_tapes_fail_there(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    keep(world.tapes / "old", greeting(), WALL_NS - 10_000 * _DAY_NS)
    world.write("""
@pytest.mark.tape("old")
def test_old():
    talk()

@pytest.mark.tape("fresh")
def test_fresh():
    talk()
""")
    age = ("-o", "tape_max_age=90d")
    at_home = world.run_here(*age, "-k", "old")
    assert at_home.became == {"test_old": ["PASSED"]}, at_home.out
    assert "TapeExpired: tape 'old' is" in at_home.out
    monkeypatch.setenv("CI", "true")
    in_ci = world.run("-p", "no:xdist", *age, "--tape-mode", "new")
    assert in_ci.became == {"test_old": ["ERROR"], "test_fresh": ["ERROR"]}, in_ci.out
    old = in_ci.section("ERROR at setup of test_old")
    assert "days old (of 1999-" in old
    assert "tape_max_age is 90d): delete tests/tapes/old and record it again" in old
    fresh = in_ci.section("ERROR at setup of test_fresh")
    assert "a CI run (CI is set) never records" in fresh
    assert "pytest tests/test_it.py::test_fresh --tape-mode record" in fresh
    for ran in (at_home, in_ci):
        assert "expired: tape 'old' is" in ran.out
    assert not (world.tapes / "fresh").exists()


WRONG = [
    (("--tape-mode", "once"), "", "'once' is no mode: use one of replay, record, new, live"),
    (("-o", "tape_mode=all"), "", "'all' is no mode: use one of replay, record, new, live"),
    (("-o", "tape_max_age=soon"), "", "tape_max_age 'soon' is no age: give days, such as 90d"),
    ((), '"good", volume=3', "tape() has no 'volume'; write @pytest.mark.tape(\"NAME\""),
    ((), '"good", "bad"', "a tape has one name, and a list of rules"),
    (("--tape-speed", "0"), "", "--tape-speed '0' is not a speed"),
    (("-o", "tape_patience=-1"), "", "--tape-patience '-1' is no time"),
    (("--tape-rules", "none.txt"), "", "none.txt cannot be read"),
    ((), '"good")\n@pytest.mark.tape("bad"', "a test has one tape"),
    ((), '"good", rules="any $.x"', "a tape has one name, and a list of rules"),
]


@pytest.mark.parametrize(("words", "mark", "said"), WRONG)
def test_what_is_not_known_is_refused_with_what_is(
    world: World, words: tuple[str, ...], mark: str, said: str
) -> None:
    marker = mark or '"good"'
    world.write(f"\n@pytest.mark.tape({marker})\ndef test_it(): pass\n")
    ran = world.run_here(*words)
    assert ran.code == pytest.ExitCode.USAGE_ERROR
    assert said in ran.out


def test_a_ci_run_in_record_mode_does_not_begin(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    world.write("")
    monkeypatch.setenv("CI", "1")
    ran = world.run_here("--tape-mode", "record")
    assert ran.code == pytest.ExitCode.USAGE_ERROR
    assert "a CI run (CI is set) never records" in ran.out


def test_command_line_then_environment_then_marker_then_ini_then_default(
    pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("REPLAY_TAPE_SPEED", raising=False)
    pytester.makefile(".ini", pytest=INI)
    bare = pytester.parseconfigure()
    with_ini = pytester.parseconfigure("-o", "tape_speed=2")
    with_option = pytester.parseconfigure("-o", "tape_speed=2", "--tape-speed", "5")
    assert value_of(bare, "speed") == "max"
    assert value_of(with_ini, "speed") == "2"
    assert value_of(with_ini, "speed", 3) == "3"
    monkeypatch.setenv("REPLAY_TAPE_SPEED", "4")
    assert value_of(with_ini, "speed", 3) == "4"
    assert value_of(with_option, "speed", 3) == "5"
