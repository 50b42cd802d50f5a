"""How loud audio is, step by step: for rules that need no more of it than that."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray


def levels(samples: NDArray[np.int16], rate: int, step_ms: int) -> tuple[float, ...]:
    """The RMS about the mean of each step of mono samples (a constant offset is not sound), where
    full scale is 32768; of the last step as far as it goes."""
    size = rate * step_ms // 1000
    if not samples.any():
        return (0.0,) * -(-samples.size // size)
    whole = samples.size // size * size
    found = samples[:whole].reshape(-1, size).std(axis=1, dtype=np.float64).tolist()
    rest = samples[whole:]
    return (*found, float(rest.std(dtype=np.float64))) if rest.size else tuple(found)
