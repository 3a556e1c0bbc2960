"""Certificates that look like a missing issuer: what each has of it, and why it is not the issuer.

They have its name and another key, or the key that signed the certificate and another name, or its name in a spelling
that RFC 5280 section 7.1 does not take for the same.
"""

from __future__ import annotations

from dataclasses import replace
from itertools import islice
from typing import TYPE_CHECKING, Final

from pkcs12kit.certificates.names import prepare
from pkcs12kit.errors import MalformedCertificateError
from pkcs12kit.paths.budget import BudgetExhaustedError
from pkcs12kit.paths.failure import Cause
from pkcs12kit.paths.signatures import REMEMBERED, SignatureVerdict, WorkingKey

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from pkcs12kit.certificates.certificate import Certificate
    from pkcs12kit.certificates.names import Name
    from pkcs12kit.certificates.pool import CertificatePool
    from pkcs12kit.certificates.trust_anchor import TrustAnchor
    from pkcs12kit.paths.budget import SearchBudget
    from pkcs12kit.paths.failure import Failure, MissingIssuer
    from pkcs12kit.paths.report import RejectedPath

_ATTEMPTS: Final = 5
_OF_A_KIND: Final = 3
_Loose = tuple[tuple[str, str | bytes], ...]
"""A name without the order of its attributes, and without white space and punctuation."""


class LookAlikes:
    """The explanations of missing issuers, for the first attempts of one search, within ``budget``."""

    def __init__(self, pool: CertificatePool, trust_anchors: Iterable[TrustAnchor], budget: SearchBudget) -> None:
        self._pool = pool
        self._anchors = tuple(one.certificate for one in trust_anchors if one.certificate is not None)
        self._budget = budget
        self._left = _ATTEMPTS
        self._spelled: dict[_Loose, dict[Name, Certificate]] | None = None

    def add_to(self, attempt: RejectedPath) -> RejectedPath:
        """Return an attempt with the look-alikes of its missing issuer among the causes."""
        if self._left <= 0 or all(failure.missing_issuer is None for failure in attempt.failures):
            return attempt
        self._left -= 1
        return replace(attempt, failures=tuple(map(self._explained, attempt.failures)))

    def _explained(self, failure: Failure) -> Failure:
        missing = failure.missing_issuer
        if missing is None:
            return failure
        causes = [self._namesake(one, missing) for one in missing.look_alikes]
        try:
            causes[:0] = self._of_other_names(failure.certificate, missing)
        except BudgetExhaustedError:
            self._left = 0  # what is known of the others is said all the same
        return replace(failure, causes=tuple(causes))

    def _namesake(self, found: Certificate, missing: MissingIssuer) -> Cause:
        """Return what a certificate with the issuer's name is; its key is known not to have signed."""
        own, wanted = found.key_identifier, missing.key_identifier
        has = "is a trust anchor with the name of the issuer" if found in self._anchors else "has the issuer's name"
        if own is None or wanted is None:
            detail = f"{has}, and its key did not sign this certificate"
        elif own == wanted:
            detail = (
                f"{has} and key identifier, looks like the issuer, and did not sign this certificate: one of the two is"
                " damaged, forged, or issued for another key with a wrong identifier"
            )
        else:
            detail = f"{has} and another key than the one that signed this certificate: the CA may have changed its key"
        return Cause(
            certificate=found,
            extension="subjectKeyIdentifier",
            value="absent" if own is None else own.hex(),
            detail=detail,
        )

    def _of_other_names(self, certificate: Certificate, missing: MissingIssuer) -> Iterator[Cause]:
        """Yield certificates of other names: those with the key that signed, and those with names of another spelling.

        Raises :class:`~pkcs12kit.paths.budget.BudgetExhaustedError`.
        """
        spelled = list(islice(self._spelled_otherwise(missing.name), _OF_A_KIND))
        signers = [one for one in self._with_key_of(missing) if self._has_signed(one, certificate)]
        for one in dict.fromkeys((*signers, *spelled)):
            signed = self._has_signed(one, certificate)
            if one in spelled:
                which = f"has the issuer's name {missing.name} in another spelling or order"
                verb = "signed" if signed else "did not sign"
                detail = f"{which}, which is another name (RFC 5280 section 7.1); its key {verb} this certificate"
            else:
                detail = f"has the key that signed this certificate, and another name than its issuer {missing.name}"
            yield Cause(certificate=one, extension="subject", value=str(one.subject), detail=detail)

    def _with_key_of(self, missing: MissingIssuer) -> list[Certificate]:
        """Return certificates of other names with the key identifier of the issuer, one for each name and key."""
        wanted = missing.key_identifier
        if wanted is None:
            return []
        self._budget.spend("discovery_steps", len(self._pool))
        given = (*(one for one in self._anchors if one.key_identifier == wanted), *self._pool.by_key_identifier(wanted))
        nodes = {one.node: one for one in given if one.subject != missing.name}
        return list(nodes.values())[:_OF_A_KIND]

    def _spelled_otherwise(self, name: Name) -> Iterator[Certificate]:
        """Yield a certificate for each subject that is another name, and equal but for its spelling or order."""
        if self._spelled is None:
            found: dict[_Loose, dict[Name, Certificate]] = {}
            for certificate in (*self._anchors, *self._pool):
                self._budget.spend("discovery_steps")
                subject = certificate.subject
                found.setdefault(_loose(subject), {}).setdefault(subject, certificate)
            self._spelled = found
        if not name:
            return
        yield from (one for subject, one in self._spelled.get(_loose(name), {}).items() if subject != name)

    def _has_signed(self, issuer: Certificate, certificate: Certificate) -> bool:
        try:
            key = WorkingKey.of(issuer)
        except MalformedCertificateError:
            return False
        return REMEMBERED.verdict(certificate, key.key, key.info, self._budget) is SignatureVerdict.VALID


def _loose(name: Name) -> _Loose:
    attributes = (attribute for attributes in name.relative_distinguished_names for attribute in attributes)
    return tuple(sorted(((oid, _squashed(value)) for oid, value in attributes), key=repr))


def _squashed(value: str | bytes) -> str | bytes:
    """Return text without white space and punctuation, and text of nothing else as it is."""
    if isinstance(value, bytes):
        return value
    prepared = prepare(value)
    return "".join(char for char in prepared if char.isalnum()) or prepared
