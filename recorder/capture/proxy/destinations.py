"""Where a request goes: to the upstream of a provider, or to a server that the provider named.

`/vapi/call` goes to the upstream of Vapi; `/vapi/-/wss/HOST/PATH` to `wss://HOST/PATH`. What is
needed to relay it stands in the URL, so a proxy that was restarted still knows. Only hosts of the
provider and that of its upstream are relayed to: the proxy is not open to the world.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import NamedTuple
from urllib.parse import urlsplit

from recorder.errors import RecorderError
from recorder.providers import PROVIDERS, SHARING
from recorder.providers.base import Provider

_RELAYED = re.compile(r"/-/(wss?|https?)/((\[[0-9A-Fa-f:.]+\]|[A-Za-z0-9._-]+)(?::([0-9]{1,5}))?)")
_PORTS = {"http": 80, "ws": 80, "https": 443, "wss": 443}


class Refused(RecorderError):
    """A host that the proxy does not relay to."""


class Destination(NamedTuple):
    """`prefix` is what stands before the path that `upstream` knows."""

    provider: Provider
    upstream: str
    prefix: str


class Destinations:
    """The upstreams of a proxy, by the name of their provider. One that shares a prefix (`SHARING`)
    needs none: it has that of the other."""

    def __init__(self, upstreams: Mapping[str, str]) -> None:
        self._upstreams = upstreams

    def find(self, raw_path: str) -> Destination | None:
        """Where a request goes by its path; None if no provider is there. Raises Refused."""
        path = raw_path.partition("?")[0]
        for name, upstream in self._upstreams.items():
            provider = PROVIDERS[name]
            if path == provider.PREFIX or path.startswith(provider.PREFIX + "/"):
                rest = path.removeprefix(provider.PREFIX)
                if name in SHARING:
                    if SHARING[name].match(rest):
                        return Destination(provider, upstream, provider.PREFIX)
                    continue  # the rest is the other's
                own = _sharing(provider, rest)
                if own is not None:
                    return Destination(own, self._upstreams.get(own.NAME, upstream), own.PREFIX)
                if provider.LINKS is not None and rest.startswith("/-/"):
                    return self._relayed(provider, rest)
                return Destination(provider, upstream, provider.PREFIX)
        return None

    def relays(self, provider: Provider, url: str) -> bool:
        """Whether `url` can be asked for by way of this proxy."""
        parts = urlsplit(url)
        found = _RELAYED.fullmatch(f"/-/{parts.scheme}/{parts.netloc}")
        return found is not None and self._is_allowed(provider, found)

    def _relayed(self, provider: Provider, rest: str) -> Destination:
        found = _RELAYED.match(rest)
        if found is None or rest[found.end() : found.end() + 1] not in ("", "/"):
            raise Refused("this is no address of a call: /-/SCHEME/HOST/PATH")
        if not self._is_allowed(provider, found):
            raise Refused(
                f"{found[2]} is not a host of {provider.TITLE}: the recorder relays to no other"
            )
        return Destination(provider, f"{found[1]}://{found[2]}", provider.PREFIX + found[0])

    def _is_allowed(self, provider: Provider, found: re.Match[str]) -> bool:
        scheme, _, host, port = found.groups()
        if provider.LINKS is not None and provider.LINKS.leads_to(host):
            return True
        own = urlsplit(self._upstreams[provider.NAME])
        own_host = (own.hostname or "").lower()
        asked = (host.strip("[]").lower(), int(port) if port else _PORTS[scheme])
        return asked == (own_host, own.port or _PORTS[own.scheme])


def _sharing(provider: Provider, path: str) -> Provider | None:
    """The provider under the prefix of `provider` whose path this is."""
    mates = (name for name in SHARING if PROVIDERS[name].PREFIX == provider.PREFIX)
    return next((PROVIDERS[name] for name in mates if SHARING[name].match(path)), None)


def relayed(base: str, provider: Provider, url: str) -> str:
    """The URL under `base` that is relayed to `url`."""
    parts = urlsplit(url)
    rest = url.partition("://")[2][len(parts.netloc) :]
    here = f"ws{base.removeprefix('http')}" if parts.scheme in ("ws", "wss") else base
    return f"{here}{provider.PREFIX}/-/{parts.scheme}/{parts.netloc}{rest}"
