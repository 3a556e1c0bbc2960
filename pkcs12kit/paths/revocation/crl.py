"""One certificate revocation list, parsed but not verified (RFC 5280 section 5)."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from cryptography import x509
from cryptography.x509 import load_der_x509_crl
from cryptography.x509.oid import AuthorityInformationAccessOID, CRLEntryExtensionOID, ExtensionOID

from pkcs12kit.certificates import lenient
from pkcs12kit.certificates.der import read_name, refuse_endless_tags
from pkcs12kit.certificates.extension_decoding import may_warn
from pkcs12kit.certificates.names import Name
from pkcs12kit.certificates.serial_numbers import serial_number_text
from pkcs12kit.errors import InputError, LimitExceededError, MalformedCertificateError
from pkcs12kit.paths.revocation.crl_encoding import canonical_crl, read_crl_structure
from pkcs12kit.paths.revocation.crl_extensions import decode_crl_extensions
from pkcs12kit.paths.revocation.distribution_points import Scope
from pkcs12kit.paths.revocation.faults import Fault, malformed, unknown_critical_extension
from pkcs12kit.paths.revocation.model import RevocationEntry
from pkcs12kit.paths.signatures import SignedData

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import datetime

    from pkcs12kit.limits import Limits
    from pkcs12kit.paths.budget import SearchBudget
    from pkcs12kit.paths.revocation.crl_encoding import CrlStructure

REMOVE_FROM_CRL: Final = "removeFromCRL"
HOLD: Final = "certificateHold"

_UNREADABLE: Final = (ValueError, TypeError, KeyError, x509.DuplicateExtension, x509.UnsupportedGeneralNameType)
_PROCESSED: Final = frozenset(
    {
        ExtensionOID.AUTHORITY_KEY_IDENTIFIER,
        ExtensionOID.CRL_NUMBER,
        ExtensionOID.DELTA_CRL_INDICATOR,
        ExtensionOID.ISSUING_DISTRIBUTION_POINT,
        ExtensionOID.FRESHEST_CRL,
    }
)
_PROCESSED_IN_ENTRIES: Final = frozenset(
    {CRLEntryExtensionOID.CRL_REASON, CRLEntryExtensionOID.INVALIDITY_DATE, CRLEntryExtensionOID.CERTIFICATE_ISSUER}
)
# An Extension whose critical is TRUE has these octets before its value (X.690 sections 8.2, 11.1), and the extension
# certificateIssuer the others before its criticality. Where an encoding has neither, only entries of the certificate in
# question have to be decoded.
_CRITICAL: Final = b"\x01\x01\xff\x04"
_CERTIFICATE_ISSUER: Final = b"\x06\x03\x55\x1d\x1d"


class _Entry(NamedTuple):
    """An entry, and the issuer of its certificate."""

    issuers: tuple[Name, ...]
    entry: RevocationEntry


@dataclass(slots=True, kw_only=True)
class RevocationList:
    """A CRL: its header and extensions are decoded, its entries only as they are looked up."""

    signed: SignedData
    issuer: Name
    this_update: datetime
    next_update: datetime | None
    scope: Scope
    number: int | None
    base_number: int | None
    """BaseCRLNumber; None for a full CRL."""
    key_identifier: bytes | None
    """The key identifier of the authorityKeyIdentifier."""
    header_bytes: int
    """Bytes of everything but the entries."""
    rewritten_bytes: int
    """Bytes that were encoded again because of an encoding error in it (``limits.crl_rewritten_bytes``)."""
    names_delta_crls: bool
    """True where it has the extension freshestCRL (section 5.2.6)."""
    issuer_urls: tuple[str, ...]
    """URLs of its issuer's certificates (section 5.2.7)."""
    delta_urls: tuple[str, ...]
    fault: Fault | None
    """The reason why it must not be used, whatever its signer; None where there is none."""
    source: str | None
    """The name of the file or the URL that it is from, safe to print; None where it is not known."""
    _parsed: x509.CertificateRevocationList = field(repr=False)
    _encoded_entries: bytes = field(repr=False)
    _is_version_2: bool
    _entries: dict[int, list[_Entry]] | None = field(default=None, repr=False)
    _entry_fault: Fault | None = None
    _has_marks: bool | None = None

    @property
    def is_delta(self) -> bool:
        """True for a delta CRL (section 5.2.4)."""
        return self.base_number is not None

    @property
    def entry_count(self) -> int:
        """The number of its entries."""
        return len(self._parsed)

    def __str__(self) -> str:
        kind = "delta CRL" if self.is_delta else "CRL"
        number = "" if self.number is None else f" #{serial_number_text(self.number)}"
        return f"the {kind}{number} of {self.issuer.label}"

    def entries_about(self, issuer: Name, serial_number: int, budget: SearchBudget) -> tuple[RevocationEntry, ...]:
        """Return the entries about one certificate. Raises :class:`UnusableCrlError` and ``BudgetExhaustedError``.

        Entries are read one by one only where one of them may be critical or name another issuer, or where the serial
        number may be listed twice.
        """
        if not self._needs_all_entries:
            return self._direct_entries_about(issuer, serial_number, budget)
        if self._entries is None:
            self._entries = self._decode_all(budget)
        if self._entry_fault is not None:
            raise UnusableCrlError(self._entry_fault)
        return tuple(found.entry for found in self._entries.get(serial_number, ()) if issuer in found.issuers)

    @property
    def _needs_all_entries(self) -> bool:
        """True where the octets of a critical extension, or of certificateIssuer, are in the entries."""
        if self._has_marks is None:
            self._has_marks = _CRITICAL in self._encoded_entries or _CERTIFICATE_ISSUER in self._encoded_entries
        return self._has_marks

    def _direct_entries_about(
        self, issuer: Name, serial_number: int, budget: SearchBudget
    ) -> tuple[RevocationEntry, ...]:
        from asn1crypto import parser

        bits = (serial_number if serial_number >= 0 else ~serial_number).bit_length()
        encoded = parser.emit(0, 0, 2, serial_number.to_bytes(bits // 8 + 1, "big", signed=True))
        if issuer != self.issuer or encoded not in self._encoded_entries:
            return ()
        if serial_number >= 0 and self._encoded_entries.count(encoded) == 1:
            listed = self._parsed.get_revoked_certificate_by_serial_number(serial_number)
            return () if listed is None else (self._read(listed),)
        budget.spend("revocation_entry_bytes", len(self._encoded_entries))
        return tuple(self._read(entry) for entry in self._parsed if entry.serial_number == serial_number)

    def _decode_all(self, budget: SearchBudget) -> dict[int, list[_Entry]]:
        """Return all entries by serial number, each with its certificate's issuers (section 5.3.3).

        A critical extension in any of them may forbid the use of the CRL.
        """
        budget.spend("revocation_entry_bytes", len(self._encoded_entries))
        if may_warn(self._encoded_entries):
            detail = "has an entry with a name that is too long or too short (RFC 5280 appendix A.1)"
            self._entry_fault = malformed(detail)
            return {}
        entries: dict[int, list[_Entry]] = {}
        issuers: tuple[Name, ...] = (self.issuer,)
        try:
            for listed in self._parsed:
                issuers = _certificate_issuers(listed) or issuers
                entries.setdefault(listed.serial_number, []).append(_Entry(issuers, self._read(listed)))
        except UnusableCrlError as error:
            self._entry_fault = error.fault
        except _UNREADABLE as error:
            self._entry_fault = _unreadable_entry(error)
        return entries

    def _read(self, listed: x509.RevokedCertificate) -> RevocationEntry:
        """Return the date and the reason of an entry. Raises :class:`UnusableCrlError`.

        Extensions that cannot be read are ignored where none of the CRL's entries has a critical one: the certificate
        is listed, whatever the reason.
        """
        extensions: Iterable[x509.Extension[x509.ExtensionType]] = ()
        try:
            extensions = listed.extensions
        except _UNREADABLE as error:
            if self._needs_all_entries:
                raise UnusableCrlError(_unreadable_entry(error)) from None
        reason, invalidity_date = "unspecified", None
        for extension in extensions:
            if not self._is_version_2:
                raise UnusableCrlError(malformed("is of version 1, and has an entry with extensions"))
            if extension.critical and extension.oid not in _PROCESSED_IN_ENTRIES:
                raise UnusableCrlError(unknown_critical_extension(extension.oid.dotted_string, of_entry=True))
            if isinstance(extension.value, x509.CRLReason):
                reason = extension.value.reason.value
            elif isinstance(extension.value, x509.InvalidityDate):
                invalidity_date = extension.value.invalidity_date_utc
        return RevocationEntry(revoked_at=listed.revocation_date_utc, reason=reason, invalidity_date=invalidity_date)


class UnusableCrlError(Exception):
    """A CRL that must not be used (RFC 5280 sections 5.2 and 5.3)."""

    def __init__(self, fault: Fault) -> None:
        super().__init__(fault.detail)
        self.fault = fault
        """The reason."""


def read_crl(der: bytes, *, limits: Limits) -> RevocationList:
    """Parse a CRL's header and extensions. Nothing is verified.

    Raises :class:`~pkcs12kit.errors.InputError` for bytes that are not a CRL, and
    :class:`~pkcs12kit.errors.LimitExceededError` for a header beyond ``limits.crl_header_bytes``.
    """
    try:
        refuse_endless_tags(der)
        structure = read_crl_structure(der)
        if structure.header_bytes > limits.crl_header_bytes:
            raise LimitExceededError(
                f"a CRL with more than limits.crl_header_bytes = {limits.crl_header_bytes:,} beside its entries"
            )
        parsed, entries, is_rewritten = _parse(der, structure, at_most=limits.crl_rewritten_bytes)
        issuer = read_name(structure.issuer)
        this_update, next_update = parsed.last_update_utc, parsed.next_update_utc
    except (*_UNREADABLE, x509.InvalidVersion, MalformedCertificateError) as error:
        raise InputError(f"not a CRL: {lenient.first_line(error)}") from None
    if not issuer:
        raise InputError("not a CRL: it names no issuer")
    found = _read_extensions(parsed, structure.extensions)
    fault = found.pop("fault") or _structural_fault(structure.version, found["has_any"])
    if structure.algorithm != structure.inner_algorithm:
        fault = malformed("names two different signature algorithms (RFC 5280 section 5.1.1.2)")
    return RevocationList(
        signed=SignedData(
            content=structure.content,
            algorithm=structure.algorithm,
            signature=parsed.signature,
            sha256=hashlib.sha256(der).hexdigest(),
        ),
        issuer=issuer,
        this_update=this_update,
        next_update=next_update,
        scope=Scope.of(found["scope"], issuer),
        number=found["number"],
        base_number=found["base_number"],
        key_identifier=found["key_identifier"],
        header_bytes=structure.header_bytes,
        rewritten_bytes=len(der) if is_rewritten else 0,
        names_delta_crls=found["names_delta_crls"],
        issuer_urls=found["issuer_urls"],
        delta_urls=found["delta_urls"],
        fault=fault,
        source=getattr(der, "source", None),
        _parsed=parsed,
        _encoded_entries=entries,
        _is_version_2=structure.version is not None,
    )


def _parse(der: bytes, structure: CrlStructure, *, at_most: int) -> tuple[x509.CertificateRevocationList, bytes, bool]:
    """Return a CRL as pyca/cryptography reads it, its encoded entries, and True where it had encoding errors.

    The errors are not in the entries that are returned. The extensions may still be unreadable. Raises the errors of
    ``_UNREADABLE``.
    """
    parsed = None
    try:
        parsed = load_der_x509_crl(der)
        list(decode_crl_extensions(parsed, structure.extensions))
    except _UNREADABLE:
        try:
            canonical = canonical_crl(der, structure, at_most=at_most)
            return load_der_x509_crl(canonical), read_crl_structure(canonical).entries, True
        except _UNREADABLE:
            if parsed is None:
                raise
    return parsed, structure.entries, False


def _read_extensions(parsed: x509.CertificateRevocationList, encoded: bytes) -> dict[str, Any]:
    values: dict[str, Any] = {
        "has_any": False,
        "fault": None,
        "scope": None,
        "number": None,
        "base_number": None,
        "key_identifier": None,
        "names_delta_crls": False,
        "issuer_urls": (),
        "delta_urls": (),
    }
    try:
        extensions = list(decode_crl_extensions(parsed, encoded))
    except _UNREADABLE as error:
        values["fault"] = malformed(f"has extensions that cannot be read: {lenient.first_line(error)}")
        return values
    for extension in extensions:
        values["has_any"] = True
        if extension.critical and extension.oid not in _PROCESSED:
            values["fault"] = unknown_critical_extension(extension.oid.dotted_string)
        match extension.value:
            case x509.IssuingDistributionPoint() as point:
                values["scope"] = point
            case x509.CRLNumber(crl_number=number):
                values["number"] = number
            case x509.DeltaCRLIndicator(crl_number=number):
                values["base_number"] = number
            case x509.AuthorityKeyIdentifier(key_identifier=identifier):
                values["key_identifier"] = identifier
            case x509.FreshestCRL() as points:
                values["names_delta_crls"] = True
                values["delta_urls"] = tuple(_urls(name for point in points for name in point.full_name or ()))
            case x509.AuthorityInformationAccess() as descriptions:
                values["issuer_urls"] = tuple(
                    _urls(
                        description.access_location
                        for description in descriptions
                        if description.access_method == AuthorityInformationAccessOID.CA_ISSUERS
                    )
                )
    return values


def _structural_fault(version: int | None, has_extensions: bool) -> Fault | None:  # noqa: FBT001  # one caller
    if version is None and has_extensions:
        return malformed("is of version 1, and has extensions (RFC 5280 section 5.1.2.1)")
    if version not in {None, 1}:
        return malformed("is of an unknown version (RFC 5280 section 5.1.2.1)")
    return None


def _certificate_issuers(listed: x509.RevokedCertificate) -> tuple[Name, ...]:
    """Return the names of certificateIssuer; empty where the entry does not have it."""
    for extension in listed.extensions:
        if isinstance(extension.value, x509.CertificateIssuer):
            names = extension.value.get_values_for_type(x509.DirectoryName)
            if not names:
                raise UnusableCrlError(malformed("has an entry whose certificateIssuer is not a directory name"))
            return tuple(map(Name.from_cryptography, names))
    return ()


def _unreadable_entry(error: Exception) -> Fault:
    return malformed(f"has an entry that cannot be read: {lenient.first_line(error)}")


def _urls(names: Iterable[x509.GeneralName]) -> list[str]:
    return [name.value for name in names if isinstance(name, x509.UniformResourceIdentifier)]
