"""What a proxy does beside passing on and recording."""

from __future__ import annotations

from dataclasses import dataclass

from aiohttp import web


@dataclass(frozen=True)
class ProxyOptions:
    """`public_url` is how clients and providers reach the proxy, where that is not the host they
    ask for; `rewrite`: lead clients back here where an answer names other servers; deliveries are
    forwarded to `webhook_to` (acknowledged if None), checked with `webhook_secret`, and asked for
    in passing requests with `set_server_url`."""

    public_url: str | None = None
    rewrite: bool = True
    webhook_to: str | None = None
    webhook_secret: str | None = None
    set_server_url: bool = False

    def base(self, request: web.BaseRequest) -> str:
        """The URL under which the proxy is reached by whoever sent a request."""
        return (self.public_url or f"{request.scheme}://{request.host}").rstrip("/")
