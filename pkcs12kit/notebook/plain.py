"""What notebooks show of values where HTML cannot be: the trees of the terminal without colours, or the ``repr``."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING, Any, Final

from pkcs12kit.display.harmless import harmless

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from rich.console import RenderableType

    from pkcs12kit.certificates.path import CertificationPath
    from pkcs12kit.paths.report import NoValidPathError, PathReport
    from pkcs12kit.paths.validation.verdict import ValidatedPath
    from pkcs12kit.pkcs12.inspection import PfxReport
    from pkcs12kit.verifier.probe_report import ProbeReport
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


def _pfx(report: PfxReport) -> str:
    from pkcs12kit.display.pfx import pfx_tree

    return _printed([pfx_tree(report, title="PKCS#12 file")])


def _verification(report: VerificationReport) -> str:
    return _findings(report, "PKCS#12 file")


def _sent(report: SentReport) -> str:
    return _findings(report, "Certificates that a server sends")


def _probe(report: ProbeReport) -> str:
    return _findings(report, str(report.server))


def _findings(report: VerificationReport | SentReport | ProbeReport, title: str) -> str:
    from pkcs12kit.display.findings import findings_tree

    return _printed([findings_tree(report.findings, title=title, answer=report.ok)])


_TREES: Final[dict[str, Callable[[Any], str]]] = {
    "CertificationPath": _path,
    "ValidatedPath": _validated_path,
    "PathReport": _report,
    "NoValidPathError": _error,
    "PfxReport": _pfx,
    "VerificationReport": _verification,
    "SentReport": _sent,
    "ProbeReport": _probe,
}
