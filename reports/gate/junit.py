"""A gate as JUnit XML, the format in which CI servers read tests: a claim is a test case.

JUnit knows failures and skipped tests. An undecided claim is neither passed nor failed, and servers count *skipped* as
fine: so it is a failure of a type of its own, ``undecided``.
"""

from __future__ import annotations

from xml.etree import ElementTree as ET

from reports.gate import words
from reports.gate.card import Gate, Result
from reports.gate.sprt import Answer


def gate_junit(gate: Gate) -> str:
    """One test suite with a test case for each claim."""
    failures = sum(result.answer is not Answer.PASSED for result in gate.results)
    counts = {"tests": str(len(gate.results)), "failures": str(failures), "errors": "0", "skipped": "0"}
    suites = ET.Element("testsuites", {"name": "rolltwin gate", **counts})
    suite = ET.SubElement(suites, "testsuite", {"name": _clean(gate.policy.title), **counts})
    properties = ET.SubElement(suite, "properties")
    for name, value in (("seed", gate.policy.seed), ("replications", gate.replications), ("command", gate.command)):
        ET.SubElement(properties, "property", {"name": name, "value": _clean(str(value))})
    for result in gate.results:
        _case(suite, result)
    ET.indent(suites)
    return f'<?xml version="1.0" encoding="UTF-8"?>\n{ET.tostring(suites, encoding="unicode")}\n'


def _case(suite: ET.Element, result: Result) -> None:
    claim = result.claim
    case = ET.SubElement(
        suite,
        "testcase",
        {
            "name": _clean(claim.name),
            "classname": _clean(result.scenario),
            "file": _clean(claim.place.file),
            "line": str(claim.place.line),
            "assertions": str(result.seen),
        },
    )
    text = _clean(words.message(result))
    if result.answer is Answer.PASSED:
        ET.SubElement(case, "system-out").text = text
        return
    short = _clean(f"{words.evidence(result)}, {words.conclusion(result)}")
    ET.SubElement(case, "failure", {"type": result.answer.value, "message": short}).text = text


def _clean(text: str) -> str:
    """Without what XML 1.0 cannot hold: control characters, halves of surrogate pairs."""
    return "".join(
        c if c in "\n\t" or "\x20" <= c < "\ud800" or "\ue000" <= c < "\ufffe" or c >= "\U00010000" else "?"
        for c in text
    )
