"""Results as JUnit XML, as CI systems read it: one suite of cases."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Literal, NamedTuple
from xml.etree import ElementTree

Outcome = Literal["pass", "fail", "inconclusive", "not run"]

_NOT_XML = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


class Case(NamedTuple):
    """One result. `headline` says in a line why it is what it is, `details` says more; both are
    empty where there is nothing to say."""

    name: str
    classname: str
    seconds: float
    outcome: Outcome
    headline: str = ""
    details: str = ""


def junit(suite: str, cases: Sequence[Case]) -> str:
    """The document. JUnit has no word for `inconclusive`, which is a failure of its own type, nor
    for `not run`, which is skipped."""
    root = ElementTree.Element("testsuites")
    top = ElementTree.SubElement(root, "testsuite", _facts(suite, cases))
    for case in cases:
        facts = {"name": case.name, "classname": case.classname, "time": f"{case.seconds:.3f}"}
        element = ElementTree.SubElement(top, "testcase", {k: _text(v) for k, v in facts.items()})
        _result(element, case)
    ElementTree.indent(root)
    return '<?xml version="1.0" encoding="utf-8"?>\n' + ElementTree.tostring(root, "unicode") + "\n"


def _facts(suite: str, cases: Sequence[Case]) -> dict[str, str]:
    outcomes = [case.outcome for case in cases]
    return {
        "name": _text(suite),
        "tests": str(len(cases)),
        "failures": str(outcomes.count("fail") + outcomes.count("inconclusive")),
        "errors": "0",
        "skipped": str(outcomes.count("not run")),
        "time": f"{sum(case.seconds for case in cases):.3f}",
    }


def _result(element: ElementTree.Element, case: Case) -> None:
    if case.outcome == "pass":
        said = "\n".join(each for each in (case.headline, case.details) if each)
        if said:
            ElementTree.SubElement(element, "system-out").text = _text(said)
        return
    facts = {"message": _text(case.headline)}
    if case.outcome == "not run":
        told = ElementTree.SubElement(element, "skipped", facts)
    else:
        told = ElementTree.SubElement(element, "failure", {**facts, "type": case.outcome})
    told.text = _text(case.details)


def _text(text: str) -> str:
    """`text` with what XML cannot hold, even as an escape, written as a backslash escape."""
    return _NOT_XML.sub(lambda found: found[0].encode("unicode_escape").decode(), text)
