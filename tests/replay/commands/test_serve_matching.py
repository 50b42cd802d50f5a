"""The options of `replay serve` that say what may differ."""

from __future__ import annotations

import asyncio
from contextlib import closing
from pathlib import Path

import pytest
import websockets
from click.testing import CliRunner
from listening import Command
from tapes import Script, record, session_object

from recorder.errors import RecorderError
from recorder.store import open_store
from replay.cli import cli


@pytest.fixture
def store_url(tmp_path: Path) -> str:
    url = f"sqlite:///{tmp_path / 'tapes.db'}"
    script = Script().open().provider("session.created", session=session_object())
    script.client("session.update", session={"type": "realtime", "instructions": "Be brief."})
    script.append(bytes(range(200)) * 40).client("input_audio_buffer.commit")
    with closing(open_store(url, create=True)) as store:
        record(store, script.close().takes)
    return url


async def served(store_url: str, *options: str) -> tuple[int, str]:
    """What a client that says and plays something else comes to."""
    words = ("serve", "last", "--store", store_url, "--speed", "max", "--no-record", *options)
    async with Command(*words) as serve:
        url = f"ws{serve.url.removeprefix('http')}/v1/realtime?model=gpt-realtime"
        async with websockets.connect(url) as client:
            update = '{"type":"session.update","session":{"type":"realtime","instructions":"Hi"}}'
            for text in (
                update,
                '{"type":"input_audio_buffer.append","audio":"AAECAwQFBgcICQ=="}',
                '{"type":"input_audio_buffer.commit"}',
            ):
                await client.send(text)
            await asyncio.sleep(0)
        return await serve.end()


async def test_without_options_all_is_compared(store_url: str) -> None:
    code, output = await served(store_url)
    assert code == 1
    assert "accept    any session.update:$.session.instructions" in output


async def test_rules_come_from_files_and_from_the_command_line(
    store_url: str, tmp_path: Path
) -> None:
    rules = tmp_path / "rules.txt"
    rules.write_text("# what the user wrote\nany session.update:$.session.instructions\n")
    code, output = await served(store_url, "--rules", str(rules), "--audio", "ignore")
    assert code == 0, output
    both = ("--rules", str(rules), "--rule", "regex $.session.instructions H.", "--rule", "any $.x")
    code, output = await served(store_url, *both, "--audio", "ignore")
    assert code == 0, output
    assert "note: rule never applied: any $.x" in output
    assert "audio: the client sent" in output


async def test_audio_is_compared_unless_it_is_ignored(store_url: str) -> None:
    rule = ("--rule", "any session.update:$.session.instructions")
    code, output = await served(store_url, *rule)
    assert code == 1
    assert "audio is missing from" in output


@pytest.mark.parametrize(
    ("options", "why"),
    [
        (("--rules", "none.txt"), "--rules none.txt cannot be read"),
        (("--rule", "anny $.x"), "--rule: 'anny' is no verb"),
        (("--rule", "ignore $.session"), "--rule: ignore $.session would leave out all of"),
    ],
)
def test_wrong_rules_are_told_before_anything_is_served(
    store_url: str, options: tuple[str, ...], why: str
) -> None:
    words = ("serve", "last", "--store", store_url, "--no-record", *options)
    result = CliRunner().invoke(cli, words)
    assert isinstance(result.exception, RecorderError)
    assert why in str(result.exception)


def test_the_environment_has_one_rule_a_line(store_url: str) -> None:
    words = ("serve", "last", "--store", store_url, "--no-record")
    rules = {"REPLAY_RULE": "any $.x\n\nanny session.update:$.y"}
    result = CliRunner().invoke(cli, words, env=rules)
    assert "'anny' is no verb" in str(result.exception)
