"""An expiry report in words: the parts of its text, for a terminal and for notebooks."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from pkcs12kit.certificates.lookup import identified
from pkcs12kit.display.labels import day
from pkcs12kit.text import counted, shortened

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from pkcs12kit.verifier.expiry import CertificateUse, ExpiryReport, JudgedBundle

SHOWN: Final = 20
"""Lines of one part that are shown; the others are counted."""


def parts_of(report: ExpiryReport) -> Iterator[tuple[str, list[str]]]:
    """Yield the parts of the text that have something to say, each with its title and its lines."""
    total = len(report.bundles)
    bundles = counted(total, "bundle")
    if report.certificates:
        lines = shortened(report.certificates, SHOWN, lambda use: f"{_certificate(use)}: {_uses(use, total)}")
        yield f"Certificates above the servers' own in {bundles}, those first that most hang on:", lines
    for title, found, show in _lists(report):
        if found:
            yield f"{title}:", shortened(found, SHOWN, show)
    if report.unread:
        yield "Not read, so nothing is known of them:", shortened(report.unread, SHOWN, str)
    if report.skipped:
        yield "Skipped, because no server's certificate is in them:", shortened(report.skipped, SHOWN)


def summary(report: ExpiryReport) -> str:
    """Return the answer in one or two sentences: what ends first, and the single certificate that most hang on."""
    total = len(report.bundles)
    most = report.most_needed
    if not total:
        hang = "no bundle could be read"
    elif most is None and all(one.path is None for one in report.bundles):
        hang = f"no valid path was found in {counted(total, 'bundle')}"
    elif most is None:
        hang = "no certificate above the servers' own is the only one that makes a path"
    else:
        hang = (
            f"{identified(most.certificate)} is the single certificate that most bundles hang on:"
            f" {len(most.needed_by):,} of {total:,} have no path without it; it ends on"
            f" {day(most.certificate.not_after)}"
        )
    first = next((one for one in report.bundles if one.path is not None), None)
    ends = "" if first is None else f"; {_ending(first)}"
    return hang[:1].upper() + hang[1:] + ends


def _lists(
    report: ExpiryReport,
) -> Iterator[tuple[str, Sequence[JudgedBundle], Callable[[JudgedBundle], str]]]:
    yield "Without a valid path", report.without_path, lambda one: f"{one.name}: {one.why}"
    yield f"Ending by {day(report.end)}", report.expiring, _ending
    end = report.end
    late = [one for one in report.bundles if one.expires is not None and one.expires > end]
    yield "Ending later", late, _ending
    unsure = [one for one in report.bundles if not one.is_certain]
    yield "A limit ended the search, so they may hang on more certificates", unsure, lambda one: one.name


def _certificate(use: CertificateUse) -> str:
    return f"{identified(use.certificate)}, until {day(use.certificate.not_after)}"


def _uses(use: CertificateUse, total: int) -> str:
    return f"{len(use.needed_by):,} of {total:,} have no path without it, {len(use.used_by):,} use it"


def _ending(bundle: JudgedBundle) -> str:
    first, expires = bundle.ends_first, bundle.expires
    when = "at a time that is not known" if expires is None else f"on {day(expires)}"
    which = (
        ""
        if first is None
        else ", with its own certificate"
        if first == bundle.target
        else f", with {identified(first)}"
    )
    beside = "" if bundle.is_complete else "; its own certificates make no path, only those given beside it do"
    return f"{bundle.name} ends {when}{which}{beside}"
