"""A bundle: the key and certificates of a PFX, in file order, with their names."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final, TypeVar

from pkcs12kit.arguments import require_flags, require_kind, require_several, require_texts
from pkcs12kit.certificates.certificate import Certificate
from pkcs12kit.certificates.identity import Identity
from pkcs12kit.certificates.path import CertificationPath
from pkcs12kit.errors import ArgumentError, InputError
from pkcs12kit.notebook_hook import Shown
from pkcs12kit.pkcs12.java_entries import JavaItem, JavaKind, is_marked, java_alias, java_entries
from pkcs12kit.text import counted, quoted

if TYPE_CHECKING:
    from collections.abc import Iterable

    from cryptography.hazmat.primitives.asymmetric.types import CertificateIssuerPrivateKeyTypes

_One = TypeVar("_One")
_LAST_OF_BMP: Final = "\uffff"
_LONGEST_NAME: Final = 255
"""The longest friendlyName in characters (RFC 2985 appendix A, ``pkcs-9-ub-friendlyName``)."""
_LONGEST_NUMBER: Final = len(" (100000)")


@dataclass(frozen=True, slots=True, kw_only=True)
class Bundle(Shown):
    """A private key and certificates for one PFX, in file order: end-entity, its issuers, trust anchor last.

    That the certificates are a valid path is not checked.

    Raises :class:`~pkcs12kit.ArgumentError` if there is no certificate, if a (subject, key) occurs twice (Java servers
    then send an incomplete chain), if the number of names or attributes is not that of the certificates, or if a
    truststore has a key; :class:`~pkcs12kit.errors.KeyMismatchError` if the key does not belong to the first
    certificate, and :class:`~pkcs12kit.errors.InputError` for a friendly name that the file cannot hold, and for names
    and marks of trust by which Java would lose an entry. Values of other kinds raise :class:`~pkcs12kit.ArgumentError`.
    """

    private_key: CertificateIssuerPrivateKeyTypes | None = field(default=None, repr=False)
    """The key; None for a file with only certificates."""
    certificates: tuple[Certificate, ...]
    """The certificates in file order, the end-entity certificate first."""
    friendly_name: str | None = None
    """The name of the key and, without ``certificate_names``, of the first certificate.

    The other certificates then have their common names (:attr:`aliases`).
    """
    certificate_names: tuple[str | None, ...] | None = None
    """The names of all certificates, used unchanged; None leaves a certificate without a name."""
    truststore: bool = False
    """True marks each certificate as trusted for Java."""
    certificate_attributes: tuple[tuple[bytes, ...], ...] = ()
    """Further bag attributes of each certificate, for a file that is written again.

    Each is the DER of one Attribute (RFC 7292 section 4.2).
    """
    key_attributes: tuple[bytes, ...] = ()
    """Further bag attributes of the key, in the same form."""

    def __post_init__(self) -> None:
        self._set_tuples()
        require_texts(friendly_name=self.friendly_name)
        require_flags(truststore=self.truststore)
        if not self.certificates:
            raise ArgumentError("a bundle needs at least one certificate")
        if len({certificate.node for certificate in self.certificates}) != len(self.certificates):
            raise ArgumentError("a bundle holds only one certificate for each (subject, key)")
        for of_each in (self.certificate_names, self.certificate_attributes):
            if of_each and len(of_each) != len(self.certificates):
                raise ArgumentError("certificate names and attributes: give one for each certificate, or none at all")
        if self.truststore and self.private_key is not None:
            raise ArgumentError("a truststore holds only certificates: leave the private key out")
        for name in (self.friendly_name, *(self.certificate_names or ())):
            if name is not None:
                _require_name(name)
        if self.private_key is not None:
            Identity(private_key=self.private_key, certificate=self.certificates[0])
        self._require_java_entries()

    def _require_java_entries(self) -> None:
        """Raise :class:`~pkcs12kit.errors.InputError` if Java's key store would lose an entry."""
        of_each = self.certificate_attributes or ((),) * len(self.certificates)
        marks = [self.truststore or is_marked(attributes) for attributes in of_each]
        if not any(marks):  # the only entry is then the key
            return
        own_id = b"" if self.private_key is not None else None
        items = [
            JavaItem(
                kind=JavaKind.TRUSTED if mark else None,
                friendly_name=name,
                local_key_id=None if position else own_id,
                certificate=certificate,
                is_first=position == 0,
            )
            for position, (certificate, name, mark) in enumerate(
                zip(self.certificates, self.aliases, marks, strict=True)
            )
        ]
        if self.private_key is not None:
            key = JavaItem(
                kind=JavaKind.KEY,
                friendly_name=self.friendly_name,
                local_key_id=own_id,
                certificate=self.certificates[0],
            )
            items.append(key)
        losses = java_entries(items).losses
        if losses:
            raise InputError(f"Java would not have every entry of such a file: {losses[0]}")

    def _set_tuples(self) -> None:
        """Set the fields of several values as tuples. Raises :class:`~pkcs12kit.ArgumentError` for other kinds."""
        object.__setattr__(self, "certificates", _tuple_of("certificates", self.certificates, Certificate))
        if self.certificate_names is not None:
            names = _tuple_of("certificate_names", self.certificate_names, str, optional=True)
            object.__setattr__(self, "certificate_names", names)
        require_several({"certificate_attributes": self.certificate_attributes})
        of_each = tuple(_tuple_of("certificate_attributes", one, bytes) for one in self.certificate_attributes)
        object.__setattr__(self, "certificate_attributes", of_each)
        object.__setattr__(self, "key_attributes", _tuple_of("key_attributes", self.key_attributes, bytes))

    @classmethod
    def from_path(
        cls,
        identity: Identity,
        path: CertificationPath,
        *,
        include_anchor: bool = True,
        friendly_name: str | None = None,
        certificate_name: str | None = None,
        ca_names: Iterable[str] = (),
    ) -> Bundle:
        """Return a bundle with the key of ``identity`` and the certificates of ``path``, which must be a path for it.

        - ``include_anchor``: False leaves the trust anchor's certificate out.
        - ``friendly_name``: the name of the key and of the end-entity certificate.
        - ``certificate_name``: another name for the end-entity certificate.
        - ``ca_names``: names of the CA certificates in the order of the path, from the issuer of the end-entity on;
          the certificates after them have their common names.

        Raises :class:`~pkcs12kit.ArgumentError` if the path is for another certificate, or if the anchor is included
        and has no certificate; :class:`~pkcs12kit.errors.InputError` if there are more names than CA certificates; and
        as :class:`Bundle` does.
        """
        require_kind("identity", identity, Identity)
        require_kind("path", path, CertificationPath)
        require_texts(friendly_name=friendly_name, certificate_name=certificate_name)
        require_flags(include_anchor=include_anchor)
        if identity.certificate != path.target:
            raise ArgumentError("the path is for another certificate than that of the identity")
        others = _tuple_of("ca_names", ca_names, str)
        certificates = _certificates(path, include_anchor=include_anchor)
        return cls(
            private_key=identity.private_key,
            certificates=certificates,
            friendly_name=friendly_name,
            certificate_names=_given_names(certificates, certificate_name or friendly_name, others),
        )

    @classmethod
    def certificates_only(
        cls,
        path: CertificationPath,
        *,
        include_anchor: bool = True,
        friendly_name: str | None = None,
        ca_names: Iterable[str] = (),
        truststore: bool = False,
    ) -> Bundle:
        """Return a bundle with the certificates of ``path`` and no key. Raises as :meth:`from_path` does.

        ``friendly_name`` is the name of the first certificate; ``truststore`` is as in :class:`Bundle`.
        """
        require_kind("path", path, CertificationPath)
        require_texts(friendly_name=friendly_name)
        require_flags(include_anchor=include_anchor, truststore=truststore)
        certificates = _certificates(path, include_anchor=include_anchor)
        first = friendly_name or _name(certificates[0])
        return cls(
            certificates=certificates,
            friendly_name=friendly_name,
            certificate_names=_given_names(certificates, first, _tuple_of("ca_names", ca_names, str)),
            truststore=truststore,
        )

    @property
    def aliases(self) -> tuple[str | None, ...]:
        """The friendly name of each certificate in the file.

        They are ``certificate_names`` if given. Otherwise the first certificate has ``friendly_name`` if there is a key
        or such a name, and each other its common name, or its whole subject. A name that equals an earlier one, or only
        differs in case, gets a number (``Example CA (2)``): keytool compares aliases in lower case and would merge the
        entries. A name that a friendlyName cannot hold, or that is too long for a number, is left out.
        """
        if self.certificate_names is not None:
            return self.certificate_names
        first = self.friendly_name if self.private_key or self.friendly_name else _name(self.certificates[0])
        return tuple(_distinct([first, *map(_name, self.certificates[1:])]))


def _tuple_of(name: str, given: Iterable[_One], kind: type, *, optional: bool = False) -> tuple[_One, ...]:
    """Return several values of one kind as a tuple. Raises :class:`~pkcs12kit.ArgumentError` for other kinds."""
    require_several({name: given})
    several = tuple(given)
    for one in several:
        require_kind(name, one, kind, optional=optional)
    return several


def _certificates(path: CertificationPath, *, include_anchor: bool) -> tuple[Certificate, ...]:
    if not include_anchor:
        return path.certificates
    if path.trust_anchor.certificate is None:
        raise ArgumentError("the trust anchor has no certificate to include; pass include_anchor=False")
    return path.with_anchor


def _given_names(
    certificates: tuple[Certificate, ...], first: str | None, others: tuple[str, ...]
) -> tuple[str | None, ...]:
    """Return the given names, and common names for the other certificates, each name once."""
    if len(others) > len(certificates) - 1:
        raise InputError(
            f"{counted(len(others), 'name')} given for {counted(len(certificates) - 1, 'CA certificate')}:"
            " give fewer names"
        )
    for name in others:
        _require_name(name)
    return tuple(_distinct([first, *others, *map(_name, certificates[1 + len(others) :])]))


def _name(certificate: Certificate) -> str | None:
    name = certificate.subject.common_name or str(certificate.subject)
    return name if name and _fits_bmp(name) and len(name) <= _LONGEST_NAME - _LONGEST_NUMBER else None


def _distinct(names: Iterable[str | None]) -> Iterable[str | None]:
    taken: set[str] = set()
    for name in names:
        distinct, number = name, 1
        while distinct is not None and java_alias(distinct) in taken:
            number += 1
            distinct = f"{name} ({number})"
        if distinct is not None:
            taken.add(java_alias(distinct))
        yield distinct


def _require_name(name: str) -> None:
    if not name:
        raise InputError("the friendly name is empty; leave it out, or give a name")
    if len(name) > _LONGEST_NAME:
        raise InputError(
            f"the friendly name has {len(name):,} characters, and at most {_LONGEST_NAME} are allowed"
            " (RFC 2985 section 5.5.1)"
        )
    if not _fits_bmp(name):
        raise InputError(
            f"the friendly name {quoted(name)} has a character outside Unicode's basic multilingual plane (an emoji,"
            " for example), which a BMPString cannot hold (RFC 2985 section 5.5.1)"
        )


def _fits_bmp(name: str) -> bool:
    return all(char <= _LAST_OF_BMP and not "\ud800" <= char <= "\udfff" and char != "\0" for char in name)
