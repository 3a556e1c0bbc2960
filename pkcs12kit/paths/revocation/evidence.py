"""The CRLs, OCSP responses and candidate certificates of one check, indexed by the names of their issuers."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import replace
from typing import TYPE_CHECKING

from pkcs12kit.errors import LimitExceededError
from pkcs12kit.paths.revocation.crl import read_crl
from pkcs12kit.paths.revocation.ocsp import SUCCESSFUL, read_ocsp_response

if TYPE_CHECKING:
    from collections.abc import Iterable

    from pkcs12kit.certificates.certificate import Certificate
    from pkcs12kit.certificates.names import Name
    from pkcs12kit.certificates.pool import CertificatePool
    from pkcs12kit.limits import Limits
    from pkcs12kit.paths.revocation.crl import RevocationList
    from pkcs12kit.paths.revocation.model import Revocation
    from pkcs12kit.paths.revocation.ocsp import OcspResponse


class RevocationEvidence:
    """Everything given for a check, parsed once. Nothing of it is trusted.

    Raises :class:`~pkcs12kit.errors.InputError` for data that cannot be parsed, and
    :class:`~pkcs12kit.errors.LimitExceededError` for more than ``limits`` allow.
    """

    def __init__(self, revocation: Revocation, *, pool: CertificatePool | None, limits: Limits) -> None:
        _require_within(limits, revocation)
        self.max_age = revocation.max_age
        self._pool = pool
        self._crls: dict[Name, list[RevocationList]] = defaultdict(list)
        headers, left = _HeaderBytes(limits), limits.crl_rewritten_bytes
        for der in dict.fromkeys(revocation.crls):
            crl = read_crl(der, limits=replace(limits, crl_rewritten_bytes=left))
            left -= crl.rewritten_bytes
            headers.count(crl.header_bytes)
            self._crls[crl.issuer].append(crl)
        responses = []
        for der in dict.fromkeys(revocation.ocsp_responses):
            response = read_ocsp_response(der, limits=limits)
            headers.count(response.size)
            responses.append(response)
        self.responses: tuple[OcspResponse, ...] = tuple(
            response for response in responses if response.response_status == SUCCESSFUL
        )
        """The successful responses."""
        self.errors = tuple(response for response in responses if response.response_status != SUCCESSFUL)
        """The errors that responders sent in place of an answer (RFC 6960 section 2.3)."""
        candidates = sum(len(self.candidates(name)) for name in self._crls)
        if candidates > limits.revocation_issuers:
            raise LimitExceededError(
                f"{candidates} certificates in the names of CRL issuers, beyond limits.revocation_issuers ="
                f" {limits.revocation_issuers}"
            )

    @property
    def crls(self) -> tuple[RevocationList, ...]:
        """All CRLs, by issuer."""
        return tuple(crl for crls in self._crls.values() for crl in crls)

    def crls_of(self, names: Iterable[Name]) -> list[RevocationList]:
        """Return the CRLs in the name of any of the issuers, in the order given."""
        return [crl for name in dict.fromkeys(names) for crl in self._crls.get(name, ())]

    def candidates(self, name: Name) -> tuple[Certificate, ...]:
        """Return the certificates in the pool whose subject is ``name``; none of them is validated yet."""
        return self._pool.by_subject(name) if self._pool is not None else ()

    def responders(self, response: OcspResponse) -> tuple[Certificate, ...]:
        """Return the certificates in the pool that may be the responder's; none of them is validated yet.

        They are found by name, or by subjectKeyIdentifier, which is usually the hash of the key (RFC 5280 section
        4.2.1.2 (1)).
        """
        if response.responder_name is not None:
            return self.candidates(response.responder_name)
        if self._pool is None or response.responder_key_hash is None:
            return ()
        return self._pool.by_key_identifier(response.responder_key_hash)

    @property
    def pool(self) -> CertificatePool | None:
        """The candidate certificates for the paths of signers."""
        return self._pool


class _HeaderBytes:
    """A count of decoded bytes against ``limits.revocation_header_bytes``."""

    def __init__(self, limits: Limits) -> None:
        self._left = self._allowed = limits.revocation_header_bytes

    def count(self, size: int) -> None:
        """Count the bytes of one more object. Raises :class:`~pkcs12kit.errors.LimitExceededError`."""
        self._left -= size
        if self._left < 0:
            raise LimitExceededError(
                "OCSP responses, and CRLs without their entries, beyond limits.revocation_header_bytes ="
                f" {self._allowed:,} bytes"
            )


def _require_within(limits: Limits, revocation: Revocation) -> None:
    objects = [*revocation.crls, *revocation.ocsp_responses]
    if len(objects) > limits.revocation_objects:
        raise LimitExceededError(
            f"{len(objects)} CRLs and OCSP responses, beyond limits.revocation_objects = {limits.revocation_objects}"
        )
    size = sum(len(data) for data in objects)
    if size > limits.revocation_bytes:
        raise LimitExceededError(
            f"{size} bytes of CRLs and OCSP responses, beyond limits.revocation_bytes = {limits.revocation_bytes}"
        )
