"""Whether margins were declared before anyone could know the outcome."""

from __future__ import annotations

from recorder.comparison.criteria import Criteria
from recorder.comparison.evidence import Evidence
from recorder.comparison.result import Declared


def declared(criteria: Criteria, evidence: Evidence, modified_ns: int | None) -> Declared:
    """When criteria were declared. `modified_ns` is when their file was last changed, nanoseconds
    since 1970; None for those that come with this program. A digest on the tapes proves more than
    the time of a file, which anyone can set."""
    if evidence.criteria == {criteria.sha256}:
        return "on-tape"
    if evidence.criteria - {None, criteria.sha256}:
        return "other"
    if modified_ns is None:
        return "shipped"
    return "before" if modified_ns < evidence.begun_ns else "after"
