"""A heap of certificates, in no order, indexed by subject and by key identifier."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

from pkcs12kit.certificates.certificate import Certificate

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from pkcs12kit.certificates.names import Name


@dataclass(frozen=True, slots=True, kw_only=True)
class Reject:
    """Something in a source that could not be read: where it came from, which one it was, why."""

    source: str
    position: int
    """Counted from 1 within the source."""
    reason: str

    def __str__(self) -> str:
        return f"{self.source}: certificate {self.position}: {self.reason}"


class CertificatePool:
    """Candidate certificates for paths, each once. Order and repetition of what it is made from do not matter.

    Immutable, and so usable from many threads at once; merge pools with ``|``. Nothing in a pool is trusted.
    """

    def __init__(self, certificates: Iterable[Certificate] = (), *, rejects: Iterable[Reject] = ()) -> None:
        self._certificates = tuple(dict.fromkeys(certificates))
        self.rejects: tuple[Reject, ...] = tuple(rejects)

    def by_subject(self, name: Name) -> tuple[Certificate, ...]:
        """Certificates whose subject matches ``name`` (RFC 5280 section 7.1), by fingerprint."""
        return self._by_subject.get(name, ())

    def by_key_identifier(self, key_identifier: bytes) -> tuple[Certificate, ...]:
        """Certificates whose subjectKeyIdentifier is ``key_identifier``, by fingerprint."""
        return self._by_key_identifier.get(key_identifier, ())

    @cached_property
    def _by_subject(self) -> dict[Name, tuple[Certificate, ...]]:
        index: dict[Name, list[Certificate]] = {}
        for certificate in self._certificates:
            index.setdefault(certificate.subject, []).append(certificate)
        return {name: _by_fingerprint(found) for name, found in index.items()}

    @cached_property
    def _by_key_identifier(self) -> dict[bytes, tuple[Certificate, ...]]:
        index: dict[bytes, list[Certificate]] = {}
        for certificate in self._certificates:
            if certificate.key_identifier is not None:
                index.setdefault(certificate.key_identifier, []).append(certificate)
        return {key_identifier: _by_fingerprint(found) for key_identifier, found in index.items()}

    def __or__(self, other: CertificatePool) -> CertificatePool:
        if not isinstance(other, CertificatePool):
            return NotImplemented
        return CertificatePool((*self, *other), rejects=(*self.rejects, *other.rejects))

    def __len__(self) -> int:
        return len(self._certificates)

    def __iter__(self) -> Iterator[Certificate]:
        return iter(self._certificates)

    def __contains__(self, certificate: object) -> bool:
        return isinstance(certificate, Certificate) and certificate in self.by_subject(certificate.subject)

    def __repr__(self) -> str:
        return f"<CertificatePool: {len(self)} certificates, {len(self.rejects)} rejects>"


def _by_fingerprint(certificates: list[Certificate]) -> tuple[Certificate, ...]:
    return tuple(sorted(certificates, key=lambda certificate: certificate.sha256))
