"""Who signed a bundle's checksum file: whom that leads to, and what is weak about it."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final

from pkcs12kit.certificates.times import format_time
from pkcs12kit.certificates.trust_anchor import TrustAnchor
from pkcs12kit.errors import InputError
from pkcs12kit.paths.processing import find_path
from pkcs12kit.paths.report import NoValidPathError
from pkcs12kit.paths.validation.parameters import ValidationParameters

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from datetime import datetime

    from pkcs12kit.certificates.certificate import Certificate
    from pkcs12kit.certificates.pool import CertificatePool
    from pkcs12kit.limits import Limits
    from pkcs12kit.paths.validation.algorithms import AlgorithmPolicy
    from pkcs12kit.retrieval.signed_data import SignedContent

# README.txt has its users call 'openssl smime -verify', and calls the signer a code signing credential.
_PURPOSES: Final = ("1.3.6.1.5.5.7.3.4", "1.3.6.1.5.5.7.3.3")  # emailProtection, codeSigning (RFC 5280 4.2.1.12)
_NOT_THE_PURPOSE: Final = "the signer's certificate is for neither e-mail nor code (RFC 5280 section 4.2.1.12)"


@dataclass(frozen=True, slots=True, kw_only=True)
class SignerRules:
    """Who may sign, when, and how strongly. ``roots`` are fingerprints that count where no trust anchor is given."""

    trust_anchors: tuple[TrustAnchor, ...]
    roots: frozenset[str]
    time: datetime
    algorithm_policy: AlgorithmPolicy

    def anchors_among(self, candidates: Iterable[Certificate]) -> tuple[TrustAnchor, ...]:
        """Give the trust anchors; where there are none, the known roots that are among ``candidates``."""
        return self.trust_anchors or tuple(_pinned(candidates, self.roots))


def find_signers_anchor(
    signed: SignedContent,
    pool: CertificatePool,
    anchors: tuple[TrustAnchor, ...],
    *,
    archived: datetime | None,
    rules: SignerRules,
    limits: Limits,
) -> tuple[TrustAnchor, tuple[str, ...]]:
    """Find the anchor that the signer leads to, and say in sentences what is weak about the way there.

    Weak is a certificate that is for neither e-mail nor code, and one that has lapsed, but was valid when the signature
    says that it was made; where it says nothing, when the archive was made: ``archived``. Neither is confirmed by
    anybody. Raises :class:`~pkcs12kit.errors.PathError` or :class:`~pkcs12kit.errors.InputError` where nothing leads to
    an anchor even so.
    """
    usage = signed.signer.extensions.key_usage
    if usage is not None and not (usage.digital_signature or usage.content_commitment):
        raise InputError("its certificate is not for signatures (RFC 5280 section 4.2.1.3)")
    parameters = ValidationParameters(time=rules.time, algorithm_policy=rules.algorithm_policy)
    anchor, weaknesses, error = _look(signed, pool, anchors, parameters=parameters, limits=limits)
    moment = signed.signing_time or archived
    if anchor is None and moment is not None and moment <= rules.time:
        then = replace(parameters, time=moment)
        anchor, weaknesses, _ = _look(signed, pool, anchors, parameters=then, limits=limits)
        who = "the signature" if signed.signing_time else "the archive"
        claim = f"valid at {format_time(moment)}, when {who} says it was made, which nobody confirms"
        weaknesses = (f"the signer's certificate is not valid any more: {error}; it was {claim}", *weaknesses)
    if anchor is None:
        raise error or InputError("nothing leads from it to a trust anchor")
    return anchor, weaknesses


def _look(
    signed: SignedContent,
    pool: CertificatePool,
    anchors: tuple[TrustAnchor, ...],
    *,
    parameters: ValidationParameters,
    limits: Limits,
) -> tuple[TrustAnchor | None, tuple[str, ...], NoValidPathError | None]:
    """Find the anchor at one time, by a purpose, else by none: then that is weak. Else why there is none."""
    error = None
    for purpose in (*_PURPOSES, None):
        wanted = replace(parameters, extended_key_usage=purpose)
        try:
            path = find_path(signed.signer, pool=pool, trust_anchors=anchors, parameters=wanted, limits=limits)
        except NoValidPathError as failure:
            error = failure
        else:
            return path.trust_anchor, () if purpose else (_NOT_THE_PURPOSE,), None
    return None, (), error


def _pinned(candidates: Iterable[Certificate], roots: frozenset[str]) -> Iterator[TrustAnchor]:
    for certificate in dict.fromkeys(candidates):
        if certificate.sha256 in roots:
            yield TrustAnchor.from_certificate(certificate)
