"""Where runs go: a simulator, an address or the live provider, and what is too dangerous."""

from __future__ import annotations

import pytest
from scenes import scenario

from recorder.errors import RecorderError
from recorder.trial.targets import MADE_UP, Target, refuse_unsafe, simulator_options, targets

BOTH = ("openai", "vapi")
KEYS = {"OPENAI_API_KEY": "sk-live-key", "VAPI_API_KEY": "vapi-live-key"}


def test_without_keys_everything_is_simulated() -> None:
    assert targets(BOTH, {}, {}) == dict.fromkeys(BOTH, Target("simulator", None, MADE_UP))


def test_a_key_means_the_live_provider_unless_it_is_to_be_simulated() -> None:
    found = targets(BOTH, {}, KEYS)
    assert found["openai"] == Target("live", "https://api.openai.com", "Bearer sk-live-key")
    assert found["vapi"] == Target("live", "https://api.vapi.ai", "Bearer vapi-live-key")
    assert {each.kind for each in targets(BOTH, {}, KEYS, simulate=True).values()} == {"simulator"}


def test_a_url_comes_first_and_needs_a_key_if_it_is_elsewhere() -> None:
    here = targets(BOTH, {"openai": "http://127.0.0.1:9000/openai/"}, {})
    assert here["openai"] == Target("address", "http://127.0.0.1:9000/openai", MADE_UP)
    assert here["vapi"].kind == "simulator"
    with pytest.raises(RecorderError, match="set OPENAI_API_KEY in the environment"):
        targets(BOTH, {"openai": "https://eu.api.openai.com"}, {})
    assert targets(BOTH, {"openai": "https://eu.api.openai.com"}, KEYS)["openai"].kind == "address"


@pytest.mark.parametrize(
    ("url", "is_here"),
    [
        ("http://localhost:9000", True),
        ("http://127.0.0.1:9000/openai", True),
        ("http://[::1]:9000", True),
        ("https://localhost.example.com", False),
        ("https://127.example.com", False),
    ],
)
def test_only_a_loopback_address_is_of_this_machine(url: str, is_here: bool) -> None:
    assert Target("address", url, MADE_UP).is_here is is_here


def test_options_go_to_simulators_alone() -> None:
    options = simulator_options(["openai --latency-ms 450", "openai --pace 2"])
    assert options == {"openai": ("--latency-ms", "450", "--pace", "2")}
    assert targets(BOTH, {}, {}, options=options)["openai"].options == options["openai"]
    with pytest.raises(RecorderError, match="openai is not simulated here"):
        targets(BOTH, {}, KEYS, options=options)
    with pytest.raises(RecorderError, match="choose from openai, openai-live, vapi"):
        simulator_options(["acme --seed 1"])


def test_nobody_spends_money_without_a_budget() -> None:
    live = targets(("openai",), {}, KEYS)
    with pytest.raises(RecorderError, match="openai cost money: give --budget"):
        refuse_unsafe(live, [scenario()], has_budget=False, has_public_url=False)
    refuse_unsafe(live, [scenario()], has_budget=True, has_public_url=False)
    simulated = targets(BOTH, {}, {})
    refuse_unsafe(simulated, [scenario()], has_budget=False, has_public_url=False)


def test_a_live_provider_has_to_reach_the_tools_by_webhook() -> None:
    live = targets(("vapi",), {}, KEYS)
    with pytest.raises(RecorderError, match="give --public-url"):
        refuse_unsafe(live, [scenario()], has_budget=True, has_public_url=False)
    refuse_unsafe(live, [scenario()], has_budget=True, has_public_url=True)
