"""Who issued which certificate, among nodes that are known: by signature, or else by name and key identifier."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeAlias

from pkcs12kit.errors import MalformedCertificateError
from pkcs12kit.paths.budget import Budget, BudgetExhaustedError
from pkcs12kit.paths.signatures import REMEMBERED, SignatureVerdict, WorkingKey

if TYPE_CHECKING:
    from collections.abc import Iterable

    from pkcs12kit.certificates.certificate import Certificate
    from pkcs12kit.certificates.names import Name
    from pkcs12kit.certificates.trust_anchor import TrustAnchor
    from pkcs12kit.limits import Limits

Node: TypeAlias = "tuple[Name, bytes]"


class KnownIssuers:
    """The subjects and keys that a picture may have as issuers, by name."""

    def __init__(self, holders: Iterable[Certificate | TrustAnchor], limits: Limits) -> None:
        self._budget = Budget(limits)
        self._by_name: dict[Name, dict[Node, Certificate | TrustAnchor]] = {}
        for holder in holders:
            self._by_name.setdefault(holder.node[0], {}).setdefault(holder.node, holder)

    def issuer_of(self, certificate: Certificate) -> Node | None:
        """Find whose key signed it; None where nobody here did, as far as that can be checked.

        Where no signature can be checked, or the limit for that is reached, key identifiers decide (RFC 4158 section
        3.5.12).
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
