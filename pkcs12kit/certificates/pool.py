"""Pools of certificates: candidates for paths, found by subject or by key identifier."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from pkcs12kit.arguments import require_kind, require_several
from pkcs12kit.certificates.certificate import Certificate
from pkcs12kit.certificates.indexes import SubjectIndex
from pkcs12kit.certificates.names import Name
from pkcs12kit.notebook_hook import Shown
from pkcs12kit.text import counted

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator


@dataclass(frozen=True, slots=True, kw_only=True)
class Reject:
    """A certificate in a source that could not be read."""

    source: str
    """The name of the source: a path, a file in an archive, or ``the bytes given``."""
    position: int
    """The position of the certificate in the source, counted from 1."""
    reason: str
    """The reason why the certificate could not be read."""

    def __str__(self) -> str:
        return f"{self.source}: certificate {self.position}: {self.reason}"


POOL_CURE: Final = "CertificatePool([...]) makes one of certificates, and load_certificates() of files"
"""Advice for a value of another kind where one pool is expected."""


class CertificatePool(Shown):
    """A set of candidate certificates for paths. The order of the certificates it is made from does not matter.

    Immutable, and so usable from many threads at once. Merge pools with ``|``. No certificate in a pool is trusted. The
    index by subject is built on first use: threads that ask at the same time build the same index.
    """

    __slots__ = ("_by_subject", "_certificates", "_found", "_rejects")

    def __init__(self, certificates: Iterable[Certificate] = (), *, rejects: Iterable[Reject] = ()) -> None:
        require_several({"certificates": certificates, "rejects": rejects})
        unique: dict[bytes, Certificate] = {}
        for certificate in certificates:
            require_kind("certificates", certificate, Certificate)
            unique.setdefault(certificate.der, certificate)
        self._certificates = tuple(unique.values())
        self._rejects = tuple(rejects)
        for reject in self._rejects:
            require_kind("rejects", reject, Reject)
        self._by_subject: SubjectIndex | None = None
        self._found: dict[Name, tuple[Certificate, ...]] = {}

    @property
    def rejects(self) -> tuple[Reject, ...]:
        """The certificates that could not be read in the sources of the pool."""
        return self._rejects

    def by_subject(self, name: Name) -> tuple[Certificate, ...]:
        """Return the certificates whose subject matches ``name`` (RFC 5280 section 7.1), sorted by fingerprint."""
        require_kind("name", name, Name)
        found = self._found.get(name)
        if found is None:
            index = self._by_subject
            if index is None:
                index = self._by_subject = SubjectIndex(self._certificates)
            found = _by_fingerprint(index.find(name))
            if found:  # so that no more is kept than there are subjects
                self._found[name] = found
        return found

    def by_key_identifier(self, key_identifier: bytes) -> tuple[Certificate, ...]:
        """Return the certificates with this subjectKeyIdentifier, sorted by SHA-256 fingerprint.

        Takes time linear in the size of the pool. A certificate whose extensions cannot be decoded is not found.
        """
        require_kind("key_identifier", key_identifier, bytes)
        # To decode extensions takes far longer than to look for the octets, which DER has in one piece.
        return _by_fingerprint(
            [
                certificate
                for certificate in self._certificates
                if (certificate.encoding_error is not None or key_identifier in certificate.der)
                and certificate.key_identifier == key_identifier
            ]
        )

    def __or__(self, other: CertificatePool) -> CertificatePool:
        require_kind("the right side of |", other, CertificatePool)
        return CertificatePool((*self, *other), rejects=(*self.rejects, *other.rejects))

    def __len__(self) -> int:
        return len(self._certificates)

    def __iter__(self) -> Iterator[Certificate]:
        return iter(self._certificates)

    def __contains__(self, certificate: object) -> bool:
        return isinstance(certificate, Certificate) and certificate in self.by_subject(certificate.subject)

    def __repr__(self) -> str:
        return f"<CertificatePool: {counted(len(self), 'certificate')}, {counted(len(self.rejects), 'reject')}>"


def _by_fingerprint(certificates: list[Certificate]) -> tuple[Certificate, ...]:
    if len(certificates) == 1:
        return (certificates[0],)
    return tuple(sorted(certificates, key=lambda certificate: hashlib.sha256(certificate.der).digest()))
