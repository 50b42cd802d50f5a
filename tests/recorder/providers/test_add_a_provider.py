"""docs/add-a-provider.md, followed: the blocks of the page are the provider."""

from __future__ import annotations

import importlib
import re
import shlex
import sys
from collections.abc import Iterator, Sequence
from contextlib import closing
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
from click.testing import CliRunner
from tapes import record

import recorder.pricing
import recorder.providers
from recorder.capture.proxy.destinations import Destinations
from recorder.cli import cli as record_cli
from recorder.errors import RecorderError
from recorder.events import Event, Message
from recorder.pricing import PriceBook
from recorder.providers import PROVIDERS
from recorder.providers.base import Provider
from recorder.recording import Recording
from recorder.store import open_store
from replay.cli import cli as replay_cli
from replay.loopback import Loopback
from replay.match.rulebook import Rulebook
from replay.player import Player
from replay.script import read_script

PAGE = (Path(__file__).parents[3] / "docs" / "add-a-provider.md").read_text()
FILES = dict(re.findall(r"^`([\w./]+)`:\n```\w+\n(.*?)^```", PAGE, re.MULTILINE | re.DOTALL))
[ENTRY] = re.findall(r"has a line for it:\n```python\n(.*?)```", PAGE, re.DOTALL)
[COMMANDS] = re.findall(r"```console\n(.*?)```", PAGE, re.DOTALL)
BOOK = Path(recorder.pricing.__file__).parent / "book"
RIFF = 44  # bytes of an empty WAV file


@pytest.fixture
def parrot(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[ModuleType]:
    """The page's files in a tree of their own, laid over the program."""
    for name, text in FILES.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(text)
    monkeypatch.syspath_prepend(str(tmp_path / "tests/recorder/providers/parrot"))
    over = str(tmp_path / "recorder/providers")
    monkeypatch.setattr(recorder.providers, "__path__", [*recorder.providers.__path__, over])
    module = importlib.import_module("recorder.providers.parrot")
    entry: dict[str, Any] = eval(f"{{{ENTRY}}}", {"parrot": module})
    for name, provider in entry.items():
        monkeypatch.setitem(PROVIDERS, name, provider)
    monkeypatch.setattr(PriceBook, "shipped", _book(tmp_path))
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("RECORDER_STORE", f"sqlite:///{tmp_path}/tapes.db")
    yield module
    for name in [each for each in sys.modules if "parrot" in each]:
        del sys.modules[name]
    del recorder.providers.parrot  # type: ignore[attr-defined]


def _book(folder: Path) -> Any:
    """`PriceBook.shipped`, with the page's prices beside those that are there."""
    book = folder / "recorder/pricing/book"
    for path in BOOK.glob("*.toml"):
        (book / path.name).write_bytes(path.read_bytes())
    return classmethod(lambda cls, on=None: cls.load(book, on))


def kept(folder: Path) -> str:
    """The page's conversation on the store, by way of the ledger."""
    conversation = importlib.import_module("parrot_conversation").conversation()
    with closing(open_store(f"sqlite:///{folder}/tapes.db", create=True)) as store:
        return record(store, conversation, provider="parrot")


def run(line: str) -> str:
    program, *words = shlex.split(line)
    done = CliRunner().invoke(record_cli if program == "record" else replay_cli, words)
    assert done.exit_code == 0, (line, done.output, done.exception)
    return done.output


def test_only_the_package_the_dict_the_prices_and_a_fixture_are_touched() -> None:
    rooms = ("recorder/providers/parrot/", "recorder/pricing/book/", "tests/")
    assert FILES
    assert all(name.startswith(rooms) for name in FILES)


def test_the_page_has_all_that_a_provider_needs(parrot: ModuleType) -> None:
    methods = {name for name in vars(Provider) if not name.startswith("_")}
    assert all(hasattr(parrot, name) for name in methods | set(Provider.__annotations__))
    to = Destinations({"parrot": parrot.UPSTREAM}).find("/parrot/v1/talk?voice=green")
    assert to is not None
    assert to.provider is parrot


def test_the_proxy_takes_it(parrot: ModuleType) -> None:
    words = ["proxy", "--listen", "127.0.0.1:0", "--upstream", "parrot=http://127.0.0.1:1"]
    refused = CliRunner().invoke(record_cli, words).exception
    assert isinstance(refused, RecorderError)
    assert "cannot reach the upstream http://127.0.0.1:1: " in str(refused)


def test_its_conversation_is_decoded_projected_measured_and_priced(
    parrot: ModuleType, tmp_path: Path
) -> None:
    session = kept(tmp_path)
    run("record verify last")
    run("record rebuild")
    with closing(open_store(f"sqlite:///{tmp_path}/tapes.db", create=False)) as store:
        row = store.session(session)
        assert row is not None
        assert (row.provider, row.external_id, row.model) == ("parrot", "parrot-7", "green")
        assert {segment.rate for segment in store.segments(session)} == {16_000}
        assert [turn.turn for turn in store.models("turn", session)] == [1]
        words = [(each.role, each.text) for each in store.models("transcript", session)]
        assert words == [("user", "Polly wants a cracker."), ("assistant", "A cracker!")]
        assert store.models("unknown", session) == []
        values = {each.metric: each.value for each in store.models("metric", session)}
        assert values["v2v_ms"] == pytest.approx(300, abs=20)
        [line] = store.models("cost_line", session)
        assert (line.provider, line.model, line.usd) == ("parrot", "green", "0.0025")


def test_the_commands_of_the_page_work(parrot: ModuleType, tmp_path: Path) -> None:
    kept(tmp_path)
    told = {line: run(line) for line in COMMANDS.splitlines()}
    assert "parrot" in told["record sessions"]
    assert "“A cracker!”" in told["record show last"]
    assert "ok" in told["record verify last"]
    assert "0.0025" in told["record estimate last --strict"]
    assert (tmp_path / "sound.wav").stat().st_size > RIFF
    assert "A cracker!" in (tmp_path / "page.html").read_text()
    assert (tmp_path / "exported" / "events.jsonl").exists()


class Again:
    """The client of a tape: says the same at the same times."""

    def __init__(self, tape: Sequence[Event]) -> None:
        said = [each for each in tape if each.sender == "client"]
        self._left = [(each.at_ns, Message(each.channel, each.kind, each.body)) for each in said]

    def receive(self, message: Message, now: int) -> None:
        """It knows what comes."""

    def due(self, now: int) -> list[Message]:
        ready = [message for at, message in self._left if at <= now]
        self._left = self._left[len(ready) :]
        return ready

    def next_deadline(self) -> int | None:
        return self._left[0][0] if self._left else None


def test_its_side_is_played(parrot: Any, tmp_path: Path) -> None:
    session = kept(tmp_path)
    with closing(open_store(f"sqlite:///{tmp_path}/tapes.db", create=False)) as store:
        tape = list(Recording(store, session).events())
    book = Rulebook(parrot.RULES)
    player = Player(read_script(tape, parrot, book), parrot, book, speed=1.0)
    crossed = list(Loopback(Again(tape), player, limit_ns=60_000_000_000))
    told = [each.message.body for each in crossed if each.sender == "provider"]
    assert player.finished
    assert player.used == player.total
    wanted = [each.body for each in tape if each.sender == "provider" and each.kind == "ws.text"]
    assert [body for body in told if body in wanted] == wanted
