"""Checks that one certificate issued another: by key identifiers, which are a hint, and by the signature."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pkcs12kit.errors import MalformedCertificateError
from pkcs12kit.paths.budget import BudgetExhaustedError, SearchBudget
from pkcs12kit.paths.signatures import REMEMBERED, SignatureVerdict, WorkingKey

if TYPE_CHECKING:
    from collections.abc import Iterable

    from pkcs12kit.certificates.certificate import Certificate
    from pkcs12kit.certificates.names import Name
    from pkcs12kit.certificates.trust_anchor import TrustAnchor
    from pkcs12kit.limits import Limits
    from pkcs12kit.paths.graph import Node


def may_have_signed(issuer: Certificate | TrustAnchor, certificate: Certificate, budget: SearchBudget) -> bool:
    """Return True where the signature verifies with the issuer's key, or cannot be checked with that key only.

    Names are not compared. Raises :class:`~pkcs12kit.paths.budget.BudgetExhaustedError`.
    """
    try:
        key = WorkingKey.of(issuer)
    except MalformedCertificateError:
        # The key may inherit parameters from the one above it (RFC 5280 section 6.1.4 (e)): validation decides.
        return True
    return REMEMBERED.verdict(certificate, key.key, key.info, budget) is not SignatureVerdict.INVALID


class KnownIssuers:
    """The nodes that may be issuers of the certificates in a picture, by name."""

    def __init__(self, holders: Iterable[Certificate | TrustAnchor], limits: Limits) -> None:
        self._budget = SearchBudget(limits)
        self._by_name: dict[Name, dict[Node, Certificate | TrustAnchor]] = {}
        for holder in holders:
            self._by_name.setdefault(holder.node[0], {}).setdefault(holder.node, holder)

    def issuer_of(self, certificate: Certificate) -> Node | None:
        """Return the node whose key signed a certificate; None where no known key did.

        Where a signature cannot be checked, or the limit for signature checks is reached, key identifiers decide.
        """
        wanted = certificate.issuer_key_identifier
        likely = sorted(
            self._by_name.get(certificate.issuer, {}).items(),
            key=lambda item: (item[1].key_identifier != wanted, item[0][1]),
        )
        unchecked: Node | None = None
        for node, holder in likely:
            verdict = self._verdict(certificate, holder)
            if verdict is SignatureVerdict.VALID:
                return node
            not_another = wanted is None or holder.key_identifier in {None, wanted}
            if verdict is SignatureVerdict.UNSUPPORTED and not_another and unchecked is None:
                unchecked = node
        return unchecked

    def _verdict(self, certificate: Certificate, holder: Certificate | TrustAnchor) -> SignatureVerdict:
        try:
            key = WorkingKey.of(holder)
            return REMEMBERED.verdict(certificate, key.key, key.info, self._budget)
        except (MalformedCertificateError, BudgetExhaustedError):
            return SignatureVerdict.UNSUPPORTED
