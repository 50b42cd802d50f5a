"""Real bodies of Vapi, where `RECORDER_TRAFFIC` names a folder with `vapi/*.json`."""

from __future__ import annotations

import asyncio
import json
import os
from contextlib import closing
from pathlib import Path
from typing import Any
from uuid import UUID

import httpx
import pytest
from tapes import SECRETS

from recorder.capture.importers.folder import read_document, take_in_folder
from recorder.clock import SystemClock
from recorder.export import export_session
from recorder.providers import PROVIDERS
from recorder.providers.vapi.account import account
from recorder.recording import Recording
from recorder.report.timeline import Line, Timeline
from recorder.store import open_store
from recorder.verify import verify
from tests.recorder.capture.proxy.vapi.conftest import House, open_house
from tests.recorder.capture.proxy.vapi.test_vapi_webhooks import deliver

_FOLDER = os.environ.get("RECORDER_TRAFFIC")
_FILES = sorted(Path(_FOLDER, "vapi").glob("*.json")) if _FOLDER else []


async def cross(house: House, body: bytes) -> None:
    """Deliver a body as a webhook, or have it served as an answer."""
    told = json.loads(body)
    if "message" in told:
        assert (await deliver(house, body)).content == house.team.reply
        assert house.team.got[-1][2] == body
        return
    house.vapi.canned = body
    path = f"/call/{told['id']}" if "monitor" in told else f"/assistant/{told['id']}"
    async with httpx.AsyncClient() as client:
        answer = await client.get(house.rest + path)
    assert set(answer.json()) == set(told)
    if "monitor" in told:
        assert answer.json()["monitor"]["controlUrl"].startswith(f"{house.rest}/-/https/")


@pytest.mark.skipif(not _FILES, reason="RECORDER_TRAFFIC names no folder with vapi/*.json")
@pytest.mark.parametrize("path", _FILES, ids=lambda path: path.stem)
async def test_it_is_recorded_exported_imported_and_shown(path: Path, tmp_path: Path) -> None:
    body = path.read_bytes()
    async with open_house(tmp_path / "one.db", webhook_to="/hooks") as house:
        await cross(house, body)
        await asyncio.sleep(0.1)
    clock = SystemClock()
    with closing(open_store(str(tmp_path / "one.db"), create=False)) as store:
        (row,) = store.sessions()
        assert verify(store, row).fault is None
        told: dict[str, Any] = json.loads(body)
        inner = told.get("message", told)
        call = inner["call"]["id"] if "call" in inner else told["id"]
        expected = call if "call" in inner or "monitor" in told else None
        assert row.external_id == (expected and str(UUID(expected)))
        timeline = Timeline(PROVIDERS["vapi"])
        moments = [*Recording(store, row.id).moments(), None]
        lines = [line for moment in moments for line in timeline.lines(moment)]
        assert any(isinstance(line, Line) and line.text for line in lines)
        assert PROVIDERS["vapi"].describe(str(inner.get("type", "GET /call/{id}")), told)
        export_session(store, row, tmp_path / "a", clock.wall_ns())
    with closing(open_store(str(tmp_path / "two.db"), create=True)) as store:
        folder = tmp_path / "a"
        again, _ = take_in_folder(store, clock, SECRETS, folder, read_document(folder))
        assert again.digest == row.digest
        export_session(store, again, tmp_path / "b", clock.wall_ns())
    assert (tmp_path / "a" / "events.jsonl").read_bytes() == (
        tmp_path / "b" / "events.jsonl"
    ).read_bytes()


@pytest.mark.skipif(not _FILES, reason="RECORDER_TRAFFIC names no folder with vapi/*.json")
@pytest.mark.parametrize("path", _FILES, ids=lambda path: path.stem)
def test_its_costs_and_messages_are_read(path: Path) -> None:
    told = json.loads(path.read_bytes())
    inner = told.get("message", told)
    found = account(inner)
    raw = inner.get("messages") or inner.get("artifact", {}).get("messages") or []
    assert len(found.messages) == len(raw)
    if inner.get("costs"):
        assert found.total_usd == inner["cost"]
        assert [line.usd for line in found.lines] == [item["cost"] for item in inner["costs"]]
        assert abs(sum(line.usd or 0 for line in found.lines) - inner["cost"]) < 1e-3
    elif "costBreakdown" not in inner:
        assert found.total_usd is None
