"""What goes into a PFX, and in what order."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from pkcs12kit.certificates.identity import Identity
from pkcs12kit.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Iterable

    from cryptography.hazmat.primitives.asymmetric.types import CertificateIssuerPrivateKeyTypes

    from pkcs12kit.certificates.certificate import Certificate
    from pkcs12kit.certificates.path import CertificationPath

_LAST_OF_BMP: Final = "\uffff"


@dataclass(frozen=True, slots=True, kw_only=True)
class Bundle:
    """A private key and certificates for one PFX, in file order: end-entity, its issuers, trust anchor last.

    ``private_key`` is None for certificates alone. ``friendly_name`` is for the key and the first certificate; the
    others have their common names (:attr:`aliases`). That the certificates make a valid path is not checked.

    Raises :class:`ValueError` where there is no certificate or a (subject, key) occurs twice (Java servers then send a
    cut chain), :class:`~pkcs12kit.errors.KeyMismatchError` where the key is not the first certificate's, and
    :class:`~pkcs12kit.errors.InputError` for a friendly name that the file cannot hold.
    """

    private_key: CertificateIssuerPrivateKeyTypes | None = field(default=None, repr=False)
    certificates: tuple[Certificate, ...]
    friendly_name: str | None = None

    def __post_init__(self) -> None:
        object.__setattr__(self, "certificates", tuple(self.certificates))
        if not self.certificates:
            raise ValueError("a bundle has at least one certificate")
        if len({certificate.node for certificate in self.certificates}) != len(self.certificates):
            raise ValueError("a bundle holds one certificate for each (subject, key)")
        if self.friendly_name is not None:
            _require_bmp(self.friendly_name)
        if self.private_key is not None:
            Identity(private_key=self.private_key, certificate=self.certificates[0])

    @classmethod
    def from_path(
        cls,
        identity: Identity,
        path: CertificationPath,
        *,
        include_anchor: bool = True,
        friendly_name: str | None = None,
    ) -> Bundle:
        """Take the key of ``identity`` and the certificates of ``path``, which must be a path for it.

        Raises :class:`ValueError` where it is not, or where the anchor is to be included and has no certificate; and
        what :class:`Bundle` raises.
        """
        if identity.certificate != path.target:
            raise ValueError("the path is for another certificate than the identity's")
        return cls(
            private_key=identity.private_key,
            certificates=_certificates(path, include_anchor=include_anchor),
            friendly_name=friendly_name,
        )

    @classmethod
    def certificates_only(
        cls, path: CertificationPath, *, include_anchor: bool = True, friendly_name: str | None = None
    ) -> Bundle:
        """Take the certificates of ``path`` without a key. Raises as :meth:`from_path` does."""
        return cls(certificates=_certificates(path, include_anchor=include_anchor), friendly_name=friendly_name)

    @property
    def aliases(self) -> tuple[str | None, ...]:
        """The friendly name of each certificate in the file.

        ``friendly_name`` for the first, where there is a key; without one its common name stands in. For each other
        its common name, or its whole subject. A name that differs from an earlier one in case alone, or not at all,
        gets a number (``Example CA (2)``): keytool compares aliases in lower case and would merge the entries. A name
        that a BMPString cannot hold is left out.
        """
        first, *issuers = self.certificates
        names = [self.friendly_name if self.private_key or self.friendly_name else _name(first), *map(_name, issuers)]
        return tuple(_distinct(names))


def _certificates(path: CertificationPath, *, include_anchor: bool) -> tuple[Certificate, ...]:
    if not include_anchor:
        return path.certificates
    if path.trust_anchor.certificate is None:
        raise ValueError("the trust anchor has no certificate to include; pass include_anchor=False")
    return path.with_anchor


def _name(certificate: Certificate) -> str | None:
    name = certificate.subject.common_name or str(certificate.subject)
    return name if name and _fits_bmp(name) else None


def _distinct(names: Iterable[str | None]) -> Iterable[str | None]:
    taken: set[str] = set()
    for name in names:
        distinct, number = name, 1
        while distinct is not None and distinct.lower() in taken:
            number += 1
            distinct = f"{name} ({number})"
        if distinct is not None:
            taken.add(distinct.lower())
        yield distinct


def _require_bmp(name: str) -> None:
    if not name:
        raise InputError("the friendly name is empty; leave it out instead")
    if not _fits_bmp(name):
        raise InputError(
            f"the friendly name {name!a} has a character outside Unicode's basic multilingual plane (an emoji,"
            " for example), which a BMPString cannot hold (RFC 2985 section 5.5.1)"
        )


def _fits_bmp(name: str) -> bool:
    return all(char <= _LAST_OF_BMP and not "\ud800" <= char <= "\udfff" and char != "\0" for char in name)
