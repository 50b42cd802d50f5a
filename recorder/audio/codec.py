"""Wire bytes to samples and back, by codec."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from recorder.audio import g711, pcm
from recorder.spans import Codec


def decode(data: bytes, codec: Codec) -> NDArray[np.int16]:
    """The samples of `data`; ValueError for PCM16 that is not whole samples."""
    match codec:
        case "pcm16":
            return pcm.samples(data)
        case "pcmu":
            return g711.decode_ulaw(data)
        case "pcma":
            return g711.decode_alaw(data)


def encode(samples: NDArray[np.int16], codec: Codec) -> bytes:
    """The wire bytes of `samples`."""
    match codec:
        case "pcm16":
            return pcm.to_bytes(samples)
        case "pcmu":
            return g711.encode_ulaw(samples)
        case "pcma":
            return g711.encode_alaw(samples)
