"""Names that announce a secret: of JSON fields, headers, query and form parameters, variables."""

from __future__ import annotations

import re
from functools import lru_cache

_SEPARATORS = re.compile(r"[-_.\s]+")
_FIELD = re.compile(
    r".*(?:(?:api|access|secret|private|public|signing|encryption|subscription|account|auth)keys?"
    r"|accesskeyid|secrets?|password|passwd|passphrase|token|credentials?|authorization|cookies?)"
    r"|auth|jwt|pwd|icepwd|iceufrag|usernamefragment"
    r"|.*(?:callurl|callsipuri|listenurl|controlurl)|presigned.*url"  # who has it may use it
)
_QUERY = frozenset({"key", "sig", "auth", "code", "jwt", "sas"})
_HEADER_WORDS = frozenset(
    {
        "auth",
        "authorization",
        "token",
        "secret",
        "password",
        "passwd",
        "apikey",
        "cookie",
        "cookies",
        "credential",
        "credentials",
        "signature",
        "jwt",
    }
)
_PRIVATE_HEADERS = frozenset({"openai-organization", "openai-project"})
_OPEN_HEADERS = frozenset({"sec-websocket-key", "idempotency-key"})
_VARIABLE = re.compile(
    r"(?:KEYS?|TOKENS?|SECRETS?|PASSWORDS?|PASSWD|PASSPHRASE|PASS|PWD|CREDENTIALS?|AUTH"
    r"|AUTHORIZATION|COOKIES?|SIGNATURE|DSN|JWT)$"
)
_HARMLESS_VARIABLES = frozenset({"PWD", "OLDPWD"})


@lru_cache(maxsize=4096)
def is_secret_field(name: str) -> bool:
    """Whether a JSON field, form field or assignment of this name holds a secret.

    Counts (`max_tokens`, `input_tokens`) and references (`credentialId`) do not.
    """
    plain = _SEPARATORS.sub("", name).lower()
    return _FIELD.fullmatch(plain) is not None


@lru_cache(maxsize=4096)
def is_secret_query(name: str) -> bool:
    """Whether a parameter of a URL query or a form holds a secret; shorter names count here."""
    plain = name.lower()
    return plain in _QUERY or plain.endswith("signature") or is_secret_field(name)


@lru_cache(maxsize=4096)
def is_secret_header(name: str) -> bool:
    """Whether an HTTP header holds a secret or tells whose account it is."""
    plain = name.lower()
    if plain in _OPEN_HEADERS or plain.startswith("access-control-"):
        return False
    words = plain.split("-")
    return (
        plain in _PRIVATE_HEADERS
        or not _HEADER_WORDS.isdisjoint(words)
        or words[-1].endswith("key")
        or is_secret_field(plain)
    )


def is_secret_variable(name: str) -> bool:
    """Whether an environment variable of this name holds a credential."""
    upper = name.upper()
    return upper not in _HARMLESS_VARIABLES and any(
        _VARIABLE.search(word) for word in re.split(r"[_\-.]+", upper)
    )
