"""Results of path searches: the picture, the chosen path, the other valid paths, and the rejected ones."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from pkcs12kit.display.cross_certificates import in_words
from pkcs12kit.display.explanations import explanation_lines, policy_lines
from pkcs12kit.display.labels import day, short_serial
from pkcs12kit.display.pictures import picture_of_report, to_svg
from pkcs12kit.display.rows import same_for_others, search_cut_short, would_be_valid
from pkcs12kit.notebook.certificates import notes_table
from pkcs12kit.notebook.chains import chain, path_body
from pkcs12kit.notebook.html import (
    Element,
    Node,
    Verbatim,
    cell,
    code,
    element,
    folded,
    left_out,
    lines,
    name,
    part,
    said,
    table,
    title,
)
from pkcs12kit.text import counted

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pkcs12kit.certificates.certificate import Certificate
    from pkcs12kit.display.pictures import Picture
    from pkcs12kit.notebook.html import View
    from pkcs12kit.paths.failure import Failure
    from pkcs12kit.paths.report import NoValidPathError, PathReport, RejectedPath

_WIDTH: Final = re.compile(r'<svg [^>]*?\bwidth="(\d+)')
_LEGIBLE: Final = 0.75
"""The smallest scale of a picture: letters of 11 pixels then have 8."""


def draw_report(report: PathReport, view: View) -> Element:
    """Return the report of a search: its answer, the picture, the best path, and the other paths folded."""
    return element("div", title(_answer(report)), *report_body(report, view))


def draw_error(error: NoValidPathError, view: View) -> Element:
    """Return the report in the error."""
    return draw_report(error.report, view)


def draw_rejected(path: RejectedPath, view: View) -> Element:
    """Return one attempt: its certificates, each with its failures."""
    return element("div", title(said("✗ Not a valid path", "bad")), *_attempt(path, view))


def draw_picture(picture: Picture, view: View) -> Element:
    """Return a picture, which has its own title, as wide as the page allows."""
    return element("div", _svg(picture, view), class_="whole")


def report_body(report: PathReport, view: View) -> tuple[Node, ...]:
    """Return the report of a search without a title, as of the time of the search."""
    view = view.at(report.time)
    best: tuple[Node, ...] = ()
    if report.valid:
        best = (part("The chosen path"), *path_body(report.valid[0], view))
    elif report.rejected:
        best = (part("The closest attempt"), *_attempt(report.rejected[0], view))
    cut_short = search_cut_short(report)
    hints = report.hints
    return (
        element("p", said(f"! {cut_short}", "warn")) if cut_short is not None else None,
        _picture(report, view),
        *best,
        *((part("What to do"), lines(hints, view, show=str)) if hints else ()),
        *_cross_certificates(report, view),
        notes_table(report.notes, view),
        *_other_paths(report, view),
        rejected_table(report.rejected, view),
    )


def _cross_certificates(report: PathReport, view: View) -> tuple[Node, ...]:
    """Return the other certificates of the target's name: cross-certificates, and those with another key."""
    crossed, others = report.cross_certificates, report.same_name_other_key
    if not crossed and not others:
        return ()
    kinds = {True: "good", False: "bad", None: "muted"}
    rows = [(one.certificate, said(in_words(one), kinds[one.leads_to_anchor])) for one in crossed]
    rows += [(one, said("another key: not a cross-certificate", "warn")) for one in others]
    shown = rows[: view.limits.notebook_rows]
    drawn = table(
        ("certificate", "issued by", "until", "where it leads"),
        (
            (
                cell(code(f"#{short_serial(one.serial_number_text)}")),
                cell(name(one.issuer.label)),
                cell(day(one.not_after)),
                cell(words, class_="roomy"),
            )
            for one, words in shown
        ),
    )
    heading = f"Cross-certificates and others with the name {report.target.label}"
    return (part(heading), drawn, left_out(len(rows) - len(shown), "certificates"))


def rejected_table(rejected: Sequence[RejectedPath], view: View) -> Node:
    """Return a table of attempts with their failures and the sections of the standard; None without attempts."""
    if not rejected:
        return None
    shown = rejected[: view.limits.notebook_rows]
    drawn = table(
        ("attempt, from the target up", "certificate", "failure", "standard"),
        (_row(path) for path in shown),
    )
    summary = f"Why {counted(len(rejected), 'attempt')} failed"
    return folded(summary, drawn, left_out(len(rejected) - len(shown), "attempts"))


def _picture(report: PathReport, view: View) -> Element:
    return _svg(picture_of_report(report, time=view.time, limits=view.limits), view)


def _svg(picture: Picture, view: View) -> Element:
    return scrolling(to_svg(picture, limits=view.limits))


def scrolling(svg: str) -> Element:
    """Return an SVG image that shrinks to the width of the page, but stays legible: it scrolls if it is wider."""
    width = _WIDTH.search(svg)
    least = f"min-width:{int(width[1]) * _LEGIBLE:.0f}px" if width else None
    return element("div", element("div", Verbatim(svg), style=least), class_="picture")


def _answer(report: PathReport) -> Element:
    target = report.target.label
    if report.valid:
        return element("span", said(f"✓ {counted(len(report.valid), 'valid path')}", "good"), " for ", name(target))
    return element("span", said("✗ No valid path", "bad"), " from ", name(target), " to a trust anchor")


def _other_paths(report: PathReport, view: View) -> tuple[Node, ...]:
    """Return the other valid paths, folded, each with the reason why it comes after the one before it."""
    shown = report.valid[1 : view.limits.notebook_paths]
    reasons = dict(enumerate(report.before_next, start=2))
    return (
        *(
            folded(
                f"Path {number}, valid until {day(path.expires)}",
                element("p", f"The one before it is better: {reasons[number]}", class_="muted")
                if number in reasons
                else None,
                *path_body(path, view),
            )
            for number, path in enumerate(shown, start=2)
        ),
        left_out(len(report.valid) - 1 - len(shown), "valid paths"),
    )


def _attempt(path: RejectedPath, view: View) -> tuple[Node, ...]:
    def problem(certificate: Certificate) -> Node:
        failures = [failure for failure in path.failures if failure.certificate == certificate]
        return element("div", *map(_failure, failures)) if failures else None

    window = would_be_valid(path)
    shown = list(dict.fromkeys((*path.certificates, *(failure.certificate for failure in path.failures))))
    return (
        element("p", said(f"! {window}", "warn")) if window is not None else None,
        chain(shown, view, time=view.time, problems=[problem(certificate) for certificate in shown]),
    )


def _failure(failure: Failure) -> Element:
    return element(
        "div",
        element(
            "p", said(f"✗ {failure.reason.value}", "bad"), f": {failure.detail} ", said(f"[{failure.section}]", "muted")
        ),
        *(element("p", line) for line in explanation_lines(failure)),
        _policies(failure) if failure.policies else None,
    )


def _policies(failure: Failure) -> Element:
    """Return the policies at each certificate, from the trust anchor down."""
    return table(
        ("", "certificate", "its policies", "expected", "still valid", "policy required"),
        (
            (
                cell(str(line.depth)),
                cell(name(line.certificate)),
                cell(line.states),
                cell(line.expected),
                cell(line.valid),
                cell(line.required),
            )
            for line in policy_lines(failure)
        ),
    )


def _row(path: RejectedPath) -> tuple[Element, ...]:
    names = " ← ".join(certificate.label for certificate in path.certificates)
    others = same_for_others(path)
    failure = path.failures[0]
    return (
        cell(name(names), said(f" {others}", "muted") if others is not None else None, class_="roomy"),
        cell(
            name(failure.certificate.subject.label),
            code(f" #{short_serial(failure.certificate.serial_number_text)}"),
            class_="roomy",
        ),
        cell(said(f"✗ {failure.reason.value}", "bad"), f": {path.detail}", class_="roomy"),
        cell(said(failure.section, "muted")),
    )
