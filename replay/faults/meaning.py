"""Whether faults mean something for a provider."""

from __future__ import annotations

from collections.abc import Sequence

from recorder.errors import RecorderError
from recorder.providers.base import Provider
from replay.faults.grammar import Fault


def check(faults: Sequence[Fault], provider: Provider) -> None:
    """RecorderError if one has no meaning for the provider."""
    for fault in faults:
        if why := _senseless(fault, provider):
            raise RecorderError(f"fault {fault.text!r}: {why}")


def check_steps(faults: Sequence[Fault], last: int) -> None:
    """RecorderError if one is for a step after `last`, the provider's last one on the tape."""
    for fault in faults:
        if fault.where.place == "step" and fault.where.number > last:
            has = f"the last step of the provider is {last}" if last else "the provider has no step"
            raise RecorderError(
                f"fault {fault.text!r}: {has} on this tape (see `record show SESSION --raw`)"
            )


def _senseless(fault: Fault, provider: Provider) -> str:
    endings, place = provider.ENDINGS, fault.where.place
    if place == "webhook" and provider.WEBHOOKS is None:
        return f"the {provider.TITLE} posts no webhooks"
    if place == "response" and endings is None:
        return f"{provider.TITLE} has no message that says how a response ended; give type=…"
    if fault.name != "fail" or endings is None:
        return ""
    status, reason = fault.word("status"), fault.word("reason")
    if status not in endings.STATUSES:
        return f"status={status} is none of {', '.join(endings.STATUSES)}"
    known = endings.STATUSES[status]
    if reason and reason not in known:
        return f"reason={reason} is none of {', '.join(known)}"
    return ""
