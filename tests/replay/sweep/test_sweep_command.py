"""`replay sweep` as a user runs it: one process of an application per tape."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from contextlib import closing
from pathlib import Path
from xml.etree import ElementTree

import pytest
from click.testing import CliRunner, Result
from sweep_apps import APP, app, database, greeting, keep
from tapes import WALL_NS, record
from vapi_replaying import SOCKET, Tape

from recorder.errors import RecorderError
from recorder.store import open_store
from replay.cli import cli


def sweep(*words: object) -> Result:
    result = CliRunner().invoke(cli, ["sweep", *map(str, words)])
    if not isinstance(result.exception, RecorderError | SystemExit | None):
        raise result.exception
    return result


def refusal(*words: object) -> str:
    """The one line of a sweep that does not begin."""
    error = sweep(*words).exception
    assert isinstance(error, RecorderError)
    assert error.exit_code == 2
    assert "\n" not in str(error)
    return str(error)


@pytest.fixture
def tapes(tmp_path: Path) -> Path:
    """Tapes: `good` and `spoken` are of the application, `other` is not."""
    kept = {"good": greeting(), "other": greeting("Long."), "spoken": greeting(audio_ms=400)}
    return keep(tmp_path / "tapes", kept)


def is_running(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    state = Path(f"/proc/{pid}/stat").read_text() if Path("/proc").is_dir() else ""
    return " Z " not in state


def gone(pid: int) -> bool:
    """Whether a process ends within two seconds."""
    limit = time.monotonic() + 2
    while is_running(pid) and time.monotonic() < limit:
        time.sleep(0.01)
    return not is_running(pid)


# Verdicts


def test_each_tape_gets_a_verdict_in_order_and_every_failure_is_collected(
    tapes: Path, tmp_path: Path
) -> None:
    (tapes / "broken").mkdir()
    (tapes / "broken" / "session.json").write_text("{}")
    result = sweep(tapes, "--app", app(tmp_path), "--junit", tmp_path / "junit.xml")
    assert result.exit_code == 2, result.output
    lines = result.output.splitlines()
    heads = [line for line in lines if not line.startswith(" ")]
    assert heads[:-1] == [
        "BROKEN broken",
        "PASS good steps=3/3 audio=0.0s cost=$0.000 (recorded)",
        "FAIL other steps=1/3 audio=0.0s cost=$0.000 (recorded)",
        "PASS spoken steps=5/5 audio=0.4s cost=$0.000 (recorded)",
    ]
    assert heads[-1].startswith("4 tapes: 2 passed, 1 failed, 1 could not be played; $0.00")
    beneath = lines[lines.index(heads[2]) + 1 : lines.index(heads[3])]
    assert beneath[:4] == [
        "  replay failed: step 4 session.update differs",
        "    at        $.session.instructions",
        '    expected  "Long."',
        '    got       "Short."',
    ]
    assert beneath[-1] == "  | connected for other"
    assert "session.json" in lines[1]
    suite = ElementTree.parse(tmp_path / "junit.xml").getroot()[0]
    assert [suite.get(name) for name in ("tests", "failures")] == ["4", "2"]
    failures = {case.get("name"): case.find("failure") for case in suite}
    assert failures["good"] is None
    assert failures["other"] is not None
    message = failures["other"].get("message")
    assert message == "FAIL: replay failed: step 4 session.update differs"


def test_an_application_that_never_connects_is_told_loudly(tapes: Path, tmp_path: Path) -> None:
    command = app(tmp_path, "print('out of luck')", "raise SystemExit(3)", text="")
    result = sweep(tapes / "good", "--app", command)
    assert result.exit_code == 1
    head, never, advice, _, tail, summary = result.output.splitlines()
    assert head.startswith("NOOP good steps=0/3")
    assert never.startswith("  the application never connected to http://127.0.0.1:")
    assert never.endswith(", and ended with exit code 3")
    assert "OPENAI_BASE_URL" in advice
    assert tail == "  | out of luck"
    assert summary.startswith("1 tape: 1 never connected;")


def test_a_bad_end_after_a_complete_replay_is_an_error(tapes: Path, tmp_path: Path) -> None:
    result = sweep(tapes / "good", "--app", app(tmp_path, "sys.exit(4)"), "--json")
    assert result.exit_code == 1
    (found,) = json.loads(result.output)["tapes"]
    assert (found["verdict"], found["exit_code"]) == ("ERROR", 4)
    assert (found["steps_used"], found["steps_total"]) == (3, 3)
    assert found["report"] == [
        "the replay was complete, and the application ended with exit code 4"
    ]
    assert found["output"] == ["connected for good"]


def test_an_application_that_leaves_early_is_not_waited_for(tapes: Path, tmp_path: Path) -> None:
    begun = time.monotonic()
    text = APP.replace("    socket.send", "    os._exit(0)\n    socket.send")
    result = sweep(tapes / "good", "--app", app(tmp_path, text=text))
    assert result.exit_code == 1
    assert "FAIL good" in result.output
    assert "the connection was lost before" in result.output
    assert time.monotonic() - begun < 10, "it waited for the patience of the replay"


def test_a_run_has_a_bound_and_its_processes_are_ended(tapes: Path, tmp_path: Path) -> None:
    child = tmp_path / "child.pid"
    hang = (
        "import subprocess",
        "child = subprocess.Popen([sys.executable, '-c', 'import time; time.sleep(60)'])",
        f"open({str(child)!r}, 'w').write(str(child.pid))",
        "time.sleep(60)",
    )
    text = APP.replace("    socket.recv()\n", "", 1).split("    print", 1)[0]
    lines = [f"    {line}" for line in hang]
    command = app(tmp_path, *lines, text=text)
    result = sweep(tapes / "good", "--app", command, "--max-seconds", "1.5")
    assert result.exit_code == 1
    assert "it was not over after 1.5 s (--max-seconds)" in result.output
    assert "the application still ran after 1.5 s (--max-seconds); ended by SIGTERM" in (
        result.output
    )
    assert gone(int(child.read_text()))


def test_a_server_that_stays_is_ended_after_the_replay_and_passes(
    tapes: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("replay.sweep.run._LINGER_S", 0.2)
    result = sweep(tapes / "good", "--app", app(tmp_path, "time.sleep(60)"))
    assert result.exit_code == 0, result.output
    note = "  note: the application still ran 0.2 s after the replay; ended by SIGTERM"
    assert note in result.output.splitlines()


def test_tapes_that_have_to_fail_pass_only_if_they_do(tapes: Path, tmp_path: Path) -> None:
    result = sweep(tapes, "--app", app(tmp_path), "--expect-fail", "o*", "--expect-fail", "sp*")
    assert result.exit_code == 1
    heads = [line.split()[:2] for line in result.output.splitlines() if line[0] != " "]
    assert heads[:-1] == [["PASS", "good"], ["PASS", "other"], ["FAIL", "spoken"]]
    assert "--expect-fail says that this tape has to fail" in result.output


# What an application gets


def test_a_tape_that_has_to_fail_must_be_there(tapes: Path, tmp_path: Path) -> None:
    said = refusal(tapes, "--app", app(tmp_path), "--expect-fail", "o*", "--expect-fail", "othr")
    assert said == "--expect-fail 'othr' fits no tape: there are good, other, spoken"


def test_a_tape_that_has_lost_its_document_is_not_passed_over(tmp_path: Path) -> None:
    tapes = keep(tmp_path / "tapes", {"good": greeting(), "lost": greeting()})
    (tapes / "lost" / "session.json").unlink()
    (tapes / "good.rest").mkdir()
    (tapes / "good.rest" / "note.txt").write_text("no tape, but what stands beside one")
    (tapes / "empty").mkdir()
    (tapes / ".hidden").mkdir()
    (tapes / ".hidden" / "file").touch()
    result = sweep(tapes, "--app", app(tmp_path))
    assert result.exit_code == 2, result.output
    assert "BROKEN lost\n" in result.output
    assert "has no session.json" in result.output
    assert "2 tapes: 1 passed, 1 could not be played" in result.output


def test_an_application_is_led_to_the_server_and_nowhere_else(
    tapes: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "sk-real-0123456789abcdefghij")
    names = ["OPENAI_BASE_URL", "VAPI_BASE_URL", "REPLAY_URL", "REPLAY_TAPE", "REPLAY_SESSION"]
    names += ["OPENAI_API_KEY", "VAPI_API_KEY", "HTTPS_PROXY", "no_proxy"]
    out = tmp_path / "environment.json"
    line = f"json.dump({{name: os.environ.get(name) for name in {names}}}, open({str(out)!r}, 'w'))"
    assert sweep(tapes / "good", "--app", app(tmp_path, line)).exit_code == 0
    found = json.loads(out.read_text())
    url = found["REPLAY_URL"]
    assert url.startswith("http://127.0.0.1:")
    assert found["OPENAI_BASE_URL"] == f"{url}/openai/v1"
    assert found["VAPI_BASE_URL"] == f"{url}/vapi"
    assert found["REPLAY_TAPE"] == "good"
    document = json.loads((tapes / "good" / "session.json").read_text())
    assert found["REPLAY_SESSION"] == document["id"]
    assert found["OPENAI_API_KEY"] == found["VAPI_API_KEY"] == "replay-needs-no-key"
    assert found["HTTPS_PROXY"] == "http://127.0.0.1:9"
    assert "127.0.0.1" in found["no_proxy"]
    assert sweep(tapes / "good", "--app", app(tmp_path, line), "--allow-network").exit_code == 0
    assert json.loads(out.read_text())["HTTPS_PROXY"] == os.environ.get("HTTPS_PROXY")


def test_webhooks_come_to_the_port_that_the_application_is_told(tmp_path: Path) -> None:
    called = {"results": [{"toolCallId": "a", "result": "rain"}]}
    tape = Tape().create().wait(30).open().hook("tool-calls", called)
    tape.wait(20).close()
    keep(tmp_path / "tapes", {"call": tape.takes}, provider="vapi")
    server = """
import http.server, json, os, sys, threading, time, urllib.request
from websockets.sync.client import connect

class Hooks(http.server.BaseHTTPRequestHandler):
    def do_POST(self):
        self.rfile.read(int(self.headers["content-length"]))
        answer = json.dumps(%s).encode()
        self.send_response(200)
        self.send_header("content-length", str(len(answer)))
        self.end_headers()
        self.wfile.write(answer)
        threading.Thread(target=self.server.shutdown).start()
    def log_message(self, *_): pass

body = json.dumps({"assistantId": "a", "transport": {"provider": "vapi.websocket"}}).encode()
asked = urllib.request.Request(os.environ["VAPI_BASE_URL"] + "/call", body,
                               {"content-type": "application/json"})
call = json.load(urllib.request.urlopen(asked))
with connect(call["transport"]["websocketCallUrl"]):
    time.sleep(0.3)  # the webhook comes while nobody listens yet
    at = ("127.0.0.1", int(os.environ["REPLAY_WEBHOOK_PORT"]))
    http.server.HTTPServer(at, Hooks).serve_forever()
"""
    assert SOCKET == 2
    good = sweep(tmp_path / "tapes", "--app", app(tmp_path, text=server % called))
    assert good.exit_code == 0, good.output
    wrong = {"results": [{"toolCallId": "a", "result": "sun"}]}
    bad = sweep(tmp_path / "tapes", "--app", app(tmp_path, text=server % wrong))
    assert bad.exit_code == 1
    assert "the answer to webhook step" in bad.output
    assert 'got       "sun"' in bad.output


def test_rules_and_audio_hold_for_every_tape(tapes: Path, tmp_path: Path) -> None:
    rule = "any session.update:$.session.instructions"
    result = sweep(tapes / "other", "--app", app(tmp_path), "--rule", rule)
    assert result.exit_code == 0, result.output


# Which tapes


def test_a_trial_a_database_or_one_tape_can_be_named(tapes: Path, tmp_path: Path) -> None:
    url = database(tmp_path / "some.db", {"first": 1, "second": 2})
    command = app(tmp_path)
    one = sweep("first", "--store", url, "--app", command, "--json")
    assert len(json.loads(one.output)["tapes"]) == 1
    whole = sweep(url, "--app", command, "--json")
    assert [each["verdict"] for each in json.loads(whole.output)["tapes"]] == ["PASS"] * 3
    unknown = refusal("third", "--store", url, "--app", command)
    assert "it has first, second" in unknown


def test_replays_and_the_traffic_beside_a_tape_are_not_swept(tmp_path: Path) -> None:
    url = database(tmp_path / "some.db", {"t": 1})
    with closing(open_store(url, create=False)) as store:
        first = store.sessions()[0]
        record(store, greeting(), trial="t", origin="replay", parent=first.id)
        tape = Tape().ask("GET", "/assistant", None, {"id": "a"})
        later = WALL_NS + 1_000_000_000
        session = record(store, tape.takes, trial="t", provider="vapi", wall_ns=later)
        assert store.session(session)
    found = json.loads(sweep("t", "--store", url, "--app", app(tmp_path), "--json").output)
    assert [(each["session"], each["verdict"]) for each in found["tapes"]] == [
        (first.id, "PASS"),
        (session, "FAIL"),
    ], "REST traffic of a run without conversations is a tape of its own"


def test_what_names_no_tape_is_one_clear_line(tmp_path: Path) -> None:
    command = app(tmp_path)
    (tmp_path / "empty").mkdir()
    assert "has no tapes" in refusal(tmp_path / "empty", "--app", command)
    nothing = refusal("nothing", "--store", tmp_path / "none.db", "--app", command)
    assert "'nothing' is no folder, and no trial" in nothing


# The command line


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--app", "no-such-program x"], "no program 'no-such-program'"),
        (["--app", ""], "--app is empty"),
        (["--app", "a 'b"], "close the quote"),
        (["--app", "true", "--speed", "fast"], "give a factor above 0"),
        (["--app", "true", "--webhook-to", "nowhere"], "--webhook-to is not a URL"),
        (["--app", "true", "--junit", "/nonexistent/x.xml"], "give a file in a folder that exists"),
    ],
)
def test_wrong_words_are_one_clear_line(tapes: Path, words: list[str], said: str) -> None:
    assert said in refusal(tapes / "good", *words)


def test_tapes_are_played_at_the_same_time(tapes: Path, tmp_path: Path) -> None:
    """Each application waits until the other has begun."""
    text = f"""
import os, pathlib, time
folder = pathlib.Path({str(tmp_path)!r})
(folder / f"begun-{{os.environ['REPLAY_TAPE']}}").touch()
limit = time.monotonic() + 20
while len(list(folder.glob("begun-*"))) < 2 and time.monotonic() < limit:
    time.sleep(0.01)
"""
    (tapes / "other").rename(tmp_path / "aside")
    result = sweep(tapes, "--app", app(tmp_path, text=text + APP), "--jobs", "2", "--json")
    found = json.loads(result.output)["tapes"]
    assert [each["verdict"] for each in found] == ["PASS", "PASS"]
    assert max(each["took_s"] for each in found) < 15


def test_a_signal_ends_the_applications_too(tapes: Path, tmp_path: Path) -> None:
    pid = tmp_path / "app.pid"
    text = f"import os, time\nopen({str(pid)!r}, 'w').write(str(os.getpid()))\ntime.sleep(60)\n"
    command = app(tmp_path, text=text)
    words = [sys.executable, "-m", "replay", "sweep", str(tapes / "good"), "--app", command]
    with subprocess.Popen(words, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        limit = time.monotonic() + 20
        while not (pid.exists() and pid.read_text()) and time.monotonic() < limit:
            time.sleep(0.02)
        process.send_signal(signal.SIGTERM)
        _, said = process.communicate(timeout=20)
    assert process.returncode == 130, said
    assert gone(int(pid.read_text()))
