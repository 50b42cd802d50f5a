"""Which elements of two lists belong together, whatever their order."""

from __future__ import annotations

from collections.abc import Callable


def pair(ones: int, others: int, fits: Callable[[int, int], bool]) -> dict[int, int]:
    """The most pairs of `ones` (0 to n) and `others` that fit, each used once: a maximum matching
    of a bipartite graph by augmenting paths. Elements at the same place are preferred."""
    table = [
        sorted((at for at in range(others) if fits(one, at)), key=lambda at: (at != one, at))
        for one in range(ones)
    ]
    taken: dict[int, int] = {}

    def place(one: int, seen: set[int]) -> bool:
        for other in table[one]:
            if other in seen:
                continue
            seen.add(other)
            if other not in taken or place(taken[other], seen):
                taken[other] = one
                return True
        return False

    for one in range(ones):
        place(one, set())
    return {one: other for other, one in taken.items()}
