"""Two providers under one prefix: which of them a path is of, and which upstream it goes to."""

from __future__ import annotations

import pytest

from recorder.capture.proxy.destinations import Destinations

REALTIME = "/openai/v1/realtime"
SESSIONS = "/openai/v1/live/sessions"
ATTACH = f"{SESSIONS}/live_1/attach?graceful_close=true"


@pytest.mark.parametrize(
    ("upstreams", "path", "found"),
    [
        ({"openai": "a"}, REALTIME, ("openai", "a")),
        ({"openai": "a"}, SESSIONS, ("openai-live", "a")),
        ({"openai": "a", "openai-live": "b"}, ATTACH, ("openai-live", "b")),
        ({"openai-live": "b", "openai": "a"}, ATTACH, ("openai-live", "b")),
        ({"openai-live": "b", "openai": "a"}, REALTIME, ("openai", "a")),
        ({"openai-live": "b"}, SESSIONS, ("openai-live", "b")),
        ({"openai-live": "b"}, REALTIME, None),
        ({"vapi": "c"}, SESSIONS, None),
    ],
)
def test_a_path_goes_to_its_own(
    upstreams: dict[str, str], path: str, found: tuple[str, str] | None
) -> None:
    destination = Destinations(upstreams).find(path)
    told = (destination.provider.NAME, destination.upstream) if destination else None
    assert told == found
