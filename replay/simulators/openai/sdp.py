"""An SDP answer to a WebRTC offer: what a client needs to see, with no media behind it."""

from __future__ import annotations

from replay.simulators.openai.errors import ClientError
from replay.simulators.openai.ids import Mint

_CANDIDATES = (
    "candidate:1 1 udp 2130706431 192.0.2.10 3478 typ host",
    "candidate:2 1 tcp 1671430143 192.0.2.10 443 typ host tcptype passive",
)
_AUDIO = (
    "a=rtcp-mux",
    "a=rtpmap:{opus} opus/48000/2",
    "a=fmtp:{opus} minptime=10;useinbandfec=1",
    "a=rtpmap:0 PCMU/8000",
    "a=rtpmap:8 PCMA/8000",
    "a=sendrecv",
)
_DATA = ("a=sctp-port:5000", "a=max-message-size:1073741823")


def answer(offer: str, mint: Mint, now: int) -> str:
    """The answer to an offer with an audio section; `ClientError` for anything else."""
    lines = [line.strip() for line in offer.strip().splitlines()]
    sections = _sections(lines)
    if not lines or lines[0] != "v=0" or "audio" not in [kind for kind, _, _ in sections]:
        raise ClientError("The SDP offer must have an audio section.", "invalid_offer", "sdp")
    octets = [f"{mint.chance.randrange(256):02X}" for _ in range(32)]
    security = (f"a=ice-ufrag:{mint.noise(16)}", f"a=ice-pwd:{mint.noise(32)}")
    written = [
        "v=0",
        f"o=- {mint.chance.getrandbits(62)} {mint.wall_s(now)} IN IP4 0.0.0.0",
        "s=-",
        "t=0 0",
        f"a=group:BUNDLE {' '.join(mid for _, mid, _ in sections)}",
        "a=msid-semantic:WMS *",
        f"a=fingerprint:sha-256 {':'.join(octets)}",
        "a=ice-lite",
    ]
    for kind, mid, opus in sections:
        written += _section(kind, mid, opus, security)
    return "".join(f"{line}\r\n" for line in written)


def _sections(lines: list[str]) -> list[tuple[str, str, str]]:
    """Kind, mid and Opus payload type of each media section of an offer."""
    found: list[tuple[str, str, str]] = []
    for line in lines:
        if line.startswith("m="):
            found.append((line[2:].split()[0], str(len(found)), "111"))
        elif found and line.startswith("a=mid:"):
            found[-1] = (found[-1][0], line[6:], found[-1][2])
        elif found and line.startswith("a=rtpmap:") and "opus/48000" in line.lower():
            found[-1] = (*found[-1][:2], line[9:].split()[0])
    return found


def _section(kind: str, mid: str, opus: str, security: tuple[str, ...]) -> list[str]:
    common = ["c=IN IP4 0.0.0.0", "a=setup:active", f"a=mid:{mid}", *security]
    if kind == "audio":
        details = [line.format(opus=opus) for line in _AUDIO]
        candidates = [f"a={candidate}" for candidate in _CANDIDATES]
        return [f"m=audio 9 UDP/TLS/RTP/SAVPF {opus} 0 8", *common, *details, *candidates]
    if kind == "application":
        return ["m=application 9 UDP/DTLS/SCTP webrtc-datachannel", *common, *_DATA]
    return [f"m={kind} 0 UDP/TLS/RTP/SAVPF 0", *common, "a=inactive"]
