"""The plug-in in pytest runs: replays that pass, and replays that fail."""

from __future__ import annotations

import pytest
from plugin_world import World, greeting, keep
from tapes import WALL_NS
from vapi_replaying import Tape

pytest_plugins = ["pytester"]

FINE = '''
@pytest.mark.tape("good")
def test_fixtures(tape_server, tape, tape_report, tape_env):
    for environment in (os.environ, tape_env):
        assert environment["OPENAI_BASE_URL"] == tape_server.openai_base_url
        assert environment["VAPI_BASE_URL"] == tape_server.vapi_base_url
    assert tape_server.vapi_base_url == tape_server.url + "/vapi"
    assert os.environ["REPLAY_TAPE"] == tape.name == "good"
    assert os.environ["REPLAY_SESSION"] == tape.session
    assert os.environ["OPENAI_API_KEY"] == os.environ["VAPI_API_KEY"] == "replay-needs-no-key"
    assert tape_env["HTTPS_PROXY"] != os.environ.get("HTTPS_PROXY")
    assert int(os.environ["REPLAY_WEBHOOK_PORT"]) == tape_server.webhook_port
    assert [event.type for event in tape.events][2:4] == ["session.created", "session.update"]
    assert len(tape.digest) == 64
    assert (tape.path / "session.json").exists()
    assert tape_report.text.startswith("the replay is not over")
    assert talk(tape_server.openai_base_url) == "session.updated"
    assert tape_server.wait()
    assert tape_report.text.startswith("replay complete")
    assert tuple(tape_report.tally) == (3, 3)
    assert not tape_report.failed

@pytest.mark.tape("good", rules=["any $.nowhere"])
def test_marker_alone():
    assert talk() == "session.updated"

@pytest.mark.tape("good", mode="strict", speed=20)
async def test_async(tape_server):
    assert await atalk() == "session.updated"
    assert await asyncio.to_thread(tape_server.wait)

@pytest.mark.tape("good")
def test_plain_asyncio():
    assert asyncio.run(atalk()) == "session.updated"

@pytest.mark.tape("good")
def test_subprocess(tape_env):
    code = "import sys; sys.path.insert(0, sys.argv[1]); import test_it; print(test_it.talk())"
    words = [sys.executable, "-c", code, os.path.dirname(__file__)]
    done = subprocess.run(words, env=tape_env, capture_output=True, text=True, timeout=30)
    assert done.stdout.strip() == "session.updated", done

@pytest.mark.tape("good")
def test_left_open(request):
    """The application closes when its fixture does, or never."""
    ws = connect(socket_url(None))
    request.addfinalizer(ws.close)
    ws.recv(10)
    ws.send(update("Short."))
    ws.recv(10)

@pytest.mark.tape("other", rules=["any session.update:$.session.instructions"])
def test_rules():
    talk()

@pytest.mark.tape("other")
def test_a_tape_that_has_to_fail(tape_report):
    tape_report.expect_failure("session.update differs")
    with pytest.raises(Exception):
        while True:
            talk()

@pytest.mark.parametrize("text", ["Short.", "Long."])
@pytest.mark.tape("good")
def test_one_tape_for_two_tests(text, tape_report):
    if text == "Long.":
        tape_report.expect_failure()
        with pytest.raises(Exception):
            while True:
                talk(text=text)
    else:
        talk()

@pytest.mark.tape("good")
@pytest.mark.xfail(reason="not yet", raises=ZeroDivisionError)
def test_expected_to_fail():
    1 / 0

@pytest.mark.tape("good")
def test_skips():
    pytest.skip("not today")

@pytest.mark.tape("repeats")
def test_repeats_come_in_their_order(tape_server):
    import urllib.request
    def get():
        return json.load(urllib.request.urlopen(tape_server.vapi_base_url + "/call/x"))
    assert [get()["n"], get()["n"]] == [1, 2]

def test_without_a_tape():
    assert "REPLAY_URL" not in os.environ
    try:
        socket.create_connection(("192.0.2.1", 9), timeout=0.01)
    except Exception as error:
        assert "tape" not in str(error)
'''
NAMES = [
    "test_fixtures",
    "test_marker_alone",
    "test_async",
    "test_plain_asyncio",
    "test_subprocess",
    "test_left_open",
    "test_rules",
    "test_a_tape_that_has_to_fail",
    "test_one_tape_for_two_tests",
    "test_repeats_come_in_their_order",
    "test_without_a_tape",
]


@pytest.fixture
def world(pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch) -> World:
    return World(pytester, monkeypatch)


def test_replays_pass_on_workers_and_what_no_test_names_is_listed(world: World) -> None:
    keep(world.tapes / "other", greeting("Long."), WALL_NS + 1)
    keep(world.tapes / "orphan", greeting(), WALL_NS + 2)
    keep(world.tapes / "torn", greeting(), WALL_NS + 4)
    (world.tapes / "torn" / "session.json").unlink()
    calls = Tape().ask("GET", "/call/x", None, {"n": 1}).ask("GET", "/call/x", None, {"n": 2})
    keep(world.tapes / "repeats", calls.takes, WALL_NS + 3, "vapi")
    rules = "any session.update:$.session.type\nany $.session.nowhere\n"
    (world.folder / "rules.txt").write_text(rules)
    world.write(FINE)
    ran = world.run("--tape-orphans", "-n", "2", "--tape-rules", "rules.txt")
    assert ran.code == 0, ran.out
    passed = {name for name, words in ran.became.items() if set(words) == {"PASSED"}}
    assert passed == set(NAMES), ran.out
    assert "1 xfailed" in ran.out
    assert "1 skipped" in ran.out
    orphans = [line for line in ran.out.splitlines() if line.startswith("orphaned")]
    told = "orphaned: no test names tests/tapes/{}: delete it"
    assert orphans == [told.format("orphan"), told.format("torn")]
    idle = [line for line in ran.out.splitlines() if line.startswith("rule never applied")]
    assert idle == [
        "rule never applied: any $.nowhere (a marker of tape 'good')",
        "rule never applied: any $.session.nowhere (rules.txt:2)",
    ]


BAD = '''
@pytest.mark.tape("good")
def test_tail():
    with connect(socket_url(None)) as ws:
        ws.recv(10)

@pytest.mark.tape("good")
def test_nothing_comes():
    pass

@pytest.mark.tape("good")
def test_swallows():
    try:
        while True:
            talk(text="Long.")
    except Exception:
        pass

@pytest.mark.tape("good")
def test_network():
    talk()
    socket.create_connection(("api.example.com", 443), timeout=1)

@pytest.mark.tape("good")
def test_network_swallowed():
    talk()
    try:
        asyncio.run(asyncio.open_connection("192.0.2.1", 443))
    except Exception:
        pass

@pytest.mark.tape("good")
def test_own_failure():
    """It also leaves the tape unused, which must not hide this."""
    assert 1 == 2, "its own reason"

@pytest.fixture
def broken():
    raise RuntimeError("a broken fixture")

@pytest.mark.tape("good")
def test_broken_fixture(broken):
    pass

@pytest.mark.tape("no such tape")
def test_missing():
    pass

@pytest.mark.tape("damaged")
def test_damaged():
    pass

@pytest.mark.tape("empty")
def test_empty():
    pass

@pytest.mark.tape("good", audio="loud")
def test_audio():
    pass

@pytest.mark.tape("good", mode="record")
def test_mode():
    pass

@pytest.mark.tape("good", rules=["perhaps $.x"])
def test_rule():
    pass

@pytest.mark.tape("good")
def test_does_not_fail(tape_report):
    tape_report.expect_failure("something else")
    talk()

def test_no_tape(tape_server):
    pass

@pytest.mark.tape("repeats")
def test_one_repeat_too_many(tape_server):
    import urllib.request
    for _ in range(2):
        asked = urllib.request.Request(tape_server.vapi_base_url + "/assistant", b"{}")
        asked.add_header("content-type", "application/json")
        urllib.request.urlopen(asked)
'''


def test_what_does_not_fit_fails_the_test_with_its_reason(world: World) -> None:
    keep(world.tapes / "damaged", greeting(), WALL_NS + 1)
    events = world.tapes / "damaged" / "events.jsonl"
    events.write_bytes(events.read_bytes().replace(b"Short", b"Shirt", 1))
    (world.tapes / "empty").mkdir()
    keep(
        world.tapes / "repeats",
        Tape().ask("POST", "/assistant", {}, {"id": "x"}).takes,
        WALL_NS + 2,
        "vapi",
    )
    world.write(BAD)
    ran = world.run_here("--tape-orphans")
    assert ran.code == 1, ran.out
    assert "no orphans: every tape is named by a test" in ran.out
    only_teardown = ["test_tail", "test_nothing_comes", "test_swallows", "test_network_swallowed"]
    for name in (*only_teardown, "test_does_not_fail"):
        assert sorted(ran.became[name]) == ["ERROR", "PASSED"], (name, ran.out)
    assert "the test ended" in ran.section("ERROR at teardown of test_nothing_comes")
    assert "nothing came to http://127.0.0.1:" in ran.section(
        "ERROR at teardown of test_nothing_comes"
    )
    assert "unused: next is" in ran.section("ERROR at teardown of test_tail")
    swallowed = ran.section("ERROR at teardown of test_swallows")
    assert "replay failed: step 4 session.update differs" in swallowed
    assert "any session.update:$.session.instructions" in swallowed
    assert "(rules=[…] of the marker, tape_rules)" in swallowed
    assert "192.0.2.1:443, which is outside of its tape" in ran.section(
        "ERROR at teardown of test_network_swallowed"
    )
    assert ran.became["test_network"] == ["FAILED"]
    assert "api.example.com:443 is outside of the tape" in ran.section("test_network")
    own = ran.section("test_own_failure")
    assert ran.became["test_own_failure"] == ["FAILED"], "its own failure was masked"
    assert "its own reason" in own
    assert "tape good" in own
    assert "the replay is not over" in own
    assert ran.became["test_broken_fixture"] == ["ERROR"]
    missing = ran.section("ERROR at setup of test_missing")
    assert "tape 'no such tape' is missing: there is no tests/tapes/no-such-tape-" in missing
    assert "pytest tests/test_it.py::test_missing --tape-mode record" in missing
    damaged = ran.section("ERROR at setup of test_damaged")
    assert "event 4 (client session.update) differs" in damaged
    assert "git checkout -- tests/tapes/damaged" in damaged
    assert "tape 'empty' is missing" in ran.section("ERROR at setup of test_empty")
    assert "use one of exact, energy, duration, ignore" in ran.section(
        "ERROR at setup of test_audio"
    )
    assert "'perhaps' is no verb" in ran.section("ERROR at setup of test_rule")
    assert "the marker of tests/test_it.py::test_rule" in ran.section("ERROR at setup of test_rule")
    assert "had to fail with 'something else'" in ran.section(
        "ERROR at teardown of test_does_not_fail"
    )
    assert '@pytest.mark.tape("NAME"' in ran.section("ERROR at setup of test_no_tape")
    assert "the tape has no further POST /assistant" in ran.section("test_one_repeat_too_many")


XFAILS = """
@pytest.mark.tape("good")
@pytest.mark.xfail(reason="says something else")
def test_differs():
    try:
        while True:
            talk(text="Long.")
    except Exception:
        pass

@pytest.mark.tape("good")
@pytest.mark.xfail(strict=True, reason="stops early")
def test_strict():
    with connect(socket_url(None)) as ws:
        ws.recv(10)

@pytest.mark.tape("good")
@pytest.mark.xfail(strict=True, reason="is fine")
def test_passes():
    talk()

@pytest.mark.tape("good")
@pytest.mark.xfail(raises=ZeroDivisionError, reason="another reason")
def test_other_reason():
    pass
"""


def test_a_replay_that_fails_is_what_an_xfail_expects(world: World) -> None:
    world.write(XFAILS)
    ran = world.run_here()
    assert ran.became == {
        "test_differs": ["XFAIL"],
        "test_strict": ["XFAIL"],
        "test_passes": ["FAILED"],
        "test_other_reason": ["FAILED"],
    }, ran.out
    assert "[XPASS(strict)] is fine" in ran.out
    assert "nothing came to http://127.0.0.1:" in ran.section("test_other_reason")
