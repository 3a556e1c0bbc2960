"""A report as JUnit XML, in the elements and attributes that GitLab and Jenkins read."""

from __future__ import annotations

from datetime import UTC
from typing import TYPE_CHECKING, Final
from xml.etree.ElementTree import Element, SubElement, indent, tostring

from pkcs12kit.fleet.causes import reason_of
from pkcs12kit.fleet.outcomes import Status
from pkcs12kit.text import harmless
from pkcs12kit.times import format_time

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pkcs12kit.fleet.outcomes import BundleOutcome
    from pkcs12kit.fleet.results import FleetResults

_WRITTEN: Final = "pkcs12kit batch"
"""The name by which a later run knows a report that it may replace."""
_CLASS: Final = "pkcs12kit.batch"
_THE_RUN: Final = "the whole run"
"""The test case of a run that was stopped, beside those of its bundles."""


def junit_of(report: FleetResults) -> str:
    """Return the report as one test suite with a test case for each bundle.

    A bundle that is not as it should be is a failure, with all that is wrong with it; a deferred one is skipped. Texts
    from outside have no characters that XML does not allow.
    """
    skipped = sum(one.ok and one.status is Status.DEFERRED for one in report.bundles)
    failures = sum(not one.ok for one in report.bundles) + (report.stopped is not None)
    numbers = {
        "tests": str(len(report.bundles) + (report.stopped is not None)),
        "failures": str(failures),
        "errors": "0",
        "skipped": str(skipped),
    }
    root = Element("testsuites", {"name": _WRITTEN, **numbers})
    begun = report.time.astimezone(UTC).replace(tzinfo=None, microsecond=0).isoformat()
    suite = SubElement(root, "testsuite", {"name": harmless(report.manifest), **numbers, "timestamp": begun})
    for one in report.bundles:
        _add_bundle(suite, one)
    if report.stopped is not None:
        case = SubElement(suite, "testcase", {"classname": _CLASS, "name": _THE_RUN})
        _fail(case, "stopped", [harmless(report.stopped)])
    if report.warnings:
        _add(suite, "system-err", "\n".join(map(harmless, report.warnings)))
    indent(root)
    return f'<?xml version="1.0" encoding="UTF-8"?>\n{tostring(root, encoding="unicode")}\n'


def wrong_with(outcome: BundleOutcome) -> Iterator[tuple[str, str]]:
    """Yield all that is wrong with a bundle: a word for it, and a sentence."""
    if outcome.status is Status.FAILED:
        yield "failed", outcome.error or "no reason was given"
    if outcome.ends_too_soon:
        first = outcome.first_to_expire
        which = "" if first is None else f": {first.label} is the first to end"
        when = "" if outcome.expires is None else f" on {format_time(outcome.expires)}"
        yield "ends-too-soon", f"the path ends{when}, within the time asked for{which}"
    if outcome.hook_error is not None:
        yield "hook-failed", f"the command after the change failed: {outcome.hook_error}"
    if outcome.served_error is not None:
        yield "not-served", f"the new certificate is not served: {outcome.served_error}"


def _add_bundle(suite: Element, outcome: BundleOutcome) -> None:
    named = {"classname": _CLASS, "name": harmless(outcome.name), "file": harmless(outcome.output)}
    case = SubElement(suite, "testcase", named)
    wrong = list(wrong_with(outcome))
    if wrong:
        hints = [f"hint: {harmless(hint)}" for hint in outcome.hints]
        _fail(case, wrong[0][0], [*(harmless(sentence) for _, sentence in wrong), *hints])
    elif outcome.status is Status.DEFERRED:
        SubElement(
            case, "skipped", {"message": harmless(f"deferred to a later run: {reason_of(outcome) or 'changed'}")}
        )
    _add(case, "system-out", "\n".join(map(harmless, _told(outcome))))
    if outcome.warnings:
        _add(case, "system-err", "\n".join(map(harmless, outcome.warnings)))


def _told(outcome: BundleOutcome) -> Iterator[str]:
    yield f"{outcome.status.value}: {reason}" if (reason := reason_of(outcome)) else outcome.status.value
    if outcome.expires is not None:
        first = outcome.first_to_expire
        yield f"ends {format_time(outcome.expires)}" + ("" if first is None else f", {first.label} first")


def _fail(case: Element, kind: str, lines: list[str]) -> None:
    _add(case, "failure", "\n".join(lines)).attrib |= {"type": kind, "message": lines[0]}


def _add(parent: Element, tag: str, text: str) -> Element:
    child = SubElement(parent, tag)
    child.text = text
    return child
