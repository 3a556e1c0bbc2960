"""Which value is drawn by which room, and what is around everything drawn."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Final, cast

from pkcs12kit.display.harmless import NO_FORMULAS
from pkcs12kit.limits import DEFAULT_LIMITS
from pkcs12kit.notebook.markup import Element, Verbatim, element, write
from pkcs12kit.notebook.plain import plain
from pkcs12kit.notebook.style import ROOT, STYLE
from pkcs12kit.notebook.view import View

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from pkcs12kit.limits import Limits
    from pkcs12kit.shown import Shown

    Draw = Callable[[object, View], Element]

# By the names of classes, so that showing a certificate loads neither the search for paths nor the TLS clients.
_DRAWN_BY: Final = {
    "Certificate": "certificates.draw_certificate",
    "TrustAnchor": "certificates.draw_trust_anchor",
    "Identity": "certificates.draw_identity",
    "CertificatePool": "pools.draw_pool",
    "CertificationPath": "chains.draw_path",
    "ValidatedPath": "chains.draw_validated_path",
    "PathReport": "searches.draw_report",
    "Picture": "searches.draw_picture",
    "RejectedPath": "searches.draw_rejected",
    "NoValidPathError": "searches.draw_error",
    "Bundle": "pfx.draw_bundle",
    "DecodedPfx": "pfx.draw_decoded",
    "PfxReport": "pfx.draw_pfx_report",
    "VerificationReport": "verdicts.draw_verification",
    "SentReport": "verdicts.draw_sent",
    "RehearsalReport": "verdicts.draw_rehearsal",
    "ProbeReport": "verdicts.draw_probe",
    "GatherReport": "retrievals.draw_gathering",
    "BundleReport": "retrievals.draw_bundle_report",
    "BuildReport": "builds.draw_build",
}


def show(value: object) -> dict[str, str]:
    """Give what Jupyter shows of a value, by media type."""
    return {"text/html": _html(value, View(limits=DEFAULT_LIMITS)), "text/plain": plain(value)}


def to_html(value: Shown, *, time: datetime | None = None, limits: Limits = DEFAULT_LIMITS) -> str:
    """Draw a value as HTML, as notebooks show it: one ``div`` element for any page, with styles of its own.

    ``time`` (timezone-aware) is when validity is looked at; without it that is the time that a path was validated for,
    and for anything else now. Nothing in it is loaded from elsewhere, and text from outside stays text: MathJax and
    KaTeX find no formula in it, unless a page gives them other delimiters than those of TeX and AsciiMath.
    It is bounded by ``limits``: what is left out is counted. Neither a private key nor a password is in it.

    Raises :class:`TypeError` for a value that has no picture of its own, :class:`ValueError` for a time without zone.
    """
    return _html(value, View(limits=limits, time=time))


def _html(value: object, view: View) -> str:
    drawn = _find(value)(value, view)
    around = element(
        "div", element("style", Verbatim(STYLE)), drawn, class_=f"{ROOT} {NO_FORMULAS}", lang="en", dir="ltr"
    )
    return write(around, longest=view.limits.notebook_characters)


def _find(value: object) -> Draw:
    for kind in type(value).__mro__:
        place = _DRAWN_BY.get(kind.__name__)
        if place is not None and kind.__module__.startswith("pkcs12kit."):
            module, _, function = place.partition(".")
            return cast("Draw", getattr(import_module(f"pkcs12kit.notebook.{module}"), function))
    raise TypeError(f"a {type(value).__name__} is not drawn")
