"""Planted secrets are found nowhere: no file of the store, no export, no output.

Each secret crosses a real proxy in a place of its own (`canaries.py`), and the messages among them
are imported from a file of frames as well. Then everything that was left behind is searched for
every piece of each of them.
"""

from __future__ import annotations

import asyncio
import json
from base64 import b64encode
from collections.abc import Iterable, Iterator
from contextlib import closing
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from urllib.parse import quote

import pytest
from canaries import PLACES, Exchange, Place, Socket, core
from canary_run import LAST, Client, Proxy, Upstream, Wire, malformed
from click.testing import CliRunner
from commandline import run

from recorder.capture.secrets import MARKER_KEY
from recorder.cli import cli
from recorder.redact import Secrets, marker
from recorder.store import open_store

UPSTREAM = Place("upstream-url", f"u:{core('upstream-url')}", Exchange(), marks="")
MALFORMED = Place("malformed-request", f"sk-{core('malformed-request')}", Exchange(), marks="")
TRUNCATED = Place("truncated-import", f"sk-{core('truncated-import')}", Exchange(), marks="")
EVERYWHERE = [*PLACES, UPSTREAM, MALFORMED, TRUNCATED]
TABLES = ("session", "run", "channel", "event", "event_audio", "audio")
_PIECE = 8  # no piece of a secret that is longer than this may be found
_STEP = 2


@dataclass
class Left:
    """What the run left behind, by where it is, and what proves that it took place."""

    found: dict[str, bytes]
    wire: bytes
    secrets: Secrets
    live: list[str]  # names of the store's files while it was written
    exit_code: int
    unreachable: list[int]  # statuses once the upstream had gone

    @cached_property
    def whole(self) -> bytes:
        """All that was found, with its names: what is not in it is nowhere."""
        names = "\0".join(self.found).encode()
        return b"\0".join((names, *dict.fromkeys(self.found.values())))


def needles(place: Place) -> Iterator[bytes]:
    """Every way in which a piece of the secret would show."""
    secret = core(place.name).encode()
    for at in range(0, len(secret) - _PIECE + 1, _STEP):
        yield secret[at : at + _PIECE]
    for shift in range(3):  # base64 of text that holds it, however it is aligned
        yield b64encode(secret[shift : shift + 18])
    yield from place.spellings
    if place.secret.encode() not in place.wire:
        yield from place.wire if len(place.wire) == 1 else ()
    yield quote(place.secret, safe="").encode()


async def drive(folder: Path) -> Left:
    wire = Wire()
    upstream = Upstream(PLACES, wire)
    origin = await upstream.start()
    environ = {place.env: place.secret for place in PLACES if place.env}
    proxy = Proxy(folder, f"http://{UPSTREAM.secret}@{origin}/base", environ)
    address = await proxy.start()
    client = Client(f"http://{address}/openai", wire)
    await client.visit(PLACES)
    wire.saw(
        await malformed(address, f"GET /openai/x HTTP/1.1\r\n{MALFORMED.secret}\r\n\r\n".encode())
    )
    await upstream.stop()
    unreachable = [await client.ask("/v1/realtime"), await client.ask(LAST)]
    await proxy.stored(f"GET {LAST}")
    copies = proxy.files(folder / "live")
    found = {f"live {path.name}": path.read_bytes() for path in copies}
    code = await proxy.stop()
    found |= {path.name: path.read_bytes() for path in proxy.files(folder / "after")}
    found |= {"stdout": proxy.out.read_bytes(), "stderr": proxy.err.read_bytes()}
    with closing(open_store(str(proxy.path), create=False, readonly=True)) as store:
        key = store.setting(MARKER_KEY)
    assert key
    return Left(found, wire.data, Secrets(key), [path.name for path in copies], code, unreachable)


def told(store: Path) -> Iterator[tuple[str, str]]:
    """What each command says about each session of a store."""
    listed = run(store, "sessions", "--json")
    yield "record sessions --json", listed.out + listed.error
    for words in (["sessions"], ["verify"], ["db", "info"]):
        ended = run(store, *words)
        assert ended.code == 0, ended
        yield f"record {' '.join(words)}", ended.out + ended.error
    for table in TABLES:
        for layout in ("table", "json", "csv"):
            ended = run(store, "sql", f"SELECT * FROM {table}", "--format", layout)
            assert ended.code == 0, ended
            yield f"record sql {table} {layout}", ended.out + ended.error
    for row in json.loads(listed.out):
        for options in ([], ["--all"], ["--json"], ["--raw", "--json"]):
            ended = run(store, "show", row["id"], *options)
            assert ended.code == 0, ended
            yield f"record show {' '.join(options)} {row['id']}", ended.out + ended.error


def exported(store: Path, folder: Path) -> Iterator[tuple[str, bytes]]:
    """The exports of all sessions, and their audio."""
    for row in json.loads(run(store, "sessions", "--json").out):
        where = folder / row["id"]
        ended = run(store, "export", row["id"], str(where))
        assert ended.code == 0, ended
        yield f"record export {row['id']}", (ended.out + ended.error).encode()
        for path in sorted(where.rglob("*")):
            name = str(path.relative_to(folder))
            yield f"export {name}", path.read_bytes() if path.is_file() else name.encode()
        sound = folder / f"{row['id']}.wav"
        ended = run(store, "audio", row["id"], "-o", str(sound))
        yield f"record audio {row['id']}", (ended.out + ended.error).encode()
        if sound.exists():
            yield sound.name, sound.read_bytes()


def frames_of(places: Iterable[Place]) -> str:
    """The text messages of all places as a file of frames, each twice: as text and as JSON."""
    lines = []
    for place in places:
        talk = place.talk if isinstance(place.talk, Socket) else Socket()
        for who, frames in (("client", talk.client), ("provider", talk.provider)):
            texts = [frame for frame in frames if isinstance(frame, str)]
            lines += [json.dumps({"dir": who, "text": text}) for text in texts]
            lines += [f'{{"dir":"{who}","event":{text}}}' for text in texts if is_json(text)]
        who, why = talk.closes
        lines += [json.dumps({"dir": who, "event": "close", "reason": why})] if why else []
    return "\n".join(lines) + "\n"


def is_json(text: str) -> bool:
    try:
        json.loads(text)
    except ValueError:
        return False
    return True


def imported(folder: Path) -> Iterator[tuple[str, bytes]]:
    """What the import of frames leaves: store, export and output; and that of a broken file."""
    file, store = folder / "call.jsonl", folder / "imported.db"
    file.write_text(frames_of(PLACES), encoding="utf-8")
    environ = {place.env: place.secret for place in PLACES if place.env}
    argv = ["import", str(file), "--store", str(store)]
    done = CliRunner().invoke(cli, argv, env=environ, catch_exceptions=False)
    assert done.exit_code == 0, done.output
    broken = folder / "broken.jsonl"
    broken.write_text(f'{{"dir":"client","text":"{TRUNCATED.secret}')
    refused = run(store, "import", str(broken))
    assert refused.code == 2
    yield "record import", (done.output + refused.out + refused.error).encode()
    for path in sorted(folder.glob("imported.db*")):
        yield path.name, path.read_bytes()
    for name, text in told(store):
        yield f"imported: {name}", text.encode()
    for name, data in exported(store, folder / "imported"):
        yield f"imported: {name}", data


@pytest.fixture(scope="module")
def left(tmp_path_factory: pytest.TempPathFactory) -> Left:
    folder = tmp_path_factory.mktemp("canary")
    left = asyncio.run(drive(folder))
    store = folder / "tape.db"
    left.found |= {name: text.encode() for name, text in told(store)}
    left.found |= dict(exported(store, folder / "exports"))
    left.found |= dict(imported(folder))
    unreachable = ["proxy", "--store", str(folder / "no.db"), "--openai-url"]
    for url in (f"http://{UPSTREAM.secret}@127.0.0.1:1", f"ftp://{UPSTREAM.secret}@x"):
        ended = CliRunner().invoke(cli, [*unreachable, url])
        left.found[f"record proxy {url[:5]}"] = f"{ended.output} {ended.exception}".encode()
    return left


def test_the_run_was_a_real_one(left: Left) -> None:
    assert left.exit_code == 0
    assert left.unreachable == [502, 502]
    assert {"tape.db", "tape.db-wal", "tape.db-shm"} <= set(left.live)
    assert any(name.endswith(".wav") for name in left.found)
    assert b"cannot reach" in left.found["stderr"]
    assert b"Invalid header token" in left.found["stderr"]


@pytest.mark.parametrize(
    "where",
    [
        "live tape.db",
        "tape.db",
        "export ",
        "record show --raw --json",
        "record show --json",
        "record show --all",
        "record sql event json",
        "imported.db",
        "imported: export ",
        "imported: record show --json",
    ],
)
def test_what_is_searched_holds_the_traffic(left: Left, where: str) -> None:
    """What is no secret is found there, so a secret would be."""
    assert any(
        b"the word is" in data for name, data in left.found.items() if name.startswith(where)
    )


@pytest.mark.parametrize("place", EVERYWHERE, ids=lambda place: place.name)
def test_a_canary_is_found_nowhere(left: Left, place: Place) -> None:
    where = {
        name
        for needle in needles(place)
        if needle in left.whole
        for name, data in left.found.items()
        if needle in data or needle in name.encode()
    }
    assert not where, f"{place.name} leaks to {sorted(where)}"


@pytest.mark.parametrize("place", PLACES, ids=lambda place: place.name)
def test_a_canary_has_crossed_as_it_was(left: Left, place: Place) -> None:
    for piece in place.wire or (place.secret.encode(),):
        assert piece in left.wire


@pytest.mark.parametrize("place", PLACES, ids=lambda place: place.name)
def test_its_marker_stands_on_the_tape(left: Left, place: Place) -> None:
    whole = place.secret if place.marks is None else place.marks
    if whole:
        assert marker(left.secrets, whole).encode() in left.found["tape.db"]
