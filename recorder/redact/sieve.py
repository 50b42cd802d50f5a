"""A fast first look that lets clean messages pass.

A hint is a short text that every secret must contain: its name, its label, the first characters
of its shape, the longest plain part of a known value, or a way to write any of them in other
characters (`%`, `\\u00`, `\\/`). A hint means only that the `Finder` must look; no hint means
that it would find nothing. None holds a `"`, so what stands between quotes is judged on its own.
"""

from __future__ import annotations

import re

from recorder.redact.secrets import Secrets, to_bytes

REACH = 12  # bytes before a border that a hint may need, known values aside
BEGIN = 4  # bytes of a known value that tell its beginning
_REMEMBERED = 512
_LONG = 1024

# In lower case, each from a rare and literal character, which is what the search skips to.
_HINTS = (
    rb"k(?:(?<=[serp]k)[-_]|ey|(?<=ok)(?:en|ie)|(?<=ak)ia)",  # sk- key token cookie AKIA
    rb"c(?:re[dt])",  # credential secret
    rb"w(?:d|(?<=ssw)ord|(?<=ss[-_. ]w)ord)",  # pwd passwd password
    rb"h(?:eaders|sec_|f_|[pousr]_|ub_pat|(?<=auth)|(?<=ph)rase)",  # whsec_ ghp_ auth passphrase
    rb"g(?:(?<=frag)|nature)",  # ufrag signature
    rb"b(?:earer|asic)",
    rb"j(?:(?<=eyj)|wt)",
    rb"xox",
    rb"z(?<=aiz)a",
    rb"-(?:(?<=ai-)|(?<=ice-)|(?<=pat-))",  # xai- openai- ice- glpat-
    rb"=(?:(?<=[a-z0-9_.%-]=)[^=\"\\\s]|(?<=; name=))",
    rb"/(?<=://)",
    rb"\\(?:u00|/)",
    rb"%[0-9a-f]",
)
_NUMBER = rb"\+[1-9]"
_PLAIN_RUN = re.compile(rb"[a-z0-9_.~-]+")
_BASE64 = re.compile(rb"[A-Za-z0-9+/]{256,}={0,2}")


class Sieve:
    """Remembers the frames of messages that it found clean; otherwise without state."""

    def __init__(self, secrets: Secrets) -> None:
        known = [to_bytes(value).lower() for value in secrets.known if value]
        self._runs = [max(_PLAIN_RUN.findall(value), key=len, default=b"") for value in known]
        numbers = (_NUMBER,) if secrets.personal else ()
        hints = (*_HINTS, *numbers, *map(re.escape, self._runs))
        begins = (re.escape(value[:BEGIN]) for value in known)
        self._hint = re.compile(b"|".join(hints)).search
        self._begun = re.compile(b"|".join((*hints, *begins))).search
        self._clean: set[bytes | tuple[bytes, ...]] = set()

    def is_clean(self, body: bytes) -> bool:
        """Whether nothing in `body` hints at a secret."""
        if len(body) > _LONG:
            return not any(map(self.is_hinted, body.split(b'"')))
        head, _, rest = body.partition(b'"event_id"')
        pieces = rest.split(b'"', 2)  # what differs between messages of one kind is pieces[1]
        if len(pieces) < 3:
            return body in self._clean or self._learn(body, body)
        frame = (head, pieces[0], pieces[2])
        if frame in self._clean:
            return self._hint(pieces[1].lower()) is None
        return self._learn(frame, body)

    def hints(self, text: bytes) -> bool:
        """Whether `text` hints at a secret, or holds the beginning of a known one."""
        return self._begun(text.lower()) is not None

    def is_hinted(self, text: bytes) -> bool:
        """Whether `text` hints at a secret; base64 does only if it holds a known one."""
        low = text.lower()
        if len(text) > _LONG and _BASE64.fullmatch(text):
            return any(run in low for run in self._runs)
        return self._hint(low) is not None

    def _learn(self, frame: bytes | tuple[bytes, ...], body: bytes) -> bool:
        if self._hint(body.lower()):
            return False
        if len(self._clean) >= _REMEMBERED:
            self._clean.clear()
        self._clean.add(frame)
        return True
