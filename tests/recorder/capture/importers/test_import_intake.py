"""`record import FILE`: from the file to sessions in the store, or nothing."""

from __future__ import annotations

import base64
import json
from contextlib import closing
from pathlib import Path

import click
import pytest
from click.testing import CliRunner, Result
from tapes import SECRETS

from recorder.capture.encode import SecretLeft
from recorder.capture.importers import FORMATS, cassette
from recorder.capture.importers.conversation import Conversation, Source, Take
from recorder.capture.importers.intake import take_in
from recorder.capture.importers.source import detect, open_source
from recorder.clock import VirtualClock
from recorder.commands.import_ import command
from recorder.errors import ImportFailed
from recorder.providers import PROVIDERS
from recorder.recording import Recording
from recorder.redact import Redactor
from recorder.store import open_store
from recorder.store.base import SessionRow
from recorder.store.memory import MemoryStore
from recorder.verify import verify

OPENAI = PROVIDERS["openai"]
KEY = "sk-proj-4XmR9vTq2LwZ7sKd1BnY"
NOW = 1_800_000_000_000_000_000
MINTED = "sess_E6U0wabcdefghijklmnop"  # in the second 1785214050
FRAMES = [
    {"n": 0, "dir": "server", "event": {"type": "session.created", "session": {"id": MINTED}}},
    {"n": 1, "dir": "client", "event": {"type": "response.create"}},
]
CASSETTE = {
    "version": 1,
    "interactions": [
        {
            "request": {
                "method": "POST",
                "uri": "https://api.openai.com/v1/realtime/calls?a=b",
                "headers": {"authorization": [f"Bearer {KEY}"], "accept": ["a", "b"]},
                "body": "v=0\r\n",
            },
            "response": {
                "status": {"code": 201, "message": "Created"},
                "headers": {"Location": "/v1/realtime/calls/rtc_u0_E6U0wabcdefghijklmnop"},
                "body": {"string": "v=0\n"},
            },
        },
        {
            "request": {"method": "GET", "uri": "https://api.openai.com/v1/models", "body": None},
            "response": {"status": {"code": 204}, "body": {"base64_string": "AP8="}},
        },
    ],
}


def _lines(frames: list[dict[str, object]]) -> str:
    return "".join(json.dumps(frame) + "\n" for frame in frames)


def _run(folder: Path, name: str, text: str, *options: str) -> Result:
    (folder / name).write_text(text)
    arguments = ["--store", str(folder / "tapes.db"), str(folder / name), *options]
    return CliRunner().invoke(command, arguments)


def _sessions(folder: Path) -> list[SessionRow]:
    with closing(open_store(str(folder / "tapes.db"), create=False, readonly=True)) as store:
        rows = store.sessions()
        assert [verify(store, row).fault for row in rows] == [None] * len(rows)
        return rows


def test_frames_become_a_session(tmp_path: Path) -> None:
    done = _run(tmp_path, "x.jsonl", _lines(FRAMES), "--trial", "others")
    [row] = _sessions(tmp_path)
    assert done.output == f"imported {row.id}: 2 events (no times in the file)\n"
    assert (row.trial, row.origin, row.status) == ("others", "import", "complete")
    assert (row.external_id, row.wall_ns) == (MINTED, 1_785_214_050_000_000_000)
    assert (row.events, row.ended_ns) == (2, 0)


def test_a_second_import_is_another_session_and_the_last(tmp_path: Path) -> None:
    old = [{**FRAMES[0], "event": {"type": "session.created", "session": {"id": "sess_x"}}}]
    for frames in (old, FRAMES):
        _run(tmp_path, "x.jsonl", _lines(frames))
    first, last = _sessions(tmp_path)
    assert (first.external_id, last.external_id) == ("sess_x", MINTED)
    assert first.wall_ns > last.wall_ns


def test_secrets_of_a_file_do_not_reach_the_disk(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SOME_API_KEY", "horse-battery-staple")
    said = {"type": "x", "authorization": KEY, "text": "my horse-battery-staple"}
    done = _run(tmp_path, "x.jsonl", _lines([{"dir": "client", "event": said}]))
    assert done.exit_code == 0
    stored = b"".join(path.read_bytes() for path in tmp_path.glob("tapes.db*"))
    assert KEY.encode() not in stored
    assert b"horse-battery" not in stored
    assert _sessions(tmp_path)


def test_words_of_a_file_stay_out_where_asked(tmp_path: Path) -> None:
    said = {"type": "response.output_audio_transcript.done", "transcript": "a quiet canary"}
    text = _lines([{"dir": "provider", "event": said}])
    assert _run(tmp_path, "x.jsonl", text, "--redact-pii").exit_code == 0
    stored = b"".join(path.read_bytes() for path in tmp_path.glob("tapes.db*"))
    assert b"canary" not in stored
    assert b'"transcript": "[redacted]"' in stored
    refused = CliRunner().invoke(command, [str(tmp_path), "--redact-pii"])
    assert "comes back unchanged: leave --redact-pii out" in str(refused.exception)


@pytest.mark.parametrize("format_", ["har", "cassette", "frames"])
def test_a_format_can_be_named(tmp_path: Path, format_: str) -> None:
    done = _run(tmp_path, "x", _lines(FRAMES), "--format", format_)
    if format_ == "frames":
        assert done.exit_code == 0
    else:
        assert isinstance(done.exception, ImportFailed)


@pytest.mark.parametrize(
    ("name", "text", "message"),
    [
        ("x.jsonl", _lines(FRAMES)[:-20], "x.jsonl line 2: not whole JSON"),
        ("x.json", json.dumps(CASSETTE)[:-30], "x.json line 1: the file is cut off"),
        ("x.har", '{"log":', "x.har line 1: the file is cut off"),
        ("x.txt", "hello", "name its format with --format"),
        ("x.txt", " \n", "is empty"),
        ("x.zip", "PK\x03\x04 broken", "no whole zip file"),
    ],
)
def test_a_bad_file_gives_one_line_and_no_store(
    tmp_path: Path, name: str, text: str, message: str
) -> None:
    done = _run(tmp_path, name, text)
    assert isinstance(done.exception, ImportFailed)
    assert message in str(done.exception)
    assert "\n" not in str(done.exception)
    assert not (tmp_path / "tapes.db").exists()


def test_the_command_knows_every_format() -> None:
    option = next(each for each in command.params if each.name == "format_")
    assert isinstance(option.type, click.Choice)
    assert list(option.type.choices) == list(FORMATS)


def test_a_file_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(ImportFailed, match="cannot be read"):
        open_source(tmp_path / "nothing")


@pytest.mark.parametrize(
    ("head", "format_"),
    [
        ('{"n":0,"dir":"server","event":{', "frames"),
        ('\ufeff\n{"event":{"type":"x"},"direction": "send"}', "frames"),
        ('"close"', "frames"),
        ('{\n  "log": {', "har"),
        ('{"interactions": [', "cassette"),
        ('{"version": 1,\n "interactions": [', "cassette"),
    ],
)
def test_formats_are_told_from_the_content(tmp_path: Path, head: str, format_: str) -> None:
    (tmp_path / "x").write_text(head)
    assert detect(open_source(tmp_path / "x")) == format_
    assert format_ in FORMATS


def _cassette(document: object) -> Conversation:
    source = Source("x.json", json.dumps(document).encode(), lambda name: b"")
    [conversation] = cassette.read(source, OPENAI)
    return conversation


def test_a_cassette_is_one_session_named_by_its_call() -> None:
    store = MemoryStore()
    conversation = _cassette(CASSETTE)
    [row] = take_in(store, VirtualClock(wall_ns=NOW), SECRETS, OPENAI, "t", [conversation])
    assert row.external_id == "rtc_u0_E6U0wabcdefghijklmnop"
    assert row.wall_ns == 1_785_214_050_000_000_000
    events = list(Recording(store, row.id).events())
    assert [(event.channel, event.kind, event.type) for event in events] == [
        (1, "http.request", "POST /v1/realtime/calls"),
        (1, "http.chunk", "POST /v1/realtime/calls"),
        (1, "http.chunk", "POST /v1/realtime/calls"),
        (1, "http.response", "201"),
        (1, "http.chunk", "POST /v1/realtime/calls"),
        (1, "http.chunk", "POST /v1/realtime/calls"),
        (2, "http.request", "GET /v1/models"),
        (2, "http.chunk", "GET /v1/models"),
        (2, "http.response", "204"),
        (2, "http.chunk", "GET /v1/models"),
        (2, "http.chunk", "GET /v1/models"),
    ]
    assert KEY.encode() not in events[0].body
    assert (events[1].body, events[4].body, events[9].body) == (b"v=0\r\n", b"v=0\n", b"\0\xff")


@pytest.mark.parametrize(
    "spoil",
    [
        lambda pair: pair.pop("response"),
        lambda pair: pair["response"].pop("status"),
        lambda pair: pair["request"].update(uri="not absolute"),
        lambda pair: pair["request"].update(body=3),
        lambda pair: pair["response"].update(body={"base64_string": "?"}),
        lambda pair: pair.update(request=[]),
    ],
)
def test_a_bad_interaction_is_named(spoil: object) -> None:
    document = json.loads(json.dumps(CASSETTE))
    spoil(document["interactions"][1])  # type: ignore[operator]
    with pytest.raises(ImportFailed, match=r"x\.json: interaction 2 is not"):
        _cassette(document)


def test_an_id_from_the_future_is_no_clock() -> None:
    late = "sess_zzzzzabcdefghijklmnop"
    event = {"type": "session.created", "session": {"id": late}}
    take = Take(0, 1, "provider", "ws.text", "", json.dumps(event).encode())
    conversation = Conversation(takes=[take])
    conversation.channel("ws", "")
    clock = VirtualClock(wall_ns=NOW)
    [row] = take_in(MemoryStore(), clock, SECRETS, OPENAI, "t", [conversation])
    assert (row.wall_ns, row.external_id) == (NOW, late)


def test_the_time_of_a_file_comes_before_that_of_an_id() -> None:
    event = {"type": "session.created", "session": {"id": MINTED}}
    take = Take(5, 1, "provider", "ws.text", "", json.dumps(event).encode())
    conversation = Conversation(takes=[take], wall_ns=12)
    conversation.channel("ws", "")
    clock = VirtualClock(wall_ns=NOW)
    [row] = take_in(MemoryStore(), clock, SECRETS, OPENAI, "t", [conversation])
    assert (row.wall_ns, row.ended_ns) == (12, 5)


def test_nothing_of_a_file_is_stored_if_a_secret_would_be(monkeypatch: pytest.MonkeyPatch) -> None:
    def nothing_found(self: Redactor, *args: object) -> bytes:
        body = args[-1]
        assert isinstance(body, bytes)
        return body[:-1] + b" }"  # something was changed, but not the secret

    monkeypatch.setattr(Redactor, "redact", nothing_found)
    good, bad = Conversation(), Conversation()
    for conversation, text in ((good, "{}"), (bad, json.dumps({"authorization": KEY}))):
        number = conversation.channel("ws", "")
        conversation.takes.append(Take(0, number, "client", "ws.text", "", text.encode()))
    store = MemoryStore()
    with pytest.raises(SecretLeft, match="a secret is still at"):
        take_in(store, VirtualClock(wall_ns=NOW), SECRETS, OPENAI, "t", [good, bad])
    assert store.sessions() == []


def test_audio_of_a_file_is_lifted() -> None:
    said = base64.b64encode(bytes(4800)).decode()
    event = {"type": "input_audio_buffer.append", "audio": said}
    conversation = Conversation()
    conversation.channel("ws", "")
    body = json.dumps(event).encode()
    conversation.takes.append(Take(0, 1, "client", "ws.text", "", body))
    store = MemoryStore()
    [row] = take_in(store, VirtualClock(wall_ns=NOW), SECRETS, OPENAI, "t", [conversation])
    assert store.audio(row.id, 1) == bytes(4800)
    assert [event.body for event in Recording(store, row.id).events()] == [body]
