"""The entry points: values as HTML and as plain text, and the table of the functions that draw them."""

from __future__ import annotations

import io
from importlib import import_module
from typing import TYPE_CHECKING, Any, Final, cast

from pkcs12kit.arguments import require_kind
from pkcs12kit.errors import ArgumentError
from pkcs12kit.limits import DEFAULT_LIMITS, Limits
from pkcs12kit.notebook.html import Element, Verbatim, View, element, write
from pkcs12kit.notebook.style import ROOT, STYLE
from pkcs12kit.text import NO_FORMULAS, counted, harmless
from pkcs12kit.times import require_aware

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from datetime import datetime

    from rich.console import RenderableType

    from pkcs12kit.builder.report import BuildReport
    from pkcs12kit.certificates.certificate import Certificate
    from pkcs12kit.certificates.path import CertificationPath
    from pkcs12kit.comparison.report import Comparison
    from pkcs12kit.contents.listing import Contents
    from pkcs12kit.display.pictures import Picture
    from pkcs12kit.fleet.report import FleetReport
    from pkcs12kit.notebook_hook import Shown
    from pkcs12kit.paths.report import NoValidPathError, PathReport
    from pkcs12kit.paths.validation.verdict import ValidatedPath
    from pkcs12kit.paths.validity_report import ValidityReport
    from pkcs12kit.paths.what_if import WhatIfReport
    from pkcs12kit.pkcs12.bundle import Bundle
    from pkcs12kit.pkcs12.decoder import DecodedPfx
    from pkcs12kit.pkcs12.inspection import PfxReport
    from pkcs12kit.verifier.expiry import ExpiryReport
    from pkcs12kit.verifier.reports import ServedChainReport, VerificationReport
    from pkcs12kit.verifier.server_reports import ProbeReport, RehearsalReport

    Draw = Callable[[object, View], Element]


_WIDTH: Final = 120
_LINES: Final = 20
"""Lines of one part of a report on many bundles."""


def plain(value: object) -> str:
    """Return a value as text that is safe to print."""
    for kind in type(value).__mro__:
        if kind.__name__ in _TREES:
            return _TREES[kind.__name__](value)
    return "\n".join(map(harmless, repr(value).splitlines()))


def _printed(renderables: Iterable[RenderableType]) -> str:
    from rich.console import Console

    output = io.StringIO()
    console = Console(
        file=output,
        width=_WIDTH,
        color_system=None,
        force_terminal=False,
        force_jupyter=False,
        highlight=False,
        markup=False,
        emoji=False,
    )
    for renderable in renderables:
        console.print(renderable)
    return "\n".join(line.rstrip() for line in output.getvalue().splitlines())


def _path(path: CertificationPath) -> str:
    return harmless(path)


def _validated_path(path: ValidatedPath) -> str:
    from pkcs12kit.display.paths import path_tree

    return _printed([path_tree(path)])


def _report(report: PathReport) -> str:
    from pkcs12kit.display.paths import path_report

    return _printed(path_report(report, every=True))


def _what_if(report: WhatIfReport) -> str:
    from pkcs12kit.display.what_if import what_if_report

    return _printed(what_if_report(report, every=True))


def _periods(report: ValidityReport) -> str:
    from pkcs12kit.display.validity_periods import periods_report

    return _printed(periods_report(report))


def _expiry(report: ExpiryReport) -> str:
    from pkcs12kit.verifier.expiry_words import parts_of, summary

    lines = (line for title, of_part in parts_of(report) for line in (title, *(f"  {one}" for one in of_part)))
    return "\n".join(map(harmless, (summary(report), *lines)))


def _fleet(report: FleetReport) -> str:
    from pkcs12kit.fleet.wording import endings_of, lines_of, summary

    told = [summary(report)]
    for heading, lines, more in lines_of(report, at_most=_LINES):
        told += [heading, *(f"  {line.word} {line.text}" for line in lines)]
        told += [f"  and {more:,} more"] if more else []
    return "\n".join(map(harmless, (*told, *endings_of(report))))


def _error(error: NoValidPathError) -> str:
    return _report(error.report)


def _picture(picture: Picture) -> str:
    from pkcs12kit.display.pictures.wording import inert, summary

    return f"{inert(picture.title)}: {summary(picture)}"


def _bundle(bundle: Bundle) -> str:
    key = "a private key and " if bundle.private_key is not None else ""
    return _listed(f"Bundle of {key}{counted(len(bundle.certificates), 'certificate')}:", bundle.certificates)


def _decoded(decoded: DecodedPfx) -> str:
    keys = counted(len(decoded.keys) + len(decoded.unread_keys), "private key")
    certificates = counted(len(decoded.certificates), "certificate")
    return _listed(f"Read from a PKCS#12 file: {keys}, {certificates}:", decoded.certificates)


def _listed(head: str, certificates: Iterable[Certificate]) -> str:
    from pkcs12kit.display.labels import with_expiry

    return "\n".join([head, *(f"  {with_expiry(certificate).plain}" for certificate in certificates)])


def _contents(contents: Contents) -> str:
    listed = [one.certificate for one in contents.certificates]
    unread = (f"  not read: {harmless(part)}" for part in contents.unread)
    return "\n".join([_listed(f"{contents!r}:", listed), *unread])


def _pfx(report: PfxReport) -> str:
    from pkcs12kit.display.pfx import pfx_tree

    return _printed([pfx_tree(report, title="PKCS#12 file")])


def _build(report: BuildReport) -> str:
    where = report.output if report.output is not None else "nowhere"
    certificates = counted(len(report.certificates), "certificate")
    head = f"Built {certificates}, written to {where}, "
    head += "PEM" if report.profile is None else f"profile {report.profile.name}"
    return "\n".join([harmless(head), _validated_path(report.path)])


def _verification(report: VerificationReport) -> str:
    return _findings(report, "PKCS#12 file")


def _sent(report: ServedChainReport) -> str:
    return _findings(report, "Certificates that a server sends")


def _probe(report: ProbeReport) -> str:
    return _findings(report, str(report.server))


def _rehearsal(report: RehearsalReport) -> str:
    answer = f"Rehearsal as {harmless(report.server_name)}: {'accepted' if report.ok else 'not accepted'}"
    tried = (f"  {one.client} {one.protocol}: {one.verdict.value} {one.why}" for one in report.handshakes)
    return "\n".join([answer, *map(harmless, tried), _sent(report.served_chain)])


def _findings(report: VerificationReport | ServedChainReport | ProbeReport, title: str) -> str:
    from pkcs12kit.display.findings import findings_tree

    return _printed([findings_tree(report.findings, title=title, answer=report.ok)])


def _comparison(comparison: Comparison) -> str:
    sides = (("came", comparison.came), ("went", comparison.went))
    pairs = (("renewed", comparison.renewed), ("rekeyed", comparison.rekeyed))
    lines = [repr(comparison)]
    lines += [f"  {name}: {one.certificate.label}" for name, listed in sides for one in listed]
    lines += [f"  {name}: {pair.before.label}" for name, changed in pairs for pair in changed]
    lines += [f"  {one.outcome.value}: {one.target.label}" for one in comparison.targets]
    return "\n".join(map(harmless, lines))


_TREES: Final[dict[str, Callable[[Any], str]]] = {
    "CertificationPath": _path,
    "ValidatedPath": _validated_path,
    "PathReport": _report,
    "WhatIfReport": _what_if,
    "ValidityReport": _periods,
    "ExpiryReport": _expiry,
    "FleetReport": _fleet,
    "Picture": _picture,
    "NoValidPathError": _error,
    "Bundle": _bundle,
    "DecodedPfx": _decoded,
    "PfxReport": _pfx,
    "Contents": _contents,
    "Comparison": _comparison,
    "BuildReport": _build,
    "VerificationReport": _verification,
    "ServedChainReport": _sent,
    "RehearsalReport": _rehearsal,
    "ProbeReport": _probe,
}


# By names of classes, so that showing a certificate loads neither the path search nor the TLS clients.
_DRAWN_BY: Final = {
    "Certificate": "certificates.draw_certificate",
    "TrustAnchor": "certificates.draw_trust_anchor",
    "Identity": "certificates.draw_identity",
    "CertificatePool": "pools.draw_pool",
    "CertificationPath": "chains.draw_path",
    "ValidatedPath": "chains.draw_validated_path",
    "PathReport": "searches.draw_report",
    "WhatIfReport": "what_if.draw_what_if",
    "ValidityReport": "periods.draw_periods",
    "ExpiryReport": "expiry.draw_expiry",
    "FleetReport": "fleet.draw_fleet",
    "Picture": "searches.draw_picture",
    "RejectedPath": "searches.draw_rejected",
    "NoValidPathError": "searches.draw_error",
    "Bundle": "pfx.draw_bundle",
    "DecodedPfx": "pfx.draw_decoded",
    "PfxReport": "pfx.draw_pfx_report",
    "Contents": "pools.draw_contents",
    "VerificationReport": "verdicts.draw_verification",
    "ServedChainReport": "verdicts.draw_served_chain",
    "RehearsalReport": "verdicts.draw_rehearsal",
    "ProbeReport": "verdicts.draw_probe",
    "GatherReport": "reports.draw_gathering",
    "BundleReport": "reports.draw_bundle_report",
    "BuildReport": "reports.draw_build",
    "Comparison": "comparisons.draw_comparison",
}


def show(value: object) -> dict[str, str]:
    """Return a value as Jupyter shows it, by media type."""
    return {"text/html": _html(value, View(limits=DEFAULT_LIMITS)), "text/plain": plain(value)}


def to_html(value: Shown, *, time: datetime | None = None, limits: Limits = DEFAULT_LIMITS) -> str:
    """Return a value as HTML, as notebooks show it: one ``div`` element for any page, with its own styles.

    ``time`` (timezone-aware) is the time for which validity is shown. The default is the time that a path was validated
    for, and the present time for other values. ``limits`` bound the size; items that are left out are counted.

    The HTML does not load other resources, and contains neither private keys nor passwords. Text from outside stays
    text: MathJax and KaTeX find no formulas in it, unless a page uses other delimiters than those of TeX and AsciiMath.

    Raises :class:`TypeError` for a value that has no picture of its own, :class:`ValueError` for a time without zone.
    """
    require_kind("limits", limits, Limits)
    return _html(value, View(limits=limits, time=None if time is None else require_aware(time)))


def _html(value: object, view: View) -> str:
    drawn = _find(value)(value, view)
    whole = element(
        "div", element("style", Verbatim(STYLE)), drawn, class_=f"{ROOT} {NO_FORMULAS}", lang="en", dir="ltr"
    )
    return write(whole, longest=view.limits.notebook_characters)


def _find(value: object) -> Draw:
    for kind in type(value).__mro__:
        place = _DRAWN_BY.get(kind.__name__)
        if place is not None and kind.__module__.startswith("pkcs12kit."):
            module, _, function = place.partition(".")
            return cast("Draw", getattr(import_module(f"pkcs12kit.notebook.{module}"), function))
    raise ArgumentError(f"a {type(value).__name__} is not drawn")
