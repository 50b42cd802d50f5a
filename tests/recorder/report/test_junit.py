"""JUnit XML as CI systems read it."""

from __future__ import annotations

from xml.etree import ElementTree

from hypothesis import given
from hypothesis import strategies as st

from recorder.report.junit import Case, junit

CASES = [
    Case("greets", "checks", 0.25, "pass"),
    Case("books", "checks", 1.0, "fail", "expected 1 call, found 0", "seq 4\nseq 9"),
    Case("is quick", "checks", 0.0, "inconclusive", "no audio on the tape"),
    Case("costs little", "checks", 0.0, "not run", "this provider tells no usage"),
    Case("notes", "checks", 0.0, "pass", "9 events", "seq 1"),
]


def suite(cases: list[Case]) -> ElementTree.Element:
    found = ElementTree.fromstring(junit("booking", cases).encode()).find("testsuite")
    assert found is not None
    return found


def test_the_suite_counts_its_cases() -> None:
    assert suite(CASES).attrib == {
        "name": "booking",
        "tests": "5",
        "failures": "2",
        "errors": "0",
        "skipped": "1",
        "time": "1.250",
    }


def test_each_outcome_has_its_element() -> None:
    children = [[(each.tag, dict(each.attrib)) for each in case] for case in suite(CASES)]

    assert children == [
        [],
        [("failure", {"type": "fail", "message": "expected 1 call, found 0"})],
        [("failure", {"type": "inconclusive", "message": "no audio on the tape"})],
        [("skipped", {"message": "this provider tells no usage"})],
        [("system-out", {})],
    ]


def test_details_keep_their_lines() -> None:
    failure = suite(CASES)[1][0]
    assert failure.text == "seq 4\nseq 9"
    assert suite(CASES)[4][0].text == "9 events\nseq 1"


def test_a_suite_without_cases_is_valid() -> None:
    assert suite([]).attrib["tests"] == "0"


@given(st.text(), st.text(), st.text())
def test_any_text_makes_a_document_that_is_read(name: str, headline: str, details: str) -> None:
    case = suite([Case(name, "c", 0.0, "fail", headline, details)])[0]
    assert case.tag == "testcase"
    assert case[0].attrib["type"] == "fail"
