"""The secrets of a store and of this process: what `Redactor` needs, made in one place."""

from __future__ import annotations

import secrets as chance
from collections.abc import Mapping

from recorder.errors import StoreError
from recorder.redact import Secrets, known_secrets
from recorder.store.base import Store

MARKER_KEY = "marker_key"
"""The setting that holds the key of the markers, so that one secret keeps one marker in a store."""


def store_secrets(store: Store, environ: Mapping[str, str], *, personal: bool = False) -> Secrets:
    """The store's marker key, made at first use, and the credentials found in `environ`;
    `personal`: telephone numbers and the words of conversations are secret, too.

    StoreError when the key has to be made and the store cannot be written.
    """
    key = store.setting(MARKER_KEY)
    if key is None:
        store.put_setting(MARKER_KEY, chance.token_bytes(32))
        key = store.setting(MARKER_KEY)  # another process may have been first
    if key is None:
        raise StoreError(
            "the store did not keep the key of its secret markers: see that its disk "
            "has room and that it can be written"
        )
    return Secrets(key, known_secrets(environ), personal)
