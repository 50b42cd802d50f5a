"""What went wrong in a Realtime session, classed: error events, failed responses, refusals.

Types and codes: the error guide of the API, and errors seen in recorded traffic.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from recorder.heads import ResponseHead
from recorder.providers.neutral import Class, Fault, Neutral, Side

_AUTH = frozenset({"invalid_api_key", "authentication_error", "permission_denied"})
_LIMITS = frozenset(
    {"rate_limit_exceeded", "insufficient_quota", "credit_balance_exhausted", "rate_limit_error"}
)
_FATAL = frozenset(
    {"session_expired", "invalid_api_key", "model_not_found", "beta_api_shape_disabled"}
) | {"insufficient_quota", "credit_balance_exhausted"}


def failed(error: object, class_: Class = "other") -> Fault:
    """The fault of an `error` object; one whose type says nothing more is of `class_`."""
    told = error if isinstance(error, Mapping) else {}
    type_, code = str(told.get("type") or ""), str(told.get("code") or "")
    names = {type_, code}
    found, side = _classed(names, class_)
    text = str(told.get("message") or code or type_ or "no reason was given")
    return Fault(found, side, code or type_, text, bool(names & _FATAL))


def _classed(names: set[str], class_: Class) -> tuple[Class, Side | None]:
    if names & _AUTH:
        return "auth", "client"
    if names & _LIMITS:
        return "rate_limit", "client"
    if names & {"server_error", "internal_error"}:
        return ("model" if class_ == "other" else class_), "provider"
    if "invalid_request_error" in names:
        return "client", "client"
    return class_, None


def refused(head: ResponseHead) -> Sequence[Neutral]:
    """The fault of an answer that refuses; nothing for one that does not."""
    if head.status < 400:
        return ()
    class_: Class = "other"
    if head.status in (401, 403):
        class_ = "auth"
    elif head.status == 429:
        class_ = "rate_limit"
    elif head.status < 500:
        class_ = "client"
    side: Side = "provider" if head.status >= 500 else "client"
    return (Fault(class_, side, str(head.status), head.reason or "refused"),)
