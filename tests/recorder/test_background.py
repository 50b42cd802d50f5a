"""Read models are made beside a recording, and nothing that fails there reaches it."""

from __future__ import annotations

import asyncio
import logging
import os
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from commandline import run
from postgres import new_database, server
from tapes import Take, conversation

from recorder import background
from recorder.capture.process import WriterProcess
from recorder.clock import SystemClock
from recorder.recording import Recording
from recorder.store import open_store
from recorder.verify import verify

DEADLINE_S = 30.0


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    with server(tmp_path_factory.mktemp("pg")) as started:
        yield started


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.slow)])
def url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path / 'calls.db'}"
    return new_database(request.getfixturevalue("running"))


def tell(writer: WriterProcess, takes: list[Take]) -> str:
    """Record takes, as fast as they come."""
    tape = writer.open("openai", "background")
    channel = tape.channel("ws", "/v1/realtime")
    for take in takes:
        tape.record(channel, take.sender, take.kind, take.type, take.body)
    tape.end()
    return tape.session


def derived(url: str) -> list[str]:
    """The sessions that have read models."""
    with closing(open_store(url, create=False, readonly=True)) as store:
        return [row.session for row in store.models("mark")]


async def until_derived(url: str, sessions: list[str]) -> None:
    async with asyncio.timeout(DEADLINE_S):
        while derived(url) != sessions:
            await asyncio.sleep(0.1)


async def test_sessions_are_derived_while_the_recording_goes_on(url: str) -> None:
    writer = WriterProcess(url, SystemClock())
    await writer.start()
    async with background.deriving(writer):
        first = tell(writer, conversation())
        await until_derived(url, [first])
        second = tell(writer, conversation())
        await until_derived(url, sorted([first, second]))
        assert writer.ending.is_set() is False
        third = writer.open("openai", "background")
        third.channel("ws", "/v1/realtime")
    await writer.close()
    assert writer.ending.is_set()  # the third ended with the writer
    background.leave(url)
    await until_derived(url, sorted([first, second, third.session]))
    with closing(open_store(url, create=False, readonly=True)) as store:
        for row in store.sessions():
            assert verify(store, row).fault is None
        assert len(list(Recording(store, first).events())) == len(conversation())


async def test_what_was_left_by_a_dead_run_is_derived_at_the_start(url: str) -> None:
    dying = WriterProcess(url, SystemClock())
    await dying.start()
    tape = dying.open("openai", "background")
    channel = tape.channel("ws", "/v1/realtime")
    for take in conversation()[:40]:
        tape.record(channel, take.sender, take.kind, take.type, take.body)
    await dying.drained()
    dying._sock.close()  # as if the recording side had been killed
    await dying._process.wait()
    dying._talking.cancel()
    dying._listening.cancel()
    with closing(open_store(url, create=False)) as store:
        store.put_run(dying.run._replace(beat_ns=0))  # this process lives, which was not killed
    writer = WriterProcess(url, SystemClock())
    assert await writer.start() == [tape.session]
    async with background.deriving(writer):
        await until_derived(url, [tape.session])
    await writer.close()


async def test_a_failure_is_told_and_harms_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    url = f"sqlite:///{tmp_path / 'calls.db'}"
    broken = tmp_path / "python"
    broken.write_text("#!/bin/sh\nexit 7\n")
    broken.chmod(0o700)
    writer = WriterProcess(url, SystemClock())
    await writer.start()
    monkeypatch.setattr(background.sys, "executable", str(broken))  # type: ignore[attr-defined]
    with caplog.at_level(logging.WARNING):
        async with background.deriving(writer):
            session = tell(writer, conversation())
            async with asyncio.timeout(DEADLINE_S):
                while "code 7" not in caplog.text:
                    await asyncio.sleep(0.05)
            monkeypatch.setattr(background.sys, "executable", str(tmp_path / "nothing"))  # type: ignore[attr-defined]
            tell(writer, conversation()[:4])
            async with asyncio.timeout(DEADLINE_S):
                while "are not made" not in caplog.text:
                    await asyncio.sleep(0.05)
    monkeypatch.undo()
    await writer.close()
    assert run(tmp_path / "calls.db", "verify").code == 0
    assert derived(url) == []
    assert run(tmp_path / "calls.db", "sql", "SELECT 1").code == 0
    assert session in derived(url)


async def test_a_program_that_ends_does_not_wait(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    writer = WriterProcess(f"sqlite:///{tmp_path / 'calls.db'}", SystemClock())
    await writer.start()
    slow = tmp_path / "python"
    slow.write_text(f"#!/bin/sh\necho $$ > {tmp_path}/pid\nexec sleep 60\n")
    slow.chmod(0o700)
    monkeypatch.setattr(background.sys, "executable", str(slow))  # type: ignore[attr-defined]
    async with asyncio.timeout(DEADLINE_S):
        async with background.deriving(writer):
            tell(writer, conversation()[:4])
            while not (tmp_path / "pid").exists() or not (tmp_path / "pid").read_text():
                await asyncio.sleep(0.05)
            assert not writer.ending.is_set()
        assert writer.ending.is_set()
        with pytest.raises(ProcessLookupError):
            os.kill(int((tmp_path / "pid").read_text()), 0)
        await writer.close()


async def test_a_store_that_is_gone_is_one_line(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    await background.derive(str(tmp_path / "nothing.db"))
    told = capfd.readouterr().err
    assert told.startswith("record: read models are not made (")
    assert told.count("\n") == 1
    assert not os.path.exists(tmp_path / "nothing.db")
