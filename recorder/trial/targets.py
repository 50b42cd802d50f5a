"""Where the runs of a trial go: a simulator, an address, or the live provider."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from shlex import split
from typing import Final

from recorder.capture.proxy.address import server_url
from recorder.errors import RecorderError
from recorder.providers import provider as provider_of
from recorder.trial.runner import Target
from recorder.trial.scenario import Scenario
from recorder.trial.sides import side

MADE_UP: Final = "Bearer sk-trial-this-key-is-made-up"
"""What servers of this machine get where there is no key: simulators and mocks take any."""


def key_name(provider: str) -> str:
    """The environment variable with a provider's key."""
    return f"{provider_of(provider).PREFIX[1:].upper()}_API_KEY"


def targets(
    providers: Sequence[str],
    urls: Mapping[str, str | None],
    environ: Mapping[str, str],
    *,
    simulate: bool = False,
    options: Mapping[str, tuple[str, ...]] | None = None,
) -> dict[str, Target]:
    """A URL comes first, then the live provider if there is a key; everything else is simulated.
    RecorderError for a URL without a key that is not of this machine."""
    found = {}
    for name in providers:
        url, key = urls.get(name), environ.get(key_name(name), "").strip()
        if url is not None:
            server_url(f"--{name}-url", url)
            found[name] = _address(name, url, key)
        elif key and not simulate:
            found[name] = Target("live", provider_of(name).UPSTREAM, f"Bearer {key}")
        else:
            found[name] = Target("simulator", None, MADE_UP, (options or {}).get(name, ()))
    for name in options or {}:
        if name not in found or found[name].kind != "simulator":
            raise RecorderError(f"--simulator: {name} is not simulated here; leave it out")
    return found


def simulator_options(given: Iterable[str]) -> dict[str, tuple[str, ...]]:
    """`openai --latency-ms 450`, by provider."""
    found: dict[str, tuple[str, ...]] = {}
    for text in given:
        name, *words = split(text)
        side(name)
        found[name] = (*found.get(name, ()), *words)
    return found


def refuse_unsafe(
    found: Mapping[str, Target],
    scenarios: Iterable[Scenario],
    *,
    has_budget: bool,
    has_public_url: bool,
) -> None:
    """RecorderError for a trial that could spend without a limit, or whose tools nobody reaches."""
    live = [name for name, target in found.items() if not target.is_here]
    if live and not has_budget:
        raise RecorderError(
            f"{' and '.join(live)} cost money: give --budget USD, or --simulate for the simulators"
        )
    calls = any(scenario.agent.tools for scenario in scenarios)
    for name in live:
        if provider_of(name).CONDUCT.tools is not None and calls and not has_public_url:
            raise RecorderError(
                f"{name} calls the tools of a scenario by webhook: give --public-url, the address "
                "under which it reaches --listen"
            )


def _address(name: str, url: str, key: str) -> Target:
    target = Target("address", url.rstrip("/"), f"Bearer {key}" if key else MADE_UP)
    if not key and not target.is_here:
        raise RecorderError(f"--{name}-url needs a key: set {key_name(name)} in the environment")
    return target
