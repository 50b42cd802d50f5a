"""What counts as a failed call, whoever made it."""

from __future__ import annotations

import pytest

from recorder.projections.toolcalls import has_failed


@pytest.mark.parametrize(
    ("told", "output", "failed"),
    [
        (True, "done", True),
        (False, '{"error": "unavailable"}', True),
        (False, '{"error": {"status": 503}}', True),
        (False, '{"error": null, "code": "R-17"}', False),
        (False, '{"error": ""}', False),
        (False, '{"ok": true}', False),
        (False, '["error"]', False),
        (False, "an error occurred", False),
        (False, "", False),
    ],
)
def test_a_result_that_is_an_error(told: bool, output: str, failed: bool) -> None:
    assert has_failed(told, output) is failed
