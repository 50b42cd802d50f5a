"""What an application's environment says in a replay: where the provider is, and no way out."""

from __future__ import annotations

import socket

from recorder.providers import PROVIDERS

NO_KEY = "replay-needs-no-key"
PORT = "{port}"
"""In a webhook address: the free port that the application is to listen on."""
_PROXIES = ("http_proxy", "https_proxy", "all_proxy")
_NOWHERE = "http://127.0.0.1:9"  # the discard port: refuses
_LOCAL = "localhost,127.0.0.1,::1"


def addresses(url: str) -> dict[str, str]:
    """The variables that lead an application to a server at `url` (http://HOST:PORT): `REPLAY_URL`,
    and `NAME_BASE_URL` of each provider. SDKs of OpenAI derive the URL of the WebSocket from
    `OPENAI_BASE_URL`; those of Vapi read no variable, so that an application has to hand
    `VAPI_BASE_URL` to them."""
    found = {_variable(name, "BASE_URL"): url + each.PREFIX for name, each in PROVIDERS.items()}
    found["OPENAI_BASE_URL"] += "/v1"
    return {**found, "REPLAY_URL": url}


def no_keys() -> dict[str, str]:
    """Keys that are none, so that nothing that goes astray is charged to anybody."""
    return {_variable(name, "API_KEY"): NO_KEY for name in PROVIDERS}


def _variable(provider: str, what: str) -> str:
    return f"{provider}_{what}".upper().replace("-", "_")


def no_network() -> dict[str, str]:
    """Proxies that refuse, for all but this machine: for programs that heed these variables."""
    found = dict.fromkeys(_PROXIES, _NOWHERE) | {"no_proxy": _LOCAL}
    return found | {name.upper(): value for name, value in found.items()}


def free_port() -> int:
    """A port of the loopback interface that nobody listens on now."""
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        port: int = found.getsockname()[1]
        return port


def webhook_address(template: str) -> tuple[str, dict[str, str]]:
    """A webhook address, and the variable that names the port in it, if it has `{port}`."""
    if PORT not in template:
        return template, {}
    port = str(free_port())
    return template.replace(PORT, port), {"REPLAY_WEBHOOK_PORT": port}
