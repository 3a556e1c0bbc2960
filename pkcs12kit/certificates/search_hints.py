"""The few extensions that a search for paths needs of every certificate, read without keeping the others."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, NamedTuple

from cryptography import x509

from pkcs12kit.certificates.authority_key import AUTHORITY_KEY_IDENTIFIER, named_by, read_named
from pkcs12kit.certificates.extension_readers import read_values

if TYPE_CHECKING:
    from collections.abc import Iterable

    from pkcs12kit.certificates.authority_key import AuthorityCertificate
    from pkcs12kit.certificates.extensions import Extensions
    from pkcs12kit.certificates.lenient import EncodedExtension

_WANTED: Final = frozenset({"2.5.29.14", "2.5.29.19", AUTHORITY_KEY_IDENTIFIER})


class SearchHints(NamedTuple):
    """The values that link a certificate with its issuers. Each has the name of the attribute of ``Certificate``.

    They are hints: anyone can write them, and only path validation decides.
    """

    key_identifier: bytes | None = None
    issuer_key_identifier: bytes | None = None
    authority_certificate: AuthorityCertificate | None = None
    is_ca: bool = False

    @classmethod
    def from_values(cls, values: Iterable[object]) -> SearchHints:
        """Return the hints in the extensions that pyca/cryptography has read; others are passed over."""
        hints: dict[str, Any] = {}
        for value in values:
            if isinstance(value, x509.SubjectKeyIdentifier):
                hints["key_identifier"] = value.digest
            elif isinstance(value, x509.AuthorityKeyIdentifier):
                hints["issuer_key_identifier"] = value.key_identifier
                hints["authority_certificate"] = named_by(value)
            elif isinstance(value, x509.BasicConstraints):
                hints["is_ca"] = value.ca
        return cls(**hints)

    @classmethod
    def read(cls, encoded: tuple[EncodedExtension, ...]) -> SearchHints:
        """Return the hints in encoded extensions, whatever the others are.

        Raises :class:`~pkcs12kit.errors.MalformedCertificateError` if basicConstraints cannot be read.
        """
        return cls.from_values(read_values(encoded, _WANTED))._replace(authority_certificate=read_named(encoded))

    @classmethod
    def from_extensions(cls, extensions: Extensions, encoded: tuple[EncodedExtension, ...]) -> SearchHints:
        """Return the hints in decoded extensions.

        ``encoded`` has the extensions if they were read one by one; empty if pyca/cryptography has read all of them.
        """
        identifier, constraints = extensions.authority_key_identifier, extensions.basic_constraints
        of_identifier = None if identifier is None else named_by(identifier)
        return cls(
            key_identifier=extensions.subject_key_identifier,
            issuer_key_identifier=None if identifier is None else identifier.key_identifier,
            authority_certificate=read_named(encoded) if encoded else of_identifier,
            is_ca=constraints is not None and constraints.ca,
        )
