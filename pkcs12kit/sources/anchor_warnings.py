"""Sentences that warn of unusual trust anchors: several in one file, not self-signed, or not the certificate of a CA.

They change no answer: an anchor is trusted because the user named it (RFC 5280 section 6.1.1 (d)). But a user who names
a bundle or a cross-certificate by mistake trusts more than intended.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from pkcs12kit.paths.budget import SearchBudget
from pkcs12kit.paths.signatures import is_self_signed
from pkcs12kit.text import counted, shortened

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from pkcs12kit.certificates.certificate import Certificate
    from pkcs12kit.certificates.trust_anchor import TrustAnchor
    from pkcs12kit.limits import Limits

_MOST_NAMED: Final = 10


def about_file(name: str, certificates: Sequence[Certificate]) -> Iterator[str]:
    """Yield a sentence if the file ``name``, which was given as a trust anchor, holds several certificates."""
    each = tuple(dict.fromkeys(certificates))
    if len(each) > 1:
        yield (
            f"{name}: holds {len(each):,} certificates, and each of them is now a trust anchor:"
            f" {', '.join(shortened(each, _MOST_NAMED, _fingerprint))};"
            " if you trust only one of them, give a file with only that one"
        )


def about_anchors(anchors: Sequence[TrustAnchor], limits: Limits) -> Iterator[str]:
    """Yield a sentence for each trust anchor whose certificate is not self-signed, or not a CA's; for many, a count."""
    budget = SearchBudget(limits)
    odd = [
        (anchor.certificate, why)
        for anchor in anchors
        if anchor.certificate is not None and (why := _oddity(anchor.certificate, budget)) is not None
    ]
    for certificate, why in odd[:_MOST_NAMED]:
        yield f"trust anchor {_fingerprint(certificate)} {why}"
    if (more := len(odd) - _MOST_NAMED) > 0:
        are = "is" if more == 1 else "are"
        yield f"{counted(more, 'other trust anchor')} {are} not self-signed, or not the certificate of a CA"


def _oddity(certificate: Certificate, budget: SearchBudget) -> str | None:
    """Return why a certificate is not the usual trust anchor, None if it is one.

    A certificate of version 1 cannot mark a CA (RFC 5280 section 4.2.1.9), so nothing is missing there.
    """
    reasons = []
    if not certificate.is_self_issued:
        reasons.append(f"is not self-signed, but issued by {certificate.issuer.label}: it is not the root")
    elif is_self_signed(certificate, budget) is False:
        reasons.append("is not self-signed: its issuer has the same name, but another key")
    if certificate.version != 1 and not certificate.is_ca:
        alone = "" if reasons else "; it fits only a server whose own certificate it is"
        reasons.append(f"is not the certificate of a CA: it cannot have issued the certificates of a path{alone}")
    return f"{', and '.join(reasons)}; is it the one that the clients trust?" if reasons else None


def _fingerprint(certificate: Certificate) -> str:
    return f"{certificate.label} (SHA-256 {certificate.sha256})"
