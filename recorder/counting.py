"""Numbers with what they count."""

from __future__ import annotations

from decimal import Decimal


def counted(number: int | Decimal, noun: str, plural: str = "", form: str = "") -> str:
    """`1 run`, `2 runs`; `form` is how the number is written (`,` groups thousands)."""
    return f"{number:{form}} {noun if number == 1 else plural or f'{noun}s'}"
