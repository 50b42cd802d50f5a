"""The session object: checked, filled up with the defaults, echoed and changed.

`session.started` echoes what was sent with `id`, `expires_at` and `status`; defaults are filled in
as recorded (`voice`, `tools`, `tool_choice`, `input`). WebRTC sessions have no `audio.format`.
"""

from __future__ import annotations

import copy
from typing import Final

from replay.simulators.openai.errors import ClientError, Json
from replay.simulators.openai_live import errors
from replay.simulators.openai_live.shapes import FORKED, SESSION

PCM: Final[Json] = {"type": "audio/pcm", "rate": 24_000}
_VOICE = "marin"
_CHANNEL: Final = {"allowed_client_events": "all", "allowed_server_events": "all"}
_HIDDEN = frozenset({"type", "idle_timeout_s", "wake_policy"})


def opened(asked: Json, name: str, expires_at: int, *, has_media: bool = False) -> Json:
    """The resource for a session asked for; ClientError for one that cannot be."""
    SESSION(asked, "session")
    _refuse_unknown(asked.get("delegation"))
    kept = {key: copy.deepcopy(value) for key, value in asked.items() if key not in _HIDDEN}
    kept = {key: value for key, value in kept.items() if value is not None}
    audio = kept.get("audio", {})
    voice = (audio.get("output") or {}).get("voice") or _VOICE
    heard: Json = {"output": {"voice": voice}}
    if not has_media:
        heard = {"format": audio.get("format") or dict(PCM), **heard}
    made: Json = {
        "id": name,
        "expires_at": expires_at,
        "model": kept["model"],
        "status": "active",
        **kept,
        "audio": heard,
        "input": kept.get("input", []),
    }
    if "delegation" in kept:
        made["delegation"] = _filled(kept["delegation"])
    if has_media:
        made.setdefault("client", {"data_channel": dict(_CHANNEL)})
    return made


def forked(parent: Json, asked: Json, name: str, expires_at: int, *, has_media: bool) -> Json:
    """The resource of a fork: its parent's settings, no input, an id and a life of its own."""
    FORKED(asked, "session")
    given = {**parent, "id": name, "expires_at": expires_at, "input": []}
    for key in ("instructions", "client"):
        if asked.get(key) is not None:
            given[key] = copy.deepcopy(asked[key])
    audio = asked.get("audio") or {}
    voice = (audio.get("output") or {}).get("voice") or parent["audio"]["output"]["voice"]
    form = audio.get("format") or parent["audio"].get("format") or dict(PCM)
    heard: Json = {"output": {"voice": voice}}
    given["audio"] = heard if has_media else {"format": form, **heard}
    return given


def updated(session: Json, update: Json) -> Json:
    """The resource after a checked `session.update`; ClientError for what is fixed."""
    made = copy.deepcopy(session)
    if "triggers" in update:
        made["triggers"] = copy.deepcopy(update["triggers"])
    wished = update.get("delegation")
    if wished is not None:
        current = made.get("delegation") or {"type": "client"}
        if wished.get("type", current["type"]) != current["type"]:
            raise errors.immutable("session.delegation.type")
        over = wished.get("responses") or {}
        merged = {**current, **wished}
        if "responses" in current:
            merged["responses"] = {**current["responses"], **over}
        made["delegation"] = copy.deepcopy(merged)
    return made


def backend(session: Json) -> Json | None:
    """The settings of the Responses model; None where the client does the work."""
    found: Json | None = session.get("delegation", {}).get("responses")
    return found


def _filled(delegation: Json) -> Json:
    told = {"acknowledgement_delay_ms": 0, **delegation}
    if delegation["type"] == "responses":
        given = {key: each for key, each in delegation["responses"].items() if each is not None}
        if "model" not in given:
            place = "session.delegation.responses.model"
            raise ClientError(
                f"Missing required parameter: '{place}'.", "missing_required_parameter", place
            )
        told["responses"] = {"tools": [], "tool_choice": "auto", **given}
    return told


def _refuse_unknown(delegation: Json | None) -> None:
    if delegation is not None and delegation["type"] == "decisions":
        raise errors.no_decisions()
