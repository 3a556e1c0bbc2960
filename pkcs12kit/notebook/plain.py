"""What notebooks show of values where HTML cannot be: the trees of the terminal without colours, or the ``repr``."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING, Any, Final

from pkcs12kit.display.harmless import harmless
from pkcs12kit.wording import counted

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from rich.console import RenderableType

    from pkcs12kit.builder import BuildReport
    from pkcs12kit.certificates.certificate import Certificate
    from pkcs12kit.certificates.path import CertificationPath
    from pkcs12kit.display.pictures import Picture
    from pkcs12kit.paths.report import NoValidPathError, PathReport
    from pkcs12kit.paths.validation.verdict import ValidatedPath
    from pkcs12kit.pkcs12.bundle import Bundle
    from pkcs12kit.pkcs12.decoder import DecodedPfx
    from pkcs12kit.pkcs12.inspection import PfxReport
    from pkcs12kit.verifier.probe_report import ProbeReport
    from pkcs12kit.verifier.rehearsal_report import RehearsalReport
    from pkcs12kit.verifier.report import VerificationReport
    from pkcs12kit.verifier.sent_report import SentReport

_WIDTH: Final = 120


def plain(value: object) -> str:
    """Write a value as text: nothing in it can steer a terminal."""
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


def _error(error: NoValidPathError) -> str:
    return _report(error.report)


def _picture(picture: Picture) -> str:
    from pkcs12kit.display.pictures.wording import inert, summary

    return f"{inert(picture.title)}: {summary(picture)}"


def _bundle(bundle: Bundle) -> str:
    key = "a private key and " if bundle.private_key is not None else ""
    return _listed(f"Bundle of {key}{counted(len(bundle.certificates), 'certificate')}:", bundle.certificates)


def _decoded(decoded: DecodedPfx) -> str:
    keys, certificates = counted(len(decoded.keys), "private key"), counted(len(decoded.certificates), "certificate")
    return _listed(f"Read from a PKCS#12 file: {keys}, {certificates}:", decoded.certificates)


def _listed(head: str, certificates: Iterable[Certificate]) -> str:
    from pkcs12kit.display.labels import with_expiry

    return "\n".join([head, *(f"  {with_expiry(certificate).plain}" for certificate in certificates)])


def _pfx(report: PfxReport) -> str:
    from pkcs12kit.display.pfx import pfx_tree

    return _printed([pfx_tree(report, title="PKCS#12 file")])


def _build(report: BuildReport) -> str:
    where = report.output if report.output is not None else "nowhere"
    certificates = counted(len(report.certificates), "certificate")
    head = f"Built {certificates}, written to {where}, profile {report.profile.name}"
    return "\n".join([harmless(head), _validated_path(report.path)])


def _verification(report: VerificationReport) -> str:
    return _findings(report, "PKCS#12 file")


def _sent(report: SentReport) -> str:
    return _findings(report, "Certificates that a server sends")


def _probe(report: ProbeReport) -> str:
    return _findings(report, str(report.server))


def _rehearsal(report: RehearsalReport) -> str:
    answer = f"Rehearsal as {harmless(report.server_name)}: {'accepted' if report.ok else 'not accepted'}"
    tried = (f"  {one.client} {one.protocol}: {one.verdict.value} {one.why}" for one in report.handshakes)
    return "\n".join([answer, *map(harmless, tried), _sent(report.sent)])


def _findings(report: VerificationReport | SentReport | ProbeReport, title: str) -> str:
    from pkcs12kit.display.findings import findings_tree

    return _printed([findings_tree(report.findings, title=title, answer=report.ok)])


_TREES: Final[dict[str, Callable[[Any], str]]] = {
    "CertificationPath": _path,
    "ValidatedPath": _validated_path,
    "PathReport": _report,
    "Picture": _picture,
    "NoValidPathError": _error,
    "Bundle": _bundle,
    "DecodedPfx": _decoded,
    "PfxReport": _pfx,
    "BuildReport": _build,
    "VerificationReport": _verification,
    "SentReport": _sent,
    "RehearsalReport": _rehearsal,
    "ProbeReport": _probe,
}
