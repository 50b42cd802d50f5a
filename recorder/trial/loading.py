"""Scenario files read, and made ready to run."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path

from recorder.errors import RecorderError
from recorder.trial.rendering import Renderer
from recorder.trial.runner import Prepared
from recorder.trial.scenario import Scenario, read_scenario


def load(files: Iterable[Path]) -> dict[Path, Scenario]:
    """Read files. RecorderError for one that cannot be read, or an id that two of them have."""
    found: dict[Path, Scenario] = {}
    for path in dict.fromkeys(files):
        try:
            text = path.read_text("utf-8")
        except (OSError, UnicodeDecodeError) as error:
            raise RecorderError(f"{path} cannot be read ({error}): give a scenario") from None
        scenario = read_scenario(text, str(path))
        for other, have in found.items():
            if have.id == scenario.id:
                raise RecorderError(f"{other} and {path} both have the id {scenario.id!r}")
        found[path] = scenario
    return found


def prepare(files: Iterable[Path], renderer: Renderer) -> Mapping[str, Prepared]:
    """Read files and render their sound, by the ids of the scenarios."""
    return {
        scenario.id: Prepared(scenario, renderer.render(scenario, path.parent), path)
        for path, scenario in load(files).items()
    }
